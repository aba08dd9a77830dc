"""Writes an exported report as one HTML page, which the app also prints as PDF. Knows no other format.

Its markup is what QTextDocument understands too: tables and paragraphs, images as data URLs, no scripts, no links.
"""

import base64
from collections.abc import Sequence
from html import escape

from engine.image.picture import picture_of
from engine.reports.export.exported_report import LABEL, ExportedReport, facts_of
from engine.reports.stored_report import signature
from engine.store.thumbnail import to_png

STYLE = (
    "body { font-family: sans-serif; max-width: 45em; margin: 2em auto; } .label { color: #a00000; font-weight: bold; }"
    " td { padding-right: 1.5em; vertical-align: top; } .text { white-space: pre-wrap; } .small { color: #555555; }"
)
IMAGE_WIDTH = 256
"""Width of a key image on the page, in CSS pixels."""


def as_html(report: ExportedReport, with_images: bool = True) -> str:
    """Label, identity, text, addenda, key images, whose words they are.

    Args:
        report: its key images are read here and shown at the window of their file, longest side at most 512 pixels.
        with_images: False leaves them out.

    Raises:
        UserError: the report has no text, or a key image cannot be read.
    """
    report.require_text()
    label = f'<p class="label">{escape(LABEL)}</p>'
    rows = "".join(f"<tr><td>{escape(one)}</td><td>{escape(value)}</td></tr>" for one, value in facts_of(report))
    parts = [label, f"<table>{rows}</table>", "<hr/>", _paragraphs(report.text)]
    for addendum in report.addenda:
        parts.append(f"<h3>Addendum, {escape(signature(addendum.signed_by, addendum.signed))}</h3>")
        parts.append(_paragraphs(addendum.text))
    parts += _images(report) if with_images else []
    if report.provenance:
        parts.append(f'<p class="small">{"<br/>".join(map(escape, report.provenance))}</p>')
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"/><title>Report</title><style>{STYLE}</style></head>\n'
        f"<body>{''.join(parts)}<hr/>{label}</body></html>\n"
    )


def _paragraphs(text: str) -> str:
    """Empty lines part paragraphs; other line breaks stay."""
    paragraphs: Sequence[str] = [part.strip() for part in text.split("\n\n")]
    return "".join(f"<p>{escape(part).replace(chr(10), '<br/>')}</p>" for part in paragraphs if part)


def _images(report: ExportedReport) -> list[str]:
    found = []
    for one in report.key_frames:
        png = to_png(picture_of(report.study, one.series, one.frame).gray)
        data = base64.b64encode(png.data).decode("ascii")
        found.append(
            f'<p><img src="data:image/png;base64,{data}" width="{IMAGE_WIDTH}" alt="{escape(one.caption)}"/><br/>'
            f"{escape(one.caption)}</p>"
        )
    return ["<h3>Key images</h3>", *found] if found else []
