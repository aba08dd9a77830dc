"""A reader's hands on the real window, a study to read, and an archive whose reports agree enough for a draft.

Keys go to whatever has the keyboard, as from a keyboard; there is no shortcut past the focus.
"""

import csv
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.uid import generate_uid
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.app import App
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.importer import import_path
from engine.resources import resource_path
from tests.engine.dicom_samples import dataset, derive, derive_stack

PATIENT = {"PatientID": "D-1", "PatientName": "Day^Long", "PatientSex": "F", "BodyPartExamined": "CHEST"}
STUDY, PRIOR = "1.2.826.0.1.3680043.8.498.901", "1.2.826.0.1.3680043.8.498.902"
SLICES = 5
NEAR_REPORTS = (
    "No pleural effusion. No pneumothorax. No fracture.",
    "There is no pleural effusion. There is no pneumothorax. There is no fracture.",
    "No evidence of pleural effusion. No visible pneumothorax. No fracture seen.",
)
"""Three, which is the least that can agree; what the starter bundle drafts are negations (docs/drafts.md)."""
OTHERS = 30
"""Cases of the sample archive that have nothing to do with the study: the near ones stand out from them."""


class Hands:
    """Types, and clicks and drags on widgets. `keys` counts the keys that were pressed."""

    def __init__(self, app: App, until: Callable[[Callable[[], bool]], object]) -> None:
        """`until` runs the event loop until a condition holds."""
        self._app, self.until = app, until
        self.keys = 0
        app.window.activateWindow()
        until(lambda: QApplication.activeWindow() is app.window)
        self.wait()

    def press(self, *keys: str) -> None:
        """Press keys such as "Ctrl+E" one after the other, and wait for what each one starts."""
        for key in keys:
            self.keys += 1
            QTest.keySequence(self._focus(), QKeySequence(key))
            self.wait()

    def type(self, text: str) -> None:
        """Type a text."""
        for character in text:
            self.keys += 1
            QTest.keyClick(self._focus(), character)
        self.wait()

    def click(self, widget: QWidget) -> None:
        """Click near the left edge of a widget, where a check box has its box."""
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(8, widget.height() // 2))
        self.wait()

    def drag(self, widget: QWidget, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag from a point to another, both from the center of a widget."""
        center = widget.rect().center()
        QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=center + QPoint(*start))
        QTest.mouseMove(widget, center + QPoint(*end))
        QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=center + QPoint(*end))
        self.wait()

    def wait(self) -> None:
        """Until nothing is left to do."""
        self.until(self._app.desk.background.idle)
        QCoreApplication.processEvents()  # actions are refreshed in the next turn of the event loop
        self.until(self._app.desk.background.idle)
        if QApplication.activeWindow() is None:  # a dialog was closed; a window manager activates the window behind it
            self._app.window.activateWindow()
            self.until(lambda: QApplication.focusWidget() is not None)

    @staticmethod
    def _focus() -> QWidget:
        widget = QApplication.activePopupWidget() or QApplication.focusWidget()
        assert widget is not None, "nothing has the keyboard"
        return widget


def study_to_read(folder: Path) -> Path:
    """A chest CT and the same patient's earlier one, derived from a real slice."""
    for uid, date in ((STUDY, "20260304"), (PRIOR, "20250211")):
        derive_stack(
            folder / date,
            [5.0 * number for number in range(SLICES)],
            StudyInstanceUID=uid,
            StudyDate=date,
            FrameOfReferenceUID=generate_uid(),
            StudyDescription=f"CT chest {date[:4]}",
            **PATIENT,
        )
    return folder


def archive_to_search(folder: Path, bundle: Bundle) -> Path:
    """Three cases that look like the study, shifted by a pixel each, and 30 of the sample archive that do not."""
    near, others = folder / "near", folder / "others"
    pixels = dataset("CT_small.dcm").pixel_array
    rows = []
    for number, text in enumerate(NEAR_REPORTS):
        uid = generate_uid()
        derive(
            near / f"{number}.dcm",
            "CT_small.dcm",
            StudyInstanceUID=uid,
            SeriesInstanceUID=generate_uid(),
            PatientID=f"N-{number}",
            PatientName=f"Near^{number}",
            BodyPartExamined="CHEST",
            PixelData=np.roll(pixels, number + 1, axis=1).tobytes(),
        )
        rows.append((uid, text))
    write_table(folder / "reports.csv", ("study_uid", "text"), rows)
    sample = resource_path("sample-archive")
    with (sample / "cases.csv").open(newline="", encoding="utf-8") as file:
        header, *cases = csv.reader(file)
    image, modality, part = (header.index(name) for name in ("image", "modality", "body_part"))
    kept = [row for row in cases if (row[modality], row[part]) != ("CT", "chest")][:OTHERS]
    (others / "images").mkdir(parents=True)
    for row in kept:
        shutil.copy(sample / row[image], others / row[image])
    write_table(others / "cases.csv", header, kept)
    with Archive.create(folder / "archive") as archive:
        import_path(archive, bundle, near, reports=folder / "reports.csv", keep_text=True)
        import_path(archive, bundle, others, keep_text=True)
    return folder / "archive"


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
