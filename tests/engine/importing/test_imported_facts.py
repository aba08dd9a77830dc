"""An imported or signed case carries its facts: from header, columns and words, else from the models."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.facts.fact import Fact, values_of
from engine.importing.importer import import_path
from engine.importing.reindex import reindex
from engine.reports.outbox import DisplayedFrame, archive_signed, submission_for
from engine.reports.stored_report import ReportFacts, Submission
from engine.retrieval.search import Query, search


def test_a_signed_report_becomes_a_de_identified_case(archive: Archive, encoder, make_picture: Callable) -> None:
    facts = ReportFacts("CR", patient="HOSP-1", identifiers=("Quix^Otto",))
    submission = Submission(facts, make_picture(1))
    case_id = archive_signed(archive, encoder, "1.2.3", "Otto has a normal chest.", submission)
    case = archive.case(case_id)
    assert case.report is not None
    assert (case.report.text, case.report.state) == ("[name] has a normal chest.", "signed")
    assert len(case.images) == 1
    assert archive_signed(archive, encoder, "1.2.3", "Better words.", Submission()) == case_id
    replaced = archive.case(case_id).report
    assert replaced is not None
    assert replaced.text == "Better words."
    with pytest.raises(UserError, match="empty"):
        archive_signed(archive, encoder, "1.2.4", "  ", Submission())


def test_cases_get_the_facts_of_their_header_or_columns_and_of_their_words(
    archive: Archive, encoder, dicom_folder: Path, image_folder: Path
) -> None:
    import_path(archive, encoder, dicom_folder)
    import_path(archive, encoder, image_folder)
    found = {archive.case(case_id).description: archive.case(case_id).facts for case_id in archive.case_ids()}
    assert {kind: (one.value, one.source) for kind, one in found["e+1"].items()} == {
        "modality": ("CT", "header"),
        "view": ("axial", "header"),
        "contrast": ("with", "header"),
    }
    assert {kind: (one.value, one.source) for kind, one in archive.case(3).facts.items()} == {
        "modality": ("CR", "header"),
        "view": ("frontal", "header"),
        "laterality": ("left", "words"),
    }


def test_a_hit_says_modality_region_and_facts(archive: Archive, encoder, tmp_path: Path) -> None:
    reports = tmp_path / "reports.csv"
    reports.write_text("text\nUltrasound of the left kidney.\n")
    import_path(archive, encoder, reports)
    hit = search(archive, encoder, Query(text="kidney")).hits[0].as_dict()
    assert (hit["modality"], hit["region"], hit["image_id"]) == ("US", "abdomen", None)
    assert hit["facts"]["laterality"] == {"value": "left", "source": "words", "probability": 1.0}


def test_a_signed_report_is_archived_with_the_facts_of_the_displayed_frame(
    archive: Archive, encoder, dicom_folder: Path, make_picture: Callable
) -> None:
    study = open_path(dicom_folder / "CT_small.dcm").studies[0]
    displayed = DisplayedFrame(study.series[0], study.series[0].frames[0], make_picture(1))
    case = archive.case(archive_signed(archive, encoder, study.uid, "Normal liver.", submission_for(study, displayed)))
    assert values_of(case.facts) == {"modality": "CT", "region": "abdomen", "view": "axial", "contrast": "with"}


def test_the_models_are_asked_about_images_of_which_neither_header_nor_words_say_enough(
    archive: Archive, encoder, image_folder: Path
) -> None:
    encoder.image_facts = {"region": Fact("chest", "models", 0.8), "modality": Fact("MR", "models", 0.9)}
    import_path(archive, encoder, image_folder)
    assert archive.case(1).facts["region"] == Fact("chest", "models", 0.8)
    assert archive.case(1).facts["modality"] == Fact("CR", "header")
    assert "models" not in {fact.source for fact in archive.case(3).facts.values()}


def test_newer_models_are_asked_again_and_change_nothing_that_header_and_words_say(
    archive: Archive, encoder, image_folder: Path
) -> None:
    encoder.image_facts = {"region": Fact("chest", "models", 0.8), "contrast": Fact("with", "models", 0.9)}
    import_path(archive, encoder, image_folder)
    before = {case_id: archive.case(case_id).facts for case_id in archive.case_ids()}
    newer = type(encoder)(32, "newer")
    newer.image_facts = {"region": Fact("limb", "models", 0.9), "modality": Fact("MR", "models", 0.9)}
    reindex(archive, newer)
    assert archive.case(1).facts["region"] == Fact("limb", "models", 0.9)
    assert "contrast" not in archive.case(1).facts
    for case_id, facts in before.items():
        said = {kind: fact for kind, fact in facts.items() if fact.source != "models"}
        assert archive.case(case_id).facts | said == archive.case(case_id).facts
