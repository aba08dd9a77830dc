"""The plain notation of templates and macros: fields in brackets, as a person types them. Knows no files.

    Nodule of [Size #] mm in the [Side: left|right] lung. [Comment?] [Impression!]

A "!" makes a field required, a "?" optional, "#" a number; choices follow a colon; "=" gives what it begins with.
"""

import re

from engine.reports.links import FieldType, Rule
from engine.reports.templates.template import Field

FIELD = re.compile(r"\[([^\[\]\n:=!?#|]{1,80}?) {0,2}(#?)([!?]?)(?::([^\[\]\n=]{0,2000}))?(?:=([^\[\]\n]{0,2000}))?\]")
RULES: dict[str, Rule] = {"!": "required", "?": "free", "": "warn"}
SIGNS: dict[Rule, str] = {rule: sign for sign, rule in RULES.items()}


def parts_of(text: str) -> tuple[str | Field, ...]:
    """The text and the fields of a template in this notation; other brackets are text."""
    parts: list[str | Field] = []
    at = 0
    for found in FIELD.finditer(text):
        name, number, rule, choices, value = found.groups()
        listed = tuple(one.strip() for one in (choices or "").split("|") if one.strip())
        kind: FieldType = "choice" if listed else "number" if number else "text"
        parts += [text[at : found.start()], Field(name.strip(), kind, RULES[rule], (value or "").strip(), listed)]
        at = found.end()
    parts.append(text[at:])
    return tuple(part for part in parts if part)


def notation_of(parts: tuple[str | Field, ...]) -> str:
    """The notation of text and fields; characters that it cannot say are left out of names and values."""
    return "".join(part if isinstance(part, str) else _field(part) for part in parts)


def _field(field: Field) -> str:
    name = re.sub(r"[\[\]\n:=!?#|]+", " ", field.name).strip() or "Field"
    choices = "|".join(re.sub(r"[\[\]\n=|]+", " ", one).strip() for one in field.choices)
    value = re.sub(r"[\[\]\n]+", " ", field.value).strip()
    number = " #" if field.type == "number" else ""
    return f"[{name}{number}{SIGNS[field.rule]}{f': {choices}' if choices else ''}{f'={value}' if value else ''}]"
