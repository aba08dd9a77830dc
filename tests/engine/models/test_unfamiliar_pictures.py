"""The shipped models distinguish a photograph, noise and a blank frame from radiology images."""

import numpy as np
import pytest

from engine.bundle import Bundle
from engine.image.picture import load_picture
from engine.models.familiarity import BLANK, OUTSIDE, check_familiarity
from engine.reports.draft import draft
from tests.desktop.conftest import dicom
from tests.paths import DATA

PHOTOGRAPH = DATA / "photograph.jpg"
NOISE = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)


def score(bundle: Bundle, gray: np.ndarray) -> float:
    return check_familiarity(bundle, gray).score or 0.0


KNOWN = ("RG1_UNCR.dcm", "693_UNCR.dcm", "eCT_Supplemental.dcm", "CT_small.dcm", "MR2_UNCR.dcm")


@pytest.mark.parametrize("name", KNOWN)
def test_radiographs_ct_and_mr_are_familiar(starter_bundle: Bundle, name: str) -> None:
    assert score(starter_bundle, load_picture(dicom(name)).gray) <= 1


def test_a_photograph_and_noise_are_unfamiliar(starter_bundle: Bundle) -> None:
    assert score(starter_bundle, load_picture(PHOTOGRAPH).gray) > 1
    assert score(starter_bundle, NOISE) > 1


def test_a_photograph_gets_a_reason_instead_of_a_draft(starter_bundle: Bundle) -> None:
    made = draft(starter_bundle, None, [load_picture(PHOTOGRAPH).gray])
    assert (made.text, made.silence, made.reason) == ("", "unfamiliar", OUTSIDE)


def test_a_blank_frame_gets_a_reason_instead_of_a_draft(starter_bundle: Bundle) -> None:
    made = draft(starter_bundle, None, [np.zeros((64, 64), np.uint8)])
    assert (made.silence, made.reason) == ("blank", BLANK)
