"""The sentence that says what an import did. A pure function."""

from engine.importing.import_result import ImportResult
from engine.text.words import counted


def import_summary(result: ImportResult) -> str:
    """The message after an import, with "{show_rejected}" for the key that lists rejected files."""
    parts = [f"{counted(result.added, 'case')} added"]
    if result.completed:
        parts.append(f"{result.completed:,} completed")
    if result.skipped:
        parts.append(f"{result.skipped:,} already archived")
    if result.joined:
        parts.append(f"{result.joined:,} joined to earlier imports")
    if result.ambiguous:
        parts.append(f"{len(result.ambiguous):,} ambiguous")
    if result.rejected:
        parts.append(f"{len(result.rejected):,} rejected")
    if result.ambiguous or result.rejected:
        parts[-1] += " ({show_rejected} lists them)"
    if result.text_images:
        parts.append(f"text blacked out in {counted(result.text_images, 'image')}")
    ended = "Import stopped, and what it had imported is kept" if result.cancelled else "Import finished"
    return f"{ended}: {', '.join(parts)}."
