"""Formats names, dates, series titles and windows for the screen. Pure functions; knows no widgets and no state."""

import math

from engine.image.voi import Window
from engine.study import Patient, Series

SMALL_DIGITS = 6
"""Digits after the decimal point; numbers that need more are written with an exponent."""


def patient_facts(patient: Patient) -> str:
    """Sex, age at the time of the study and date of birth, as far as they are known."""
    age = f"{patient.age} y" if patient.age is not None else ""
    born = f"born {format_date(patient.birth_date)}" if patient.birth_date else ""
    return " · ".join(part for part in (patient.sex, age, born) if part)


def readable_name(name: str) -> str:
    """A DICOM person name (PN, PS3.5 6.2.1) as "Family, Prefix Given Middle, Suffix".

    Of its groups (alphabetic, ideographic, phonetic), each of which may be empty, the first that says something.
    """
    return next(filter(None, map(_readable_group, name.split("="))), "")


def _readable_group(group: str) -> str:
    family, given, middle, prefix, suffix, *rest = [*(part.strip() for part in group.split("^")), *[""] * 5]
    called = " ".join(filter(None, (prefix, given, middle)))
    return ", ".join(filter(None, (family, called, suffix, *rest)))


def series_title(series: Series) -> str:
    """Number and description of a series, or its body part where it has no description."""
    number = f"Series {series.number}" if series.number is not None else "Series"
    return ": ".join(
        part for part in (number, series.description or series.body_part.capitalize(), series.part) if part
    )


def format_date(date: str) -> str:
    """A DICOM date (DA, PS3.5 6.2) as YYYY-MM-DD; anything else unchanged."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else date


def format_time(time: str) -> str:
    """A DICOM time (TM, PS3.5 6.2) as HH:MM; "" for anything else."""
    return f"{time[:2]}:{time[2:4]}" if time[:4].isdigit() and len(time) >= 4 else ""


def format_window(window: Window, unit: str = "") -> str:
    """Width, center and name of a window; the numbers first, because a long name may be elided."""
    width, center = window_numbers(window)
    name = f"   {window.name}" if len(window.name) <= 20 else ""
    return f"W {width}  L {center} {unit}".rstrip() + name.rstrip()


def window_numbers(window: Window) -> tuple[str, str]:
    """Width and center, with enough digits to distinguish two windows of this width; whole numbers without decimals."""
    whole = float(window.width).is_integer() and float(window.center).is_integer()
    digits = 0 if whole or window.width >= 10 else max(2, 2 - math.floor(math.log10(window.width)))
    kind = f".{digits}f" if digits <= SMALL_DIGITS else ".3g"
    return f"{window.width:{kind}}", f"{window.center:{kind}}"
