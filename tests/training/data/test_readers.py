"""Public layouts as rows of a pairs CSV, on folders of the same shape.

The images are the breast ultrasounds of the repository; every caption and report here was WRITTEN FOR THIS TEST and
describes none of them.
"""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import UserError
from tests.paths import DATA
from training import __main__ as command
from training.data import readers
from training.data.pairs import read_pairs

IMAGE = DATA / "pairs/images/breast_013.jpg"


def put_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(IMAGE, path)


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def put_roco(root: Path) -> Path:
    """Three splits; paper PMC1 has a figure in train and one in validation, PMC3 in validation and test."""
    figures = {
        "train": [("ROCO_00001", "PMC1_a.jpg"), ("ROCO_00002", "PMC2_b.jpg")],
        "validation": [("ROCO_00003", "PMC1_c.jpg"), ("ROCO_00004", "PMC3_d.jpg")],
        "test": [("ROCO_00005", "PMC3_e.jpg")],
    }
    for split, named in figures.items():
        radiology = root / split / "radiology"
        put(radiology / "captions.txt", "".join(f"{name}\t Written for  a test: {name}.\n" for name, _ in named))
        put(radiology / "licences.txt", "ROCO_ID,PMC_ID,CC\n" + "".join(f"{n},{f},CC BY\n" for n, f in named))
        for name, figure in named:
            put_image(radiology / "images" / (figure if name == "ROCO_00002" else f"{name}.jpg"))
    return root


def put_rocov2(root: Path) -> Path:
    for split, images in (("train", "train_images/train"), ("valid", "valid"), ("test", "test_images")):
        name = f"ROCOv2_2023_{split}_000001"
        put(root / f"{split}_captions.csv", f'ID,Caption\n{name},"Written for a test, with a comma.\nAnd a line."\n')
        put_image(root / images / f"{name}.jpg")
    put(root / "license_information.csv", "ID , PMCID, Attribution\nROCOv2_2023_train_000001,PMC7,CC BY [Who et al.]\n")
    return root


def put_r2gen(root: Path) -> Path:
    def entry(name: str, *paths: str, report: str = "Written for a test. Lungs clear.") -> dict[str, object]:
        return {"id": name, "report": report, "image_path": list(paths)}

    content = {
        "train": [
            entry("CXR10_IM-0001", "CXR10_IM-0001/0.png", "CXR10_IM-0001/1.png"),
            entry("CXR11_IM-0002-1001", "CXR11_IM-0002-1001/0.png"),
        ],
        "val": [entry("CXR12_IM-0003", "CXR12_IM-0003/0.png"), entry("CXR13_IM-0004")],
        "test": [entry("CXR14_IM-0005", "CXR14_IM-0005/0.png", report="")],
    }
    put(root / "annotation.json", json.dumps(content))
    for name in ("CXR10_IM-0001/0", "CXR10_IM-0001/1", "CXR11_IM-0002-1001/0", "CXR12_IM-0003/0", "CXR14_IM-0005/0"):
        put_image(root / "images" / f"{name}.png")
    return root


def put_medpix(root: Path) -> Path:
    def line(case: str, number: int, caption: str) -> str:
        described = {"Age": "73", "Caption": caption, "Figure Part": None, "Plane": "Axial", "Sex": "male"}
        content = {"Type": "CT", "U_id": case, "image": f"{case}_synpic{number}", "Description": described}
        return json.dumps({**content, "Location": "Left Blank", "Location Category": "Thorax"}) + "\n"

    def case(name: str) -> str:
        fields = {"Title": "Made-up Disease", "History": "Written for a test.", "Exam": "N/A", "Findings": "N/A"}
        return json.dumps({"U_id": name, "Case": {**fields, "Case Diagnosis": "Made-up Disease"}}) + "\n"

    splits = root / "splitted_dataset"
    put(splits / "descriptions_train_1.jsonl", line("MPX1", 1, "Written for a\u2028test.") + "{broken\n")
    put(splits / "descriptions_train_2.jsonl", line("MPX2", 2, "Replace this - DESCRIPTION OF THE IMAGE OR FINDINGS."))
    put(splits / "data_train.jsonl", case("MPX1") + case("MPX2"))
    put(splits / "descriptions_dev.jsonl", line("MPX3", 3, "Written for a test."))
    put(splits / "data_dev.jsonl", case("MPX3"))
    for name in ("MPX1_synpic1", "MPX2_synpic2", "MPX3_synpic3"):
        put_image(root / "images" / f"{name}.png")
    return root


def by_split(found: readers.DatasetRows) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for row in found.rows:
        splits.setdefault(row["split"], []).append(Path(row["image"]).stem)
    return splits


@pytest.mark.parametrize("below", ["", "all_data", "data"])
def test_roco_keeps_the_figures_of_a_paper_together(tmp_path: Path, below: str) -> None:
    put_roco(tmp_path / below)
    found = readers.read(tmp_path)
    assert by_split(found) == {"train": ["PMC2_b"], "val": ["ROCO_00003"], "test": ["ROCO_00005"]}
    assert {refused.reason for refused in found.rejected} == {
        "Another figure of its paper is in the split val.",
        "Another figure of its paper is in the split test.",
    }
    row = found.rows[0]
    assert row["text"] == "Written for a test: ROCO_00002."
    assert (row["patient_id"], row["licence"], row["source"]) == ("roco-PMC2", "CC BY", "ROCO")
    assert row["url"].endswith("/PMC2/")


def test_roco_as_published_keeps_every_figure(tmp_path: Path) -> None:
    found = readers.read(put_roco(tmp_path), as_published=True)
    assert [len(names) for names in by_split(found).values()] == [2, 2, 1]
    assert found.rejected == []
    assert len({row["patient_id"] for row in found.rows}) == 5


