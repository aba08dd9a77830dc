"""A card tells of its own data: what is known of one set is not said of another."""

import json
from typing import Any

from engine.resources import resource_path
from export import bundle_writer, model_card

SHIPPED = resource_path("starter-bundle")


def told(name: str, rows: int, *licences: str, used_for: str = "image and text towers") -> dict[str, Any]:
    return {"name": name, "rows": rows, "used_for": used_for, "licences": list(licences)}


def test_the_shipped_card_is_what_its_manifest_says() -> None:
    content = json.loads((SHIPPED / "manifest.json").read_text("utf-8"))
    card = (SHIPPED / "MODEL_CARD.md").read_text("utf-8")
    command = card.partition("\n\n    ")[2].partition("\n\n## ")[0]
    assert model_card.card(content, command) == card
    assert model_card.licence(content["data_provenance"]) == content["licence"]


def test_limits_of_other_data_are_its_numbers_and_what_holds_for_any() -> None:
    counts = {"pictures": 65_000, "texts": 60_000, "patients": 30_000}
    first, *rest = model_card.limits({"data_provenance": [told("ROCO", 65_000)], "learned_from": counts})
    assert "65,000 images of 30,000 patients with 60,000 different texts" in first
    assert rest == list(model_card.LIMITS)
    assert model_card.limits({"data_provenance": [told("ROCO", 65_000)]}) == list(model_card.LIMITS)


def test_limits_of_the_data_before_are_not_those_of_an_adapted_bundle() -> None:
    content = json.loads((SHIPPED / "manifest.json").read_text("utf-8"))
    content |= {"adapted": {}, "data_provenance": [*content["data_provenance"], told("own archive", 9_000)]}
    lines = model_card.limits(content)
    learned = content["learned_from"]
    assert f"{learned['pictures']:,} images of {learned['patients']:,} patients with" in lines[0]
    assert f"{learned['texts']:,} different texts before it was adapted" in lines[0]
    assert "COVID" not in " ".join(lines)


def test_teaching_cases_alone_are_not_told_as_patients_of_covid() -> None:
    lines = model_card.limits({"data_provenance": [told("MedPix-2.0", 9), told("x", 9, used_for="captioner")]})
    assert lines[0] == "CT and MR are teaching cases, so rare diseases are over-represented."


def test_weights_are_called_non_commercial_because_of_the_data_only_where_most_of_it_is() -> None:
    some, more = told("A", 10, "CC BY"), told("B", 11, "CC BY", "CC BY-NC-ND 4.0")
    assert "non-commercial, because most of the training data is" in model_card.licence([some, more])
    for sources in ([some], [some, told("B", 9, "treat as non-commercial")], [told("C", 1, "not stated")]):
        assert "within the licences of their training data" in model_card.licence(sources)


def test_a_card_names_no_folder_of_the_machine_that_made_it() -> None:
    argv = [
        "runs/a/best.pt",
        "--data",
        "/home/ada/data",
        "--baselines",
        "CLIP=/home/ada/runs/b.pt",
        "--out",
        "my bundle",
    ]
    told = bundle_writer.told_command("export", argv)
    assert told == "python -m export runs/a/best.pt --data data --baselines CLIP=b.pt --out 'my bundle'"
