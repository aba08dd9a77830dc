"""MRRT templates are read with their fields and rules, and written so that they are read back the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.reports.checks.check import Known
from engine.reports.checks.run import checks
from engine.reports.document import Document
from engine.reports.templates.mrrt import read_template, write_template
from engine.reports.templates.notation import notation_of, parts_of
from engine.reports.templates.template import Field, Template, with_template

FOREIGN = b"""<!DOCTYPE html><html><head><title>CT Abdomen</title><meta charset="UTF-8"/>
<meta name="dcterms.title" content="CT AbdPel - Appendicitis"/>
<meta name="dcterms.description" content="Generic Abdomen Pelvis CT"/>
<script type="text/xml"><template_attributes><coded_content></coded_content></template_attributes></script></head>
<body><section id="a" class="level1" data-section-name="Procedure"><header class="level1">Procedure</header>
<p title=""><label for="C1">Technique:</label><span id="C1" name="" data-field-type="CHECKBOX"
data-field-completion-action="PROHIBIT"><br/><input type="checkbox" value="With contrast." checked="">With contrast.
</input><input type="checkbox" value="Without contrast.">Without contrast.</input></span></p></section>
<section data-section-name="Clinical Information"><header>Clinical Information</header>
<p><label for="S1">Indication:</label><input list="L" id="S1" data-field-type="SELECTION_LIST"
data-field-completion-action="ALERT" value=""/><datalist id="L"><option value="Pain."></option>
<option value="Fever."></option></datalist></p></section>
<section data-section-name="Findings"><header>Findings</header>
<table><tr><td><label for="n">Size</label></td><td><input id="n" type="text" data-field-type="NUMBER"/> mm</td></tr>
</table><p><textarea id="f" name="" data-field-type="TEXTAREA">Normal.</textarea></p></section></body></html>"""
"""Built like the templates of RadReport: labels, a checkbox group, a data list, a table, a text area."""


def test_a_foreign_template_keeps_sections_fields_types_choices_and_rules() -> None:
    template = read_template(FOREIGN)
    assert (template.name, template.modality, template.region) == ("CT AbdPel - Appendicitis", "CT", "abdomen")
    assert notation_of(template.parts) == (
        "Procedure:\nTechnique: [Technique!: With contrast.|Without contrast.=With contrast.]\n\n"
        "Clinical Information:\nIndication: [Indication: Pain.|Fever.]\n\n"
        "Findings:\nSize [Size #?] mm\n[Findings?=Normal.]"
    )


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"<", b"plain text", b"<html></html>", b"<html>" + b"x" * 1_000_001),
        *(b"<html><body>" + b"<p>a</p>" * 30_000, b"<html><body>" + b"<input>" * 600),
    ],
)
def test_what_is_no_template_is_refused(data: bytes) -> None:
    with pytest.raises(UserError):
        read_template(data)


def test_nothing_is_fetched_or_run_from_a_template() -> None:
    hostile = (
        b'<!DOCTYPE html SYSTEM "http://example.invalid/x.dtd"><html><body>'
        b'<script>alert(1)</script><img src="http://example.invalid/x.png"><p>Lungs: <input title="Lungs"></p>'
        b"</body></html>"
    )
    assert notation_of(read_template(hostile).parts) == "Lungs: [Lungs?]"


def test_the_notation_of_own_templates_is_understood() -> None:
    assert parts_of("A [Size #!] mm [Side: left|right=left] [sic] [Note?] [] end") == (
        "A ",
        Field("Size", "number", "required"),
        " mm ",
        Field("Side", "choice", "warn", "left", ("left", "right")),
        " ",
        Field("sic", "text", "warn"),
        " ",
        Field("Note", "text", "free"),
        " [] end",
    )


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=8)
FIELDS = st.builds(
    Field, WORDS, st.just("text"), st.sampled_from(["required", "warn", "free"]), st.one_of(st.just(""), WORDS)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORDS, FIELDS), min_size=1, max_size=6), st.sampled_from(["CT", ""]))
def test_what_is_written_is_read_back(rows: list[tuple[str, Field]], modality: str) -> None:
    parts: list[str | Field] = []
    for number, (label, field) in enumerate(rows):
        parts += [f"{chr(10) * (number % 3) if number else ''}{label}: ", field]
        if number % 3 == 0 and number:
            parts[-2] = f"\n{label}: "
    template = Template("A name", tuple(parts), modality, "chest" if modality else "")
    back = read_template(write_template(template, "Apache-2.0"))
    assert notation_of(back.parts) == notation_of(template.parts)
    assert (back.modality, back.region) == (template.modality, template.region)


def test_a_template_goes_below_the_text_and_is_filled_by_the_names_of_its_fields() -> None:
    template = Template("T", parts_of("Side: [Side!]\nImpression: [Impression]"))
    document = with_template(Document("Draft."), template, {"side": "left"})
    assert document.text == "Draft.\n\nSide: left\nImpression: [Impression]"
    assert [check.message for check in checks(document, Known())] == ["Impression is empty."]


def test_a_number_field_with_words_is_found() -> None:
    document = with_template(Document(), Template("T", parts_of("Size: [Size #]")), {})
    filled = document.edited("Size: large")
    assert [check.message for check in checks(filled, Known())] == ["Size is not a number."]
    assert checks(filled.edited("Size: 23 mm"), Known()) == ()
