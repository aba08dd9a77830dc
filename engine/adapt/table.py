"""Formats the comparison of two bundles as lines and as a Markdown table. Computes nothing."""

from engine.adapt.compare import Change, Comparison

WAYS = ("image to text", "text to image")


def rows(own: Comparison, others: Comparison | None) -> list[tuple[str, str, str, str, str]]:
    """What, before, after, the difference with its interval, chance."""
    before, after = own.before, own.after
    lines = [
        (
            f"recall@10 {way}, %",
            f"{100 * first:.1f}",
            f"{100 * second:.1f}",
            "",
            f"{100 * chance:.1f}",
        )
        for way, first, second, chance in (
            (WAYS[0], before.recall_image_to_text, after.recall_image_to_text, own.chance[0]),
            (WAYS[1], before.recall_text_to_image, after.recall_text_to_image, own.chance[1]),
        )
    ]
    chance = sum(own.chance) / 2
    lines += [
        ("recall@10, mean, %", *_recall(own), f"{100 * chance:.1f}"),
        ("gap", f"{before.gap:.3f}", f"{after.gap:.3f}", "", ""),
        ("gap over its floor", f"{before.over_floor:.3f}", f"{after.over_floor:.3f}", _number(own.over_floor), "0"),
    ]
    lines += [
        (f'AUROC of "{name}"', f"{value:.2f}", f"{after.findings[name]:.2f}", "", "0.50")
        for name, value in before.findings.items()
    ]
    if others is not None:
        chance = sum(others.chance) / 2
        lines.append(("recall@10 on the sample archive, %", *_recall(others), f"{100 * chance:.1f}"))
    return lines


def markdown(own: Comparison, others: Comparison | None) -> str:
    """The comparison as a Markdown table."""
    head = f"{own.after.pairs} held-out images of {own.after.patients} patients, {own.after.texts} reports"
    lines = [(head, "before", "after", "difference (95% interval)", "chance"), ("---",) * 5, *rows(own, others)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def plain(own: Comparison, others: Comparison | None) -> list[str]:
    """The comparison as lines for a terminal."""
    cells = [("", "before", "after", "difference (95% interval)", "chance"), *rows(own, others)]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _recall(found: Comparison) -> tuple[str, str, str]:
    change = Change(*(100 * value for value in (found.recall.difference, found.recall.low, found.recall.high)))
    return f"{100 * found.before.recall:.1f}", f"{100 * found.after.recall:.1f}", _number(change, 1)


def _number(change: Change, digits: int = 3) -> str:
    return f"{change.difference:+.{digits}f} ({change.low:+.{digits}f} to {change.high:+.{digits}f})"