def test_a_line_of_roco_without_a_tab_is_listed(tmp_path: Path) -> None:
    put_roco(tmp_path)
    captions = tmp_path / "train/radiology/captions.txt"
    captions.write_text(captions.read_text() + "\nROCO_00009 no tab\n")
    found = readers.read(tmp_path)
    assert [r.reason for r in found.rejected if r.path.endswith("captions.txt:4")] == [
        "The line has no tab between name and caption."
    ]


def test_rocov2_finds_its_images_in_either_folder_and_its_papers(tmp_path: Path) -> None:
    found = readers.read(put_rocov2(tmp_path))
    assert [row["split"] for row in found.rows] == ["train", "val", "test"]
    assert all((tmp_path / row["image"]).is_file() for row in found.rows)
    assert found.rows[0]["patient_id"] == "roco-PMC7"
    assert found.rows[0]["licence"] == "CC BY [Who et al.]"
    assert found.rows[0]["text"] == "Written for a test, with a comma. And a line."
    assert found.rows[1]["patient_id"] == "roco-ROCOv2_2023_valid_000001"


def test_every_image_of_a_report_is_a_row_of_its_patient(tmp_path: Path) -> None:
    found = readers.read(put_r2gen(tmp_path))
    assert [row["image"] for row in found.rows[:2]] == ["images/CXR10_IM-0001/0.png", "images/CXR10_IM-0001/1.png"]
    assert [row["patient_id"] for row in found.rows] == ["iu-CXR10"] * 2 + ["iu-CXR11", "iu-CXR12", "iu-CXR14"]
    assert [refused.reason for refused in found.rejected] == ["The entry has no id or no image_path."]


def test_medpix_rows_have_their_case_and_no_unfilled_form(tmp_path: Path) -> None:
    found = readers.read(put_medpix(tmp_path))
    assert by_split(found) == {"train": ["MPX1_synpic1"], "val": ["MPX3_synpic3"]}
    row = found.rows[0]
    assert row["text"] == "Written for a test."
    assert (row["modality"], row["view"], row["age"], row["sex"]) == ("CT", "Axial", "73", "male")
    assert (row["finding"], row["history"], row["case_findings"]) == ("Made-up Disease", "Written for a test.", "")
    assert (row["location"], row["patient_id"]) == ("", "medpix-MPX1")
    assert [refused.reason for refused in found.rejected] == [
        "The line is not a JSON object.",
        "The caption is the instruction of the form; it was not filled in.",
    ]


def test_a_whole_train_file_of_medpix_is_read_instead_of_its_halves(tmp_path: Path) -> None:
    splits = put_medpix(tmp_path) / "splitted_dataset"
    shutil.copyfile(splits / "descriptions_dev.jsonl", splits / "descriptions_train.jsonl")
    found = readers.read(tmp_path)
    assert by_split(found)["train"] == ["MPX3_synpic3"]
    with pytest.raises(UserError, match="more than one split"):
        read_pairs([tmp_path])


@pytest.mark.parametrize("put_layout", [put_roco, put_rocov2, put_r2gen, put_medpix])
@pytest.mark.parametrize("stream", [False, True])
def test_a_folder_is_a_manifest_like_a_csv(tmp_path: Path, put_layout: Callable[[Path], Path], stream: bool) -> None:
    pairs = read_pairs([put_layout(tmp_path)], stream)
    assert len(pairs.rows) == len(pairs.images) > 1
    assert pairs.split("train").images[0].ndim == 2
    assert all(row.path.is_file() and row.text for row in pairs.rows)


def test_the_command_writes_a_csv_for_training_and_a_list_of_rejected_files(tmp_path: Path) -> None:
    root = put_r2gen(tmp_path / "iu")
    (root / "images/CXR11_IM-0002-1001/0.png").write_bytes(IMAGE.read_bytes()[:900])  # its header is whole
    out = tmp_path / "csv" / "pairs.csv"
    assert command.main(["pairs", "--root", str(root), "--out", str(out), "--layout", "r2gen"]) == 0
    pairs = read_pairs([out])
    assert [row.patient for row in pairs.rows] == ["iu-CXR10", "iu-CXR10", "iu-CXR12"]
    assert pairs.rejected == []
    with out.with_suffix(".rejected.csv").open() as stream:
        reasons = [line["reason"] for line in csv.DictReader(stream)]
    assert reasons == [
        "The entry has no id or no image_path.",
        "The image is unreadable.",
        "The text is empty.",
    ]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("annotation.json", "{", "not valid JSON"),
        ("annotation.json", '["train"]', "not contain a JSON object"),
        ("annotation.json", '{"images": []}', "lists named train, val and test"),
        ("train_captions.csv", "Name,Text\n", "no column 'ID'"),
        ("notes.txt", "nothing", "known layout"),
    ],
)
def test_a_folder_without_a_known_layout_is_a_user_error(
    tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    put(tmp_path / name, content)
    with pytest.raises(UserError, match=sentence):
        readers.read(tmp_path)


def test_a_layout_that_does_not_match_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="looks like rocov2"):
        readers.read(put_rocov2(tmp_path), "medpix")


def test_a_damaged_streamed_image_is_named(tmp_path: Path) -> None:
    root = put_r2gen(tmp_path)
    (root / "images/CXR12_IM-0003/0.png").write_bytes(IMAGE.read_bytes()[:900])
    images = read_pairs([root], stream=True).split("val").images
    with pytest.raises(UserError, match=r"CXR12_IM-0003/0\.png cannot be decoded"):
        images[0]
