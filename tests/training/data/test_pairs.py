"""Reading pairs, and augmented views of their images."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import UserError
from engine.image.picture import load_picture
from tests.paths import DATA
from training.data.pairs import corpus, read_gray, read_manifest, read_pairs, with_training_pairs

FIXTURES = DATA / "pairs"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    shutil.copytree(FIXTURES, tmp_path / "pairs")
    return tmp_path / "pairs" / "pairs.csv"


def change(manifest: Path, row: int, **values: str) -> None:
    """Change one row of a copied manifest."""
    with manifest.open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    lines[row].update(values)
    with manifest.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def test_a_manifest_has_images_texts_and_splits() -> None:
    pairs = read_pairs([FIXTURES / "pairs.csv"])
    assert pairs.rejected == []
    assert len(pairs.rows) == len(pairs.images) == 8
    assert len(pairs.split("train").rows) == 6
    assert len(pairs.split("val").images) == 2
    assert all(image.dtype == np.uint8 and image.ndim == 2 for image in pairs.images)
    assert pairs.rows[0].values["modality"] == "US"


def test_several_manifests_are_read_together(manifest: Path) -> None:
    other = manifest.with_name("other.csv")
    lines = manifest.read_text().splitlines()
    other.write_text("\n".join([lines[0], lines[1]]) + "\n")
    assert len(read_pairs([manifest, other]).rows) == 9


@pytest.mark.parametrize("stream", [False, True])
def test_more_pairs_are_trained_on_but_not_evaluated_on(manifest: Path, stream: bool) -> None:
    for row in range(8):
        change(manifest, row, patient_id=f"other-{row}", split_group=f"other-{row}")
    pairs = read_pairs([FIXTURES / "pairs.csv"], stream)
    both = with_training_pairs(pairs, [manifest], stream)
    assert [len(both.split(name).rows) for name in ("train", "val")] == [12, 2]
    assert np.array_equal(both.split("train").images[6], both.split("train").images[0])
    assert with_training_pairs(pairs, []) is pairs


def test_more_pairs_of_a_patient_of_val_are_refused(manifest: Path) -> None:
    pairs = read_pairs([manifest])
    held_out = pairs.split("val").rows[0].patient
    more = manifest.with_name("more.csv")
    shutil.copy(manifest, more)
    change(more, 0, patient_id=held_out)
    with pytest.raises(UserError, match=held_out):
        with_training_pairs(pairs, [more])


def test_bad_rows_are_rejected_with_a_reason_and_the_others_are_read(manifest: Path) -> None:
    change(manifest, 0, image="images/nowhere.jpg")
    change(manifest, 1, text="  ")
    (manifest.parent / "images" / "breast_174.jpg").write_bytes(b"not an image")
    pairs = read_pairs([manifest])
    assert len(pairs.rows) == 5
    reasons = {Path(refused.path).name: refused.reason for refused in pairs.rejected}
    assert "missing" in reasons["pairs.csv:2"]
    assert "empty" in reasons["pairs.csv:3"]
    assert "unreadable" in reasons["pairs.csv:4"]


def test_a_csv_from_a_spreadsheet_is_read_whatever_it_puts_around_the_cells(manifest: Path) -> None:
    header, first, *_ = manifest.read_text().splitlines()
    manifest.write_text(f"{header.replace(',', ', ')}\n{first.replace(',train,', ', train ,')}\n", "utf-8-sig")
    assert read_pairs([manifest]).split("train").rows[0].patient == read_pairs([FIXTURES / "pairs.csv"]).rows[0].patient


@pytest.mark.parametrize("content", ["text\nhéart\n".encode("latin-1"), b"text\n" + b"a" * 200_000 + b"\n"])
def test_a_file_that_is_not_csv_in_utf_8_is_a_user_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    for read in (read_manifest, corpus):
        with pytest.raises(UserError, match=r"bad\.csv is not a CSV file in UTF-8 .*; save it as one"):
            read(tmp_path / "bad.csv")


def test_rows_that_lack_a_cell_or_name_another_split_are_listed_by_their_line(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "images", tmp_path / "images")
    image = next((tmp_path / "images").iterdir()).name
    rows = [
        "image,text,split,patient_id,split_group",
        f"images/{image},good,train,p1,p1",
        f'images/{image},"two\nlines",train,p1,p1',
        f"images/{image},no patient,train,,p2",
        f"images/{image},no group,train,p3,",
        ",no image,train,p4,p4",
        f"images/{image},capital,Train,p5,p5",
        f"images/{image},short",
        f"images/{image},long,val,p6,p6,more,cells",
    ]
    (tmp_path / "pairs.csv").write_text("\n".join(rows) + "\n")
    pairs = read_pairs([tmp_path / "pairs.csv"])
    assert [row.text for row in pairs.rows] == ["good", "two lines", "long"]
    assert [(Path(refused.path).name, refused.reason) for refused in pairs.rejected] == [
        ("pairs.csv:5", "The patient_id is empty."),
        ("pairs.csv:6", "The split_group is empty."),
        ("pairs.csv:7", "The image is empty."),
        ("pairs.csv:8", "The split 'Train' is not one of train, val, test."),
        ("pairs.csv:9", "The split is empty."),
    ]


@pytest.mark.parametrize("brightest", [255, 1023, 4095, 65535])
def test_16_bit_images_are_rendered_as_in_the_application(tmp_path: Path, brightest: int) -> None:
    ramp = np.linspace(0, brightest, 64).astype(np.uint16)[None].repeat(4, 0)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert np.array_equal(read_gray(tmp_path / "deep.png"), load_picture(tmp_path / "deep.png").gray)


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 70_000, 64, dtype=np.int32),
        np.linspace(0, 1, 64, dtype=np.float32),
        np.linspace(-1000, 3000, 64, dtype=np.int32),
    ],
)
def test_values_without_a_window_are_refused(manifest: Path, values: np.ndarray) -> None:
    Image.fromarray(values[None].repeat(4, 0)).save(manifest.with_name("deep.tif"))
    change(manifest, 0, image="deep.tif")
    pairs = read_pairs([manifest])
    assert len(pairs.rows) == 7
    assert "export it with 8 bits. (deep.tif)" in pairs.rejected[0].reason
    with pytest.raises(UserError, match=r"deep\.tif.* export it with 8 bits"):
        list(read_pairs([manifest], stream=True).images)


@pytest.mark.parametrize("column", ["patient_id", "split_group"])
def test_a_patient_in_two_splits_is_refused_by_name(manifest: Path, column: str) -> None:
    change(manifest, 0, **{column: "shared-one"})
    change(manifest, 7, **{column: "shared-one"})
    with pytest.raises(UserError, match="shared-one"):
        read_pairs([manifest])


def test_a_missing_manifest_or_column_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--data"):
        read_pairs([tmp_path / "none.csv"])
    (tmp_path / "short.csv").write_text("image,text\na.jpg,words\n")
    with pytest.raises(UserError, match="split, patient_id, split_group"):
        read_pairs([tmp_path / "short.csv"])


def test_an_absent_split_is_refused() -> None:
    with pytest.raises(UserError, match="'test'"):
        read_pairs([FIXTURES / "pairs.csv"]).split("test")


def test_the_wording_of_validation_rows_of_a_text_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "reports.csv"
    path.write_text("findings,impression,use\nA nodule.,,train\nAn effusion.,Effusion.,val\n,Normal.,\n")
    assert corpus(path) == ["A nodule.", "Normal."]
