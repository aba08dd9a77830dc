"""Reads and writes report templates in HTML as of IHE Management of Radiology Report Templates (MRRT, rev. 1.7).

Reads what RadReport and its editors write: sections, labels, and fields of the types TEXT, TEXTAREA, NUMBER, DATE,
SELECTION_LIST, CHECKBOX and RADIO, with their completion action. Scripts, styles and pictures are left out; nothing is
fetched. Does not know where templates are kept.
"""

import re
from collections.abc import Iterator

from lxml import etree, html

from engine.errors import UserError
from engine.facts.fact import MODALITIES, REGIONS, value_of
from engine.facts.from_words import facts_of_words
from engine.reports.links import FieldType, Rule
from engine.reports.templates.template import Field, Template

MOST_BYTES, MOST_ELEMENTS, MOST_FIELDS = 1_000_000, 20_000, 500
RULES: dict[str, Rule] = {"prohibit": "required", "preclude": "required", "alert": "warn"}
"""Completion action (data-field-completion-action) -> rule; NONE and unknown ones are free."""
ACTIONS: dict[Rule, str] = {"required": "PROHIBIT", "warn": "ALERT", "free": "NONE"}
TYPES: dict[str, FieldType] = {"number": "number", "date": "date"}
BLOCKS = frozenset(("p", "div", "section", "tr", "li", "br", "ul", "ol", "table", "header", "h1", "h2", "h3", "h4"))
LEFT_OUT = frozenset(("script", "style", "datalist", "head", "title", "img", "option"))
GAP = "\v"
"""Stands for an empty line while lines are joined."""
NO_TEMPLATE = "This is not a report template: it has no text and no fields in its HTML body."


def read_template(data: bytes, own: bool = False) -> Template:
    """The template of an MRRT file.

    Raises:
        UserError: it is too large, not HTML, or has neither text nor fields.
    """
    if len(data) > MOST_BYTES:
        raise UserError("This template is larger than 1 MB; choose an MRRT report template (HTML).")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "<html" not in text.lower():
        raise UserError(NO_TEMPLATE)
    try:
        parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
        root = html.document_fromstring(text.encode(), parser=parser)
    except (etree.LxmlError, ValueError):
        raise UserError(NO_TEMPLATE) from None
    meta = {str(one.get("name", "")).lower(): str(one.get("content", "")) for one in root.iter("meta")}
    name = " ".join((meta.get("dcterms.title") or root.findtext(".//title") or "").split()) or "Template"
    body = root.find("body")
    if sum(1 for _ in root.iter()) > MOST_ELEMENTS:
        raise UserError(f"This template has more than {MOST_ELEMENTS:,} elements; split it.")
    parts = _tidy(list(_Reader(root).parts(body))) if body is not None else ()
    if not any(isinstance(part, Field) or part.strip() for part in parts):
        raise UserError(NO_TEMPLATE)
    if sum(isinstance(part, Field) for part in parts) > MOST_FIELDS:
        raise UserError(f"This template has more than {MOST_FIELDS} fields; split it.")
    said = facts_of_words(f"{name}. {meta.get('dcterms.description', '')}")
    modality = meta.get("kindred.modality", value_of(said, "modality"))
    region = meta.get("kindred.region", value_of(said, "region"))
    return Template(name, parts, modality if modality in MODALITIES else "", region if region in REGIONS else "", own)


class _Reader:
    """The text and the fields of a body in reading order."""

    def __init__(self, root: html.HtmlElement) -> None:
        self._labels = {one.get("for"): _words(one) for one in root.iter("label") if one.get("for")}
        self._lists = {one.get("id"): _options(one) for one in root.iter("datalist")}

    def parts(self, element: html.HtmlElement, section: str = "") -> Iterator[str | Field]:
        tag = element.tag if isinstance(element.tag, str) else "script"
        named = element.get("data-section-name") if tag == "section" else None
        if tag in BLOCKS:
            yield "\n"
        if tag == "section" or (tag == "p" and not len(element) and not (element.text or "").strip()):
            yield GAP
        field = self._field(element, tag, named or section)
        if field is not None:
            yield field
        elif tag not in LEFT_OUT and not (tag == "header" and section):
            if named:
                yield f"{' '.join(named.split())}:\n"
            yield _spaced(element.text)
            for child in element:
                yield from self.parts(child, named or section)
                yield _spaced(child.tail)
        if tag in BLOCKS:
            yield "\n"

    def _field(self, element: html.HtmlElement, tag: str, section: str) -> Field | None:
        kind = str(element.get("data-field-type", "")).lower()
        grouped = kind in ("checkbox", "radio") and tag not in ("input", "textarea", "select")
        if tag not in ("input", "textarea", "select") and not grouped:
            return None
        label = self._labels.get(element.get("id")) or element.get("title") or element.get("name") or section
        name = " ".join(str(label).replace("[", " ").replace("]", " ").split()).rstrip(":") or "Field"
        rule = RULES.get(str(element.get("data-field-completion-action", "")).lower(), "free")
        if element.get("required") is not None:
            rule = "required"
        choices, value = self._content(element, tag, grouped)
        listed = TYPES.get(kind or str(element.get("type", "")).lower(), "text")
        return Field(name, "choice" if choices else listed, rule, value, choices)

    def _content(self, element: html.HtmlElement, tag: str, grouped: bool) -> tuple[tuple[str, ...], str]:
        """The choices of a field, and what it begins with."""
        if tag == "textarea":
            return (), (element.text or "").strip()
        if tag == "select":
            chosen = [_words(one) for one in element.iter("option") if one.get("selected") is not None]
            return _options(element), chosen[0] if chosen else ""
        if grouped:
            inputs = [one for one in element.iter("input") if one.get("type") in ("checkbox", "radio")]
            chosen = [str(one.get("value", "")).strip() for one in inputs if one.get("checked") is not None]
            listed = tuple(str(one.get("value", "")).strip() for one in inputs if one.get("value"))
            return listed, "; ".join(filter(None, chosen))
        return self._lists.get(element.get("list"), ()), " ".join(str(element.get("value", "")).split())


