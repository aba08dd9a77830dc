"""A bundle is adapted to an archive, kept only if it is better there, and the archive moves to it as a whole."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.adapt.adapt import AdaptOptions, adapt, plan
from engine.adapt.pairs import is_held_out
from engine.adapt.training import Recipe
from engine.archive import Archive
from engine.bundle import Bundle
from engine.cli.main import main
from engine.errors import Cancelled, UserError
from engine.importing.reindex import reindex
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.filters import Filters
from tests.engine.adapt.conftest import IMAGES, gray, report

RECIPE = Recipe(steps=150, batch=64, rate=1e-2, sentences=0.0)  # half of the sentences here say the same
NO_SAMPLE = Path("none")


@pytest.fixture(scope="module")
def adapted(bundle: Bundle, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    out = tmp_path_factory.mktemp("adapted") / "bundle"
    with Archive.open(filled) as archive:
        result = adapt(archive, bundle, AdaptOptions(out, recipe=RECIPE, sample=NO_SAMPLE))
    assert result.written
    assert result.against == []
    made = Bundle.open(out)
    assert made.id == result.bundle_id != bundle.id
    return made


def test_the_new_bundle_finds_more_and_says_what_was_measured(adapted: Bundle, bundle: Bundle) -> None:
    told = adapted.manifest["adapted"]
    assert told["from"] == bundle.id
    assert told["own"]["recall"]["low"] > 0
    assert told["own"]["after"]["recall_image_to_text"] > 1.5 * told["own"]["before"]["recall_image_to_text"]
    assert "mass" in told["own"]["after"]["findings"]
    assert adapted.manifest["name"] == "tiny, adapted"
    assert "metrics" not in adapted.manifest
    assert adapted.manifest["data_provenance"][-1]["name"] == "own archive"
    card = (adapted.folder / "MODEL_CARD.md").read_text()
    assert card.startswith("# Model card: tiny")
    assert "recall@10 image to text" in card


def test_its_trunks_are_the_same_files_and_the_old_bundle_is_untouched(adapted: Bundle, bundle: Bundle) -> None:
    for graph in ("image", "text", "captioner"):
        assert adapted.manifest["variants"]["int8"][graph] == bundle.manifest["variants"]["int8"][graph]
    assert Bundle.open(bundle.folder).id == bundle.id
    image = [gray(3, 9000)]
    np.testing.assert_array_equal(adapted.image_features(image), bundle.image_features(image))
    assert abs(adapted.embed_images(image) - bundle.embed_images(image)).max() > 0.01


def test_the_bundle_that_is_adapted_is_never_replaced(bundle: Bundle, filled: Path) -> None:
    with Archive.open(filled) as archive, pytest.raises(UserError, match="holds the models to start from"):
        adapt(archive, bundle, AdaptOptions(bundle.folder / ".", recipe=RECIPE, sample=NO_SAMPLE))
    assert Bundle.open(bundle.folder).id == bundle.id


def test_only_patients_that_no_training_saw_are_measured_on(adapted: Bundle, filled: Path) -> None:
    with Archive.open(filled) as archive:
        patients = [facts.patient for facts in archive.all_images()]
    expected = sum(is_held_out(patient or "") for patient in patients)
    told = adapted.manifest["adapted"]
    assert told["own"]["after"]["pairs"] == expected
    assert told["trained_on"] == IMAGES - expected


def test_constants_are_those_of_the_new_space_and_drafts_no_longer_ask_the_captioner(
    adapted: Bundle, bundle: Bundle
) -> None:
    assert adapted.score_scale != bundle.score_scale
    assert not adapted.draft_settings.captioner
    assert bundle.draft_settings.captioner


def test_the_archive_moves_to_it(adapted: Bundle, bundle: Bundle, filled: Path) -> None:
    reports = SearchOptions(filters=Filters(kinds=("report",)))
    with Archive.open(filled) as archive:
        with pytest.raises(UserError, match="another model"):
            search(archive, adapted, Query(text=report(3)))
        assert reindex(archive, adapted).complete
        assert search(archive, adapted, Query(text=report(3)), reports).hits
        assert search(archive, adapted, Query(image=gray(7, 5000)), reports).hits
        reindex(archive, bundle)  # other tests read the archive with the bundle that made it


def test_models_that_are_not_better_are_not_written_unless_forced(bundle: Bundle, filled: Path, tmp_path: Path) -> None:
    options = AdaptOptions(tmp_path / "same", recipe=replace(RECIPE, rate=0.0, steps=2), sample=NO_SAMPLE)
    with Archive.open(filled) as archive:
        result = adapt(archive, bundle, options)
        assert not result.written
        assert "neither recall@10 nor the gap is clearly better" in result.against[0]
        assert list(tmp_path.iterdir()) == []
        assert adapt(archive, bundle, replace(options, force=True)).written
    assert Bundle.open(tmp_path / "same").manifest["adapted"]["against"] == result.against


def test_a_cancelled_adaptation_leaves_nothing(bundle: Bundle, filled: Path, tmp_path: Path) -> None:
    steps: list[str] = []

    def stop_in_training() -> bool:
        return "Training" in steps

    with Archive.open(filled) as archive, pytest.raises(Cancelled):
        adapt(
            archive,
            bundle,
            AdaptOptions(tmp_path / "out", recipe=RECIPE, sample=NO_SAMPLE),
            lambda done, total, what: steps.append(what),
            stop_in_training,
        )
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_work_is_refused_before_anything_is_computed(
    bundle: Bundle, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with Archive.open(filled) as archive:
        with pytest.raises(UserError, match="is not a model bundle"):
            adapt(archive, bundle, AdaptOptions(tmp_path))
        monkeypatch.setattr(bundle, "heads", None)
        with pytest.raises(UserError, match="cannot be adapted"):
            adapt(archive, bundle, AdaptOptions(tmp_path / "out"))
    with Archive.create(tmp_path / "empty", bundle.id) as empty, pytest.raises(UserError, match="The archive has 0 im"):
        plan(empty)


def test_the_command_says_what_it_will_do_what_it_found_and_what_to_do_next(
    bundle: Bundle, filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    given = ["adapt", "--archive", str(filled), "--bundle", str(bundle.folder), "--out", str(out), "--force"]
    assert main([*given, "--limit", "250"]) == 0
    said = capsys.readouterr()
    assert "Learning from" in said.err
    assert "recall@10 image to text" in said.out
    assert f"kindred reindex --archive {filled} --bundle {out}" in said.out
    assert main([*given, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["bundle_id"] == Bundle.open(out).id
    assert document["others"]["before"]["pairs"] > 50
