"""What is asked of a PACS, whatever it speaks. Implemented by `dicomweb.py` and `dimse.py`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.dicom.values import Header

Take = Callable[[bytes | None], bool]
"""Called with each object as the bytes of a DICOM file (PS3.10), or None for one that is too large; whether it is kept.

Also from other threads, one at a time.
"""


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One object that a PACS lists."""

    series_uid: str
    sop_uid: str
    sop_class: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to retrieve of a study: all of it, a series, or some objects of a series."""

    study_uid: str
    series_uid: str = ""
    """"" for every series."""
    sop_uids: tuple[str, ...] = ()
    """Empty for all objects of the series."""
    sop_classes: frozenset[str] = frozenset()
    """Those of the objects, as far as they are known."""
    attempt: int = 0
    """How often that was asked for before, of `attempts`."""


class Source(Protocol):
    """A connection to one PACS."""

    @property
    def attempts(self) -> int:
        """How often it makes sense to ask for what was not sent, since each attempt offers other transfer syntaxes."""

    def echo(self) -> None:
        """Ask whether it answers, without asking for any patient.

        Raises:
            UserError: it does not, and why.
        """

    def studies(self, patient_id: str) -> Sequence[Header]:
        """The headers that it lists for a patient, as they come.

        Raises:
            UserError: it refused or did not answer.
            Cancelled: the user cancelled.
        """

    def count(self, study_uid: str) -> int | None:
        """The number of objects of a study; None where it does not say.

        Raises:
            UserError: it refused or did not answer, or has no such study.
            Cancelled: the user cancelled.
        """

    def objects(self, study_uid: str) -> Sequence[ObjectKey]:
        """The objects of a study; empty where it does not list them.

        Raises:
            UserError: it refused or did not answer.
            Cancelled: the user cancelled.
        """

    def retrieve(self, wanted: Wanted, take: Take) -> None:
        """Retrieve objects.

        Raises:
            UserError: it refused or did not answer; what was taken before is kept.
            Cancelled: the user cancelled.
        """
