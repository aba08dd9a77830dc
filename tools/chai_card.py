"""Writes the model card of the starter bundle in CHAI's form, as a page and as XML: `python -m tools.chai_card`.

The form is the Applied Model Card of the Coalition for Health AI, schema 0.2 (https://mc.chai.org/v0.2/schema.xsd).
Its words are in chai_card.toml, every figure comes from the manifest of the bundle.
"""

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxml import etree

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "resources" / "starter-bundle"
WORDS = Path(__file__).with_suffix(".toml")
PAGE, XML = ROOT / "docs" / "chai-card.md", ROOT / "docs" / "static" / "chai-card.xml"
NAMESPACE = "https://mc.chai.org/v0.2/schema.xsd"
Card = dict[str, Any]
"""Elements of the schema in its order: a text, a list, or a dict of elements."""
Figure = dict[str, Any]
Results = list[tuple[str, Figure]]
FEWEST = 30
"""Held-out images of a kind below which its figure is left out."""


def figure(measured: Mapping[str, float], scale: float = 1.0, unit: str = "") -> Figure:
    """A figure with its 95 % interval, as the schema writes it."""
    digits = 1 if unit else 3
    value, low, high = (round(scale * measured[key], digits) for key in ("value", "low", "high"))
    return {"kind": "estimate_ci", "estimate": value, "lower": low, "upper": high, "level": 95, "unit": unit}


def single(value: float, unit: str = "") -> Figure:
    """A figure without an interval."""
    return {"kind": "single", "value": round(value, 1 if unit else 4), "unit": unit}


def card_of(manifest: Mapping[str, Any]) -> Card:
    """The card of a bundle."""
    sources = ", ".join(one["name"] for one in manifest["data_provenance"])
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    card: Card = _filled(words, {**manifest, "sources": sources}) | {"Bibliography": ""}
    for name, results in (
        ("UsefulnessUsabilityEfficacy", _usefulness(manifest)),
        ("FairnessEquity", _fairness(manifest)),
        ("SafetyReliability", _safety(manifest)),
    ):
        card["KeyMetrics"][name]["Results"] = results
    return card


def _filled(words: Any, values: Mapping[str, Any]) -> Any:
    """The words with the values of the manifest in place of their names, each text on one line."""
    if isinstance(words, dict):
        return {key: _filled(one, values) for key, one in words.items()}
    if isinstance(words, list):
        return [_filled(one, values) for one in words]
    return " ".join(words.format_map(values).split())


def _usefulness(manifest: Mapping[str, Any]) -> Results:
    found, chance = manifest["metrics"], manifest["evaluation"]["chance"]
    return [
        ("Own report among the first 10, asked by the image", figure(found["recall@10_image_to_text"], 100, "%")),
        ("Own image among the first 10, asked by the report", figure(found["recall@10_text_to_image"], 100, "%")),
        ("The same by chance", single(100 * chance["recall@10_image_to_text"], "%")),
        ("Same modality among the first 5", figure(found["modality@5"], 100, "%")),
        ("Same region among the first 5", figure(found["region@5"], 100, "%")),
        ("Same findings among the first 5, abnormal images", figure(found["findings@5_image_abnormal"])),
        ("Modality gap over its floor (0 is none)", figure(found["gap_over_floor"])),
    ]


def _fairness(manifest: Mapping[str, Any]) -> Results:
    return [
        (f"{name}: modality recognized rightly ({one['images']} images)", single(100 * one["recall"], "%"))
        for name, one in manifest["fact_heads"]["val"]["modality"]["classes"].items()
        if one["images"] >= FEWEST
    ]


def _safety(manifest: Mapping[str, Any]) -> Results:
    known, texts, parity = manifest["familiarity"], manifest["captioner"]["metrics"], manifest["parity"]["int8"]
    unfamiliar = 100 * known["held_out_unfamiliar"] / known["held_out_pictures"]
    return [
        ("Held-out images told as unfamiliar", single(unfamiliar, "%")),
        ("Decoded texts with 8 or more words of a training text", single(100 * texts["copying_8_words"], "%")),
        ("Clinical terms of decoded texts, F1", figure(texts["captioner"]["term_f1"], unit="%")),
        ("The same of the nearest report", figure(texts["nearest_report"]["term_f1"], unit="%")),
        ("Least cosine of 8-bit and trained image vectors", single(parity["image"]["lowest_cosine"])),
        ("Least cosine of 8-bit and trained text vectors", single(parity["text"]["lowest_cosine"])),
    ]


def _title(name: str) -> str:
    """The name of an element as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).capitalize().replace("Ai ", "AI ")


def page(card: Card) -> str:
    """The card as Markdown."""
    lines = [
        "<!-- Written by `python -m tools.chai_card` from the manifest of the starter bundle. -->\n",
        "# Model card in CHAI's form\n",
        "The starter bundle in the form of the Applied Model Card of the Coalition for Health AI (schema 0.2).\n"
        "Every figure is that of the bundle's manifest; [our own model card](model-card.md) has more. The card is\n"
        "also [an XML file](static/chai-card.xml). CHAI has not reviewed it.\n",
    ]
    for name, content in card.items():
        if content:
            lines += _section(name, content, 2)
    return "\n".join(lines)


def _section(name: str, content: Card, level: int) -> list[str]:
    lines = [f"{'#' * level} {_title(name)}\n"]
    rows = [(key, value) for key, value in content.items() if not isinstance(value, dict)]
    if rows:
        lines.append("| | |\n|---|---|")
        lines += [f"| {_title(key)} | {_shown(value)} |" for key, value in rows]
        lines.append("")
    for key, value in content.items():
        lines += _section(key, value, level + 1) if isinstance(value, dict) else []
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value[0], str):
        return ", ".join(value)
    return "<br>".join(f"{label}: **{_number(one)}**" for label, one in value)


def _number(one: Figure) -> str:
    unit = f" {one['unit']}" if one["unit"] else ""
    if one["kind"] == "single":
        return f"{one['value']:g}{unit}"
    return f"{one['estimate']:g}{unit} ({one['lower']:g} to {one['upper']:g})"


def xml(card: Card) -> bytes:
    """The card as an instance of the schema."""
    root = etree.Element("AppliedModelCard", nsmap={None: NAMESPACE})
    _fill(root, card)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _fill(parent: Any, content: Card) -> None:
    for name, value in content.items():
        element = etree.SubElement(parent, name)
        if isinstance(value, dict):
            _fill(element, value)
        elif isinstance(value, str):
            element.text = value
        elif isinstance(value[0], str):
            for one in value:
                etree.SubElement(element, "Keyword").text = one
        else:
            for label, one in value:
                _fill(etree.SubElement(element, "MetricResult"), {"Label": label, "ValueJson": json.dumps(one)})


def main() -> int:
    """Write the page and the XML."""
    card = card_of(json.loads((BUNDLE / "manifest.json").read_text(encoding="utf-8")))
    PAGE.write_text(page(card), encoding="utf-8")
    XML.write_bytes(xml(card))
    return 0


if __name__ == "__main__":
    sys.exit(main())