def _words(element: html.HtmlElement) -> str:
    return " ".join(str(element.text_content()).split())


def _options(element: html.HtmlElement) -> tuple[str, ...]:
    found = (str(one.get("value") or _words(one)).strip() for one in element.iter("option"))
    return tuple(dict.fromkeys(one for one in found if one))


def _spaced(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")


def _tidy(parts: list[str | Field]) -> tuple[str | Field, ...]:
    """With text joined, and without spaces at the ends of lines, empty lines in rows and spaces at both ends."""
    joined: list[str | Field] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    texts: list[str | Field] = []
    for number, part in enumerate(joined):
        if isinstance(part, str):
            part = re.sub(r"\n{2,}", "\n", re.sub(rf" *([\n{GAP}]) *", r"\1", part))
            part = re.sub(rf"[\n{GAP}]*{GAP}[\n{GAP}]*", "\n\n", part)
            part = part.lstrip() if number == 0 else part
            part = part.rstrip() if number == len(joined) - 1 else part
            previous = joined[number - 1] if number else None
            if isinstance(previous, Field) and part[:1].isalnum():
                part = f" {part}"
            following = joined[number + 1] if number + 1 < len(joined) else ""
            if isinstance(following, Field) and (part[-1:].isalnum() or part[-1:] == ":"):
                part += " "
        texts.append(part)
    return tuple(part for part in texts if part)


def write_template(template: Template, licence: str = "") -> bytes:
    """An MRRT file of a template; `read_template` gives the same template back."""
    page = html.Element("html")
    head = etree.SubElement(page, "head")
    etree.SubElement(head, "title").text = template.name
    etree.SubElement(head, "meta", charset="UTF-8")
    meta = {
        "dcterms.title": template.name,
        "dcterms.type": "IMAGE_REPORT_TEMPLATE",
        "dcterms.language": "en",
        "dcterms.license": licence,
        "kindred.modality": template.modality,
        "kindred.region": template.region,
    }
    for name, content in meta.items():
        if content:
            etree.SubElement(head, "meta", name=name, content=content)
    body = etree.SubElement(page, "body")
    line = etree.SubElement(body, "p")
    last: etree._Element | None = None
    for number, part in enumerate(template.parts):
        if isinstance(part, Field):
            last = _written(line, part, number)
            continue
        for row, text in enumerate(part.split("\n")):
            if row:
                line, last = etree.SubElement(body, "p"), None
            if last is None:
                line.text = (line.text or "") + text
            else:
                last.tail = (last.tail or "") + text
    written: bytes = html.tostring(page, doctype="<!DOCTYPE html>", encoding="utf-8", pretty_print=False)
    return written


def _written(line: etree._Element, field: Field, number: int) -> etree._Element:
    attributes = {
        "id": f"field-{number}",
        "title": field.name,
        "data-field-type": {"choice": "SELECTION_LIST"}.get(field.type, field.type.upper()),
        "data-field-completion-action": ACTIONS[field.rule],
    }
    if field.type != "choice":
        return etree.SubElement(line, "input", {**attributes, "type": "text", "value": field.value})
    made = etree.SubElement(line, "select", attributes)
    for choice in dict.fromkeys((*field.choices, *([field.value] if field.value else []))):
        option = etree.SubElement(made, "option", {"value": choice})
        option.text = choice
        if choice == field.value:
            option.set("selected", "selected")
    return made
