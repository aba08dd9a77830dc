"""Opens the documents of the open studies: reports and PDFs to read, presentation states and segmentations on images.

Knows no widgets. Nothing is written into the study's files, and a PDF leaves its file only when the user says where to.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.studies.studies import StudiesState, identify
from desktop.state.viewer.layout import LayoutState
from engine.dicom.documents.document import StudyDocument, read_whole
from engine.dicom.documents.encapsulated import pdf_of
from engine.dicom.documents.presentation_state import Annotation, PresentationState, presentation_state
from engine.dicom.documents.structured_report import report_lines
from engine.errors import UserError
from engine.image.segmentation import Key, Mask, Segmentation, read_segmentation
from engine.image.shutters import Shutter, shutter
from engine.image.voi import Window
from engine.store.safety.whole_file import write_whole
from engine.study import FrameRef

NOT_OPEN = "Its images are not open. Open the whole study to see the {} on them."
PDF_HINT = "A PDF document. Open it in the PDF viewer of this computer, or save it."


@dataclass(frozen=True, slots=True, eq=False)
class OpenedDocument:
    """What is shown of a document."""

    document: StudyDocument
    text: str
    pdf: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class Tint:
    """A mask on an image."""

    mask: Mask
    label: str
    color: int
    """Counts the segments that are shown; views choose the color."""


class DocumentsState(QObject):
    """What was opened, and what of it lies on the images."""

    opened = Signal(object)
    """An OpenedDocument to read."""
    changed = Signal()
    """Another presentation state or segmentation is shown, or one fewer."""
    message = Signal(str)
    """One sentence for the user."""

    def __init__(
        self, background: Background, studies: StudiesState, layout: LayoutState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._studies, self._layout = background, studies, layout
        self._states: dict[str, tuple[PresentationState, Shutter | None]] = {}
        self._segmentations: dict[str, Segmentation] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        studies.changed.connect(self._forget_closed)

    def open(self, document: StudyDocument) -> None:
        """Read a document on a worker and show it; one that is shown on its images is removed from them."""
        if self.is_shown(document):
            self._states.pop(document.key, None)
            self._segmentations.pop(document.key, None)
            self._notify()
            self.message.emit(f"The {document.kind} is no longer shown.")
            return
        key, title = f"document {document.key}", f"Opening the {document.kind}"
        if document.kind == "segmentation":
            work = partial(read_segmentation, document, tuple(self._studies.studies))
            done = partial(self._show_segmentation, document)
            self._background.start(work, done, title=title, key=key, lane=Lane.OPEN)
        elif document.kind == "presentation state":
            self._background.start(
                as_work(_read_state, document), partial(self._show_state, document), key=key, lane=Lane.OPEN
            )
        else:
            self._background.start(as_work(_read, document), self.opened.emit, title=title, key=key, lane=Lane.OPEN)

    def is_shown(self, document: StudyDocument) -> bool:
        """Whether a presentation state or segmentation lies on its images."""
        return document.key in self._states or document.key in self._segmentations

    def annotations(self, frame: FrameRef) -> tuple[Annotation, ...]:
        """The texts and shapes of presentation states on a frame."""
        return tuple(one for state, _ in self._states.values() for one in state.annotations_of(frame))

    def shutter(self, frame: FrameRef) -> Shutter | None:
        """The display shutter of the presentation state on a frame."""
        found = (opening for state, opening in self._states.values() if opening and state.shows(frame))
        return next(found, None)

    def tints(self, frame: FrameRef) -> list[Tint]:
        """The masks of segmentations on a frame."""
        found, color = [], 0
        for one in self._segmentations.values():
            colors = {segment: color + number for number, segment in enumerate(sorted(one.segments))}
            found += [
                Tint(mask, one.segments.get(mask.segment, ""), colors.get(mask.segment, color))
                for mask in one.of(frame)
            ]
            color += len(one.segments)
        return found

    # -- PDF

    def save_pdf(self, opened: OpenedDocument, path: Path) -> None:
        """Save the PDF of a document, readable by its owner only.

        Raises:
            UserError: the file cannot be written.
        """
        path = path if path.suffix.lower() == ".pdf" else path.with_name(f"{path.name}.pdf")
        try:
            write_whole(path, [opened.pdf])
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}. Choose another folder.", path) from None

    def pdf_file(self, opened: OpenedDocument) -> Path:
        """A temporary copy of the PDF for a viewer, deleted when the app is closed.

        Raises:
            UserError: the file cannot be written.
        """
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="kindred-", ignore_cleanup_errors=True)
        path = Path(self._folder.name) / f"document-{abs(hash(opened.document.key))}.pdf"
        self.save_pdf(opened, path)
        return path

    def close(self) -> None:
        """Delete temporary files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    # -- on images

    def _show_state(self, document: StudyDocument, read: tuple[PresentationState, Shutter | None]) -> None:
        state, opening = read
        self.opened.emit(OpenedDocument(document, "\n".join(state.lines())))
        shown = self._go_to(state.shows)
        if shown is None:
            self.message.emit(NOT_OPEN.format("presentation state"))
            return
        self._states[document.key] = state, opening
        window = state.window_of(shown)
        if window is not None:
            self._layout.active.set_window(Window(*window))
        self._notify()

    def _show_segmentation(self, document: StudyDocument, segmentation: Segmentation) -> None:
        largest: Key | None = max(
            segmentation.masks,
            key=lambda key: sum(int(mask.bits.sum()) for mask in segmentation.masks[key]),
            default=None,
        )
        if largest is None or self._go_to(lambda frame: (frame.image.sop_uid, frame.frame) == largest) is None:
            self.message.emit(NOT_OPEN.format("segmentation"))
            return
        self._segmentations[document.key] = segmentation
        self.message.emit(f"Segmentation shown: {', '.join(filter(None, segmentation.segments.values()))}.")
        self._notify()

    def _go_to(self, wanted: Callable[[FrameRef], bool]) -> FrameRef | None:
        """Show the first wanted frame, preferring the series on screen; None when none is open."""
        active = self._layout.active
        if active.series is not None and any(wanted(frame) for frame in active.series.frames):
            frames = active.series.frames
            if not wanted(frames[active.index]):
                active.go_to(next(index for index, frame in enumerate(frames) if wanted(frame)))
            return frames[active.index]
        for study in self._studies.studies:
            for series in study.series:
                index = next((index for index, frame in enumerate(series.frames) if wanted(frame)), None)
                if index is not None:
                    self._studies.select(identify(study, series))
                    if self._layout.active.series is not series:
                        self._layout.active.show(study, series)
                    self._layout.active.go_to(index)
                    return series.frames[index]
        return None

    def _forget_closed(self) -> None:
        open_keys = self._studies.documents.keys()
        if not (self._states.keys() | self._segmentations.keys()) <= open_keys:
            self._states = {key: one for key, one in self._states.items() if key in open_keys}
            self._segmentations = {key: one for key, one in self._segmentations.items() if key in open_keys}
            self._notify()

    def _notify(self) -> None:
        self.changed.emit()
        for viewport in self._layout.all_viewports:
            viewport.overlay_changed.emit()


def _read(document: StudyDocument) -> OpenedDocument:
    if document.kind == "PDF":
        return OpenedDocument(document, f"{document.title}\n\n{PDF_HINT}".strip(), pdf_of(document))
    return OpenedDocument(document, "\n".join(report_lines(read_whole(document))))


def _read_state(document: StudyDocument) -> tuple[PresentationState, Shutter | None]:
    header = read_whole(document)
    return presentation_state(header), shutter(header)
