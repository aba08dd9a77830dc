"""The priors that a PACS has of the patient on screen: found on request, retrieved, opened beside the current image.

Knows no widgets and nothing of how a PACS is asked. It is about the study that was on screen when it was asked; when
another patient comes on screen, what was found is forgotten.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane
from desktop.state.formatting import format_date, format_time
from desktop.state.pacs.addresses import PacsAddressesState
from desktop.state.studies.priors import best_series, first_index
from desktop.state.studies.studies import StudiesState, patient_of
from desktop.state.viewer.layout import LayoutState
from engine.errors import Cancelled, UserError
from engine.pacs.address import Pacs
from engine.pacs.retrieved import Retrieved, retrieved_folder
from engine.pacs.studies import Answer, FoundStudy, Sought
from engine.progress import IsCancelled, Progress
from engine.study import Origin, Series, Study
from engine.text.words import counted

NO_PACS = "No PACS was added yet. Open PACS settings to add one."
NONE = "The PACS has no other study of this patient."
CANCELLED = "Retrieval cancelled. What was retrieved is kept, and is not retrieved again."


@dataclass(frozen=True, slots=True)
class PriorRow:
    """One study as the list shows it."""

    uid: str
    date: str
    modality: str
    description: str
    images: str
    note: str
    """What to check, or where the study is already."""
    warns: bool
    """Whether the note is about the patient."""
    is_open: bool


class PacsPriorsState(QObject):
    """One question and one retrieval at a time."""

    changed = Signal()
    message = Signal(str)
    """One sentence for the user."""

    def __init__(
        self,
        background: Background,
        addresses: PacsAddressesState,
        studies: StudiesState,
        layout: LayoutState,
        show: Callable[[Study, Series, int], None],
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`show` hangs a series from one of its frames beside the current image; None is the user's folder."""
        super().__init__(parent)
        self._background, self._addresses = background, addresses
        self._studies, self._layout, self._show = studies, layout, show
        self._to = retrieved_folder(folder)
        self.study: Study | None = None
        """The study whose patient was asked for."""
        self.pacs: Pacs | None = None
        """The PACS that was asked."""
        self.line = ""
        """What the question came to, as a sentence for the user."""
        self.asking = False
        self.retrieving = False
        self._sought: Sought | None = None
        self._answer = Answer(())
        self._hang = ""
        """UID of the study that is hung beside the current image once it is open."""
        self._beside = ""
        """UID of the study on screen when that was asked for."""
        layout.study_proxy.series_changed.connect(self._follow)
        studies.changed.connect(self._on_studies)

    @property
    def possible(self) -> bool:
        """Whether an image is on screen and a PACS was added."""
        return self._layout.of_study.study is not None and bool(self._addresses.known)

    @property
    def rows(self) -> list[PriorRow]:
        """What was found, newest first."""
        opened = {study.stated_uid or study.uid for study in self._studies.studies}
        return [self._row(one, one.uid in opened) for one in self._answer.studies]

    def start(self, name: str = "") -> None:
        """Ask a PACS for the other studies of the patient on screen.

        Args:
            name: of the PACS; "" for the one that was asked last, or the first.
        """
        study = self._layout.of_study.study
        pacs = self._addresses.named(name or (self.pacs.name if self.pacs else ""))
        self.study, self.pacs, self._answer, self._sought = study, pacs, Answer(()), None
        if study is None or pacs is None:
            self._say(NO_PACS)
            return
        self.asking = True
        self._say(f"Asking {pacs.name}…")
        origin = next(study.frames()).image.origin
        self._background.start(
            partial(_find, pacs, origin),
            self._take_answer,
            key="pacs priors",
            lane=Lane.NETWORK,
            urgent=True,
            failed=self._fail,
            shows_failure=True,
        )

    def forget(self) -> None:
        """Stop asking, and forget what was found; a retrieval goes on."""
        self._background.drop("pacs priors")
        self.study, self._answer, self._sought, self.line, self.asking = None, Answer(()), None, "", False
        self.changed.emit()

    def why_not(self, uids: Sequence[str]) -> str:
        """Why these studies cannot be retrieved now; "" if they can."""
        if self.retrieving:
            return "Wait until the retrieval is finished, or cancel it."
        return "" if uids else "Choose at least one study."

    def retrieve(self, uids: Sequence[str]) -> None:
        """Retrieve studies, open each as it is there, and show the best of them beside the current image."""
        chosen = tuple(one for one in self._answer.studies if one.uid in set(uids))
        if self.pacs is None or self._sought is None or self.why_not([one.uid for one in chosen]):
            return
        self.retrieving = True
        self._hang = self._best_of(chosen)
        self._beside = self._layout.of_study.study.uid if self._layout.of_study.study else ""
        self._background.start(
            partial(_retrieve, self.pacs, chosen, self._sought.patient.id, self._to),
            self._end,
            title=f"Retrieving {counted(len(chosen), 'prior')} from {self.pacs.name}",
            lane=Lane.NETWORK,
            partial_result=self._take_study,
            failed=lambda error: self._end(),
            cancelled=lambda: self._end(CANCELLED),
        )
        self.changed.emit()

    def _take_answer(self, found: tuple[Sought, Answer]) -> None:
        self.asking = False
        self._sought, self._answer = found
        count, dropped = len(self._answer.studies), self._answer.dropped
        said = NONE if not count else f"{counted(count, 'other study', 'other studies')} of this patient."
        if dropped:
            said += f" {counted(dropped, 'study', 'studies')} of other patients left out."
        self._say(said)

    def _fail(self, error: BaseException) -> None:
        self.asking = False
        self._say(str(error) if isinstance(error, UserError) else "The question failed.")

    def _take_study(self, result: Retrieved) -> None:
        self._studies.open([result.folder], select=False)
        if result.missing:
            self.message.emit(
                f"{counted(result.missing, 'image')} of a prior {'was' if result.missing == 1 else 'were'} not sent by "
                "the PACS. Retrieve it again, or look at the log of the PACS."
            )
        self._studies.add_rejected(result.rejected)

    def _end(self, said: str | None = None) -> None:
        self.retrieving = False
        if said:
            self.message.emit(said)
        self.changed.emit()

    def _on_studies(self) -> None:
        if self._hang:
            self._hang_prior()
        if self._answer.studies:
            self.changed.emit()

    def _best_of(self, chosen: Sequence[FoundStudy]) -> str:
        """UID of the study to hang: of the modality on screen, earlier, the latest; never of another patient."""
        current = self._layout.of_study
        study, series = current.study, current.series
        if study is None or series is None:
            return ""
        certain = [one for one in chosen if not one.differs]
        ranked = sorted(
            certain,
            key=lambda one: (series.modality in one.modalities, one.date <= study.date, one.date, one.time),
            reverse=True,
        )
        return ranked[0].uid if ranked else ""

    def _hang_prior(self) -> None:
        """Show the retrieved study once it was read, unless another study is on screen by now."""
        current = self._layout.of_study
        study, series = current.study, current.series
        prior = next((one for one in self._studies.studies if (one.stated_uid or one.uid) == self._hang), None)
        if prior is None or any(one.growing for one in prior.series) or not prior.series:
            return
        self._hang = ""
        if study is not None and series is not None and study.uid == self._beside:
            best = best_series(study, series, prior)
            self._show(prior, best, first_index(series, current.index, best))

    def _follow(self) -> None:
        """Forget the priors of a patient who is not on screen any more."""
        study = self._layout.of_study.study
        if study is not None and study.uid != self._beside:
            self._hang = ""
        if self.study is not None and study is not None and patient_of(study) != patient_of(self.study):
            self.forget()

    def _row(self, found: FoundStudy, is_open: bool) -> PriorRow:
        there = (self._to / found.uid).is_dir()
        later = self.study is not None and bool(found.date) and found.date > self.study.date
        notes = [
            f"Other {found.differs}: check the patient" if found.differs else "",
            "Open" if is_open else "Retrieved before" if there else "",
            "Later study" if later else "",
        ]
        when = " ".join(filter(None, (format_date(found.date), format_time(found.time))))
        images = "" if found.images is None else f"{found.images:,}"
        modality = "/".join(found.modalities)
        return PriorRow(
            found.uid,
            when,
            modality,
            found.description,
            images,
            " · ".join(filter(None, notes)),
            bool(found.differs),
            is_open,
        )

    def _say(self, line: str) -> None:
        self.line = line
        self.changed.emit()


def _find(pacs: Pacs, origin: Origin, progress: Progress, cancelled: IsCancelled) -> tuple[Sought, Answer]:
    from engine.pacs.connection import find  # not at start: nobody may need it
    from engine.pacs.objects import sought_in

    with origin.open() as file:
        sought = sought_in(file)
    return sought, find(pacs, sought, cancelled=cancelled)


def _retrieve(
    pacs: Pacs,
    studies: Sequence[FoundStudy],
    patient_id: str,
    to: Path,
    progress: Progress,
    cancelled: IsCancelled,
    found: Callable[[Retrieved], None],
) -> None:
    """One study after the other; what is wrong with one is raised after the others were retrieved."""
    from engine.pacs.retrieve import retrieve

    problem: UserError | None = None
    for number, study in enumerate(studies, 1):
        if cancelled():
            raise Cancelled
        what = f"study {number} of {len(studies)}" if len(studies) > 1 else ""

        def report(done: int, total: int, _: str, images: int = study.images or 0, what: str = what) -> None:
            progress(done, total or images, what)

        try:
            found(retrieve(pacs, study.uid, to, patient_id, progress=report, cancelled=cancelled))
        except UserError as error:
            problem = problem or error
    if problem is not None:
        raise problem
