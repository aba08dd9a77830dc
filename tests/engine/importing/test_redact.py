"""Text burned into images that are archived already is blacked out, once, and nothing of it is left."""

from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive
from engine.cli import main
from engine.cli.doctor import examine
from engine.errors import UserError
from engine.facts.fact import Fact
from engine.importing import redact as redacting
from engine.importing.importer import import_path
from engine.importing.redact import redact
from engine.importing.reindex import reindex
from engine.retrieval.search import Query, search
from engine.store.case import NewCase, NewImage
from tests.engine.models.test_burned_in import CT, KNEE, left, picture, written
from tests.engine.stores import everything_in

BURNED, INK = written(picture(CT), "MUELLER^ANNA", (20, 12))
PLAIN = picture(KNEE)


@pytest.fixture
def filled(archive: Archive, encoder) -> Archive:
    """Two images with text and one without, as an earlier version archived them."""
    for number, gray in enumerate((BURNED, PLAIN, BURNED)):
        image = NewImage(gray, encoder.embed_images([gray])[0], str(number))
        archive.add_case(NewCase(str(number), images=(image,)), encoder.id)
    archive.index.refresh(save=True)
    return archive


def test_images_and_vectors_are_replaced_and_the_old_ones_are_gone(filled: Archive, encoder) -> None:
    encoder.image_facts = {"region": Fact("chest", "models", 0.9)}
    before = filled._database.read("SELECT png FROM images WHERE id = 1")[0][0][60:600]
    result = redact(filled, encoder)
    assert (result.images, result.text_images, result.rejected) == (3, 2, [])
    assert result.text_boxes >= 2
    for image_id in (1, 3):
        assert left(filled.image(image_id), INK) == 0
    assert np.array_equal(filled.image(2), PLAIN)
    cleaned = filled.image(1)
    rows = filled._database.read("SELECT vector FROM embeddings WHERE image_id = 1")
    assert [np.frombuffer(row[0], "<f2").tolist() for row in rows] == [
        encoder.embed_images([cleaned])[0].astype("<f2").tolist()
    ]
    assert filled.facts_of([1, 2])[1]["region"].value == "chest"
    assert 2 not in filled.facts_of([1, 2])
    assert search(filled, encoder, Query(image=cleaned)).hits[0].why.startswith("Same image")
    assert filled.problems(deep=True) == []
    assert before not in everything_in(filled)


def test_each_image_is_checked_once_and_a_stopped_run_goes_on(
    filled: Archive, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redacting, "BATCH", 1)
    answers = iter((False, True))
    assert redact(filled, encoder, cancelled=lambda: next(answers)).images == 1
    assert filled.text_checks.missing() == 2
    assert redact(filled, encoder).images == 2
    assert redact(filled, encoder).images == 0


def test_an_unfinished_reindexing_embeds_a_replaced_image_again(filled: Archive, encoder) -> None:
    newer = type(encoder)(32, "newer")
    answers = iter((False, True, True, True))
    reindex(filled, newer, cancelled=lambda: next(answers))
    redact(filled, encoder)
    assert reindex(filled, newer).complete
    rows = filled._database.read("SELECT vector FROM embeddings WHERE image_id = 1")
    assert np.array_equal(np.frombuffer(rows[0][0], "<f2"), newer.embed_images([filled.image(1)])[0].astype("<f2"))


def test_a_damaged_image_is_listed_and_the_rest_is_checked(filled: Archive, encoder) -> None:
    with filled._database.write() as db:
        db.execute("UPDATE images SET png = ? WHERE id = 1", [bytes(99)])
    result = redact(filled, encoder)
    assert ([one.path for one in result.rejected], result.images) == (["image 1"], 2)


def test_other_models_are_refused(filled: Archive, encoder) -> None:
    with pytest.raises(UserError, match="another model"):
        redact(filled, type(encoder)(32, "newer"))


def test_nothing_is_replaced_when_another_process_re_indexes_meanwhile(filled: Archive, encoder) -> None:
    def cancelled() -> bool:  # asked after the models were compared, before the first batch
        reindex(filled, type(encoder)(32, "newer"))
        return False

    with pytest.raises(UserError, match="another model"):
        redact(filled, encoder, cancelled=cancelled)
    assert filled._database.read("SELECT DISTINCT bundle_id FROM embeddings") == [("newer",)]
    assert filled.text_checks.missing() == 3


@pytest.mark.parametrize("keep_text", [False, True])
def test_what_an_import_has_checked_is_not_checked_again(
    archive: Archive, encoder, dicom_folder: Path, keep_text: bool
) -> None:
    import_path(archive, encoder, dicom_folder, keep_text=keep_text)
    images = archive.stats()["images"]
    assert archive.text_checks.missing() == (images if keep_text else 0)
    archive.close()
    (check,) = (one for one in examine(archive=archive.place) if one.name == "burned-in text")
    assert (check.ok, check.note) == (True, keep_text)


@pytest.mark.folder
@pytest.mark.parametrize("checked", [False, True])
def test_a_read_only_archive_is_refused_as_that_before_anything_is_asked(
    filled: Archive,
    encoder,
    checked: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if checked:
        redact(filled, encoder)
    filled.close()
    monkeypatch.setattr("engine.store.folder.local_database.is_read_only", lambda path: path.name == "archive.db")
    with Archive.open(filled.place) as archive, pytest.raises(UserError, match="is read-only: it can be searched"):
        redact(archive, encoder)
    assert main.main(["redact", "--archive", str(filled.folder)]) == 2
    said = capsys.readouterr().err
    assert "is read-only: it can be searched but not changed" in said
    assert "This cannot be undone" not in said
