"""Unselected examples: the first images with a report, in file order."""

import csv
from pathlib import Path

import pytest

from engine.errors import UserError
from training.commands import caption_examples


def archive(folder: Path) -> Path:
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "text", "licence"])
        for number in range(6):
            writer.writerow(
                [f"images/{number}.jpg", "" if number % 2 else f"Report {number}\n of a | patient.", "CC BY"]
            )
    return folder


def test_examples_are_the_first_rows_with_a_report_in_file_order(tmp_path: Path) -> None:
    found = caption_examples.first(archive(tmp_path), 2)
    assert [one.path for one in found] == [tmp_path / "images/0.jpg", tmp_path / "images/2.jpg"]
    assert found[1].report == "Report 2 of a | patient."


def test_each_example_names_its_licence_and_every_captioner(tmp_path: Path) -> None:
    shown = caption_examples.first(archive(tmp_path))
    text = caption_examples.section(shown, {"texts only": ["A.", "B.", "C."], "pairs": ["D.", "E.", "F."]}, {})
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines[0] == "| image | report | texts only | pairs |"
    assert lines[3] == "| 2.jpg (CC BY) | Report 2 of a / patient. | B. | E. |"
    assert len(lines) == 2 + 3


def test_an_example_whose_report_was_trained_on_is_marked(tmp_path: Path) -> None:
    shown = caption_examples.first(archive(tmp_path))
    known = {"†": {"Report 2 of a | patient."}, "‡": set[str]()}
    text = caption_examples.section(shown, {"both": ["A.", "B.", "C."]}, known)
    assert "| 2.jpg (CC BY) † | Report 2 of a / patient. | B. |" in text.splitlines()
    assert text.count("CC BY) †") == 1
    assert "† (1): of pairs/pairs.csv; ‡ (0): of pairs-more/pairs.csv" in text


def test_only_train_rows_are_marked(tmp_path: Path) -> None:
    for name in caption_examples.MANIFESTS.values():
        (tmp_path / name).parent.mkdir()
        rows = "image,text,split,patient_id,split_group\na.png,Clear.,train,p1,g1\nb.png,Effusion.,val,p2,g2\n"
        (tmp_path / name).write_text(rows)
    assert caption_examples.known_texts(tmp_path) == {mark: {"Clear."} for mark in "†‡§"}


def test_a_folder_without_cases_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="give the sample archive"):
        caption_examples.first(tmp_path)
