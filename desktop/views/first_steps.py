"""The first three steps, above the images. Shows a FirstStepsState; its buttons run the ordinary commands."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QWidget,
)

from desktop import theme
from desktop.state.first_steps.first_steps import ARCHIVE, SEARCH, STUDY, FirstStepsState

STEPS = {
    ARCHIVE: (
        "Open an archive",
        "It holds the reports and images that are searched. The sample takes minutes to import.",
    ),
    STUDY: ("Open a study", "DICOM files, a folder or a ZIP file; or drop them on this window."),
    SEARCH: ("Search and draft", "Find cases similar to the image on screen, and start the report from them."),
}
READY = "All three steps are done. Help, First steps shows them again."
IMPORTING = "The archive is being imported; search and draft once that is done."


class FirstSteps(QFrame):
    """The names of the steps with those done ticked, then the next one with its buttons. Esc leaves.

    It shows and hides the bar that holds it.
    """

    def __init__(self, state: FirstStepsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setAccessibleName("First steps")
        self.names = QLabel()
        self.about = QLabel()
        self.about.setProperty("muted", True)
        self.sample = self._button("Use sample archive", state.use_sample)
        self.study = self._button("Open sample study", state.open_sample_study)
        commands = ("open_archive", "new_archive", "open_folder", "find_similar", "draft_report")
        labels = ("Open…", "New…", "Open folder…", "Find similar", "Draft report")
        self._of_actions = {name: QPushButton(text) for name, text in zip(commands, labels, strict=True)}
        other, new, folder, find, draft = self._of_actions.values()
        self._rows = ((self.sample, other, new), (self.study, folder), (find, draft))
        self._buttons = QStackedWidget()
        for buttons in self._rows:
            buttons[0].setProperty("primary", True)
            row = QWidget()
            line = QHBoxLayout(row)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(4)
            for button in buttons:
                line.addWidget(button)
            line.addStretch(1)
            self._buttons.addWidget(row)
        self.leave = self._button("Skip", state.skip)
        self.leave.setToolTip("Hide the first steps (Esc). Help, First steps shows them again.")
        layout = QGridLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setVerticalSpacing(4)
        layout.addWidget(self.names, 0, 0)
        layout.addWidget(self.about, 1, 0)
        layout.addWidget(self._buttons, 2, 0)
        layout.addWidget(self.leave, 0, 1, 2, 1, Qt.AlignmentFlag.AlignTop)
        layout.setColumnStretch(0, 1)
        skip = QShortcut(QKeySequence("Esc"), self, state.skip)
        skip.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        state.changed.connect(self._show)
        self._show()

    def bind(self, actions: Mapping[str, QAction]) -> None:
        """Let the buttons run the commands of their names, and follow whether they can."""
        for name, button in self._of_actions.items():
            action = actions[name]
            button.clicked.connect(action.trigger)
            button.setEnabled(action.isEnabled())
            action.enabledChanged.connect(button.setEnabled)

    def _button(self, text: str, work: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(lambda: work())
        return button

    def _show(self) -> None:
        state, was_visible = self._state, self.isVisible()
        bar = self.parentWidget()
        if bar is not None:
            bar.setVisible(state.visible)
        if not state.visible:
            return
        current = state.current
        focus = self.window().focusWidget()  # that of a child is what had the keyboard once
        had_focus = focus is not None and self._buttons.isAncestorOf(focus)
        self.setStyleSheet(f"FirstSteps {{ background: {theme.current.panel}; }}")
        self.names.setText(" &nbsp; ".join(self._name(step, current) for step in STEPS))
        self.names.setAccessibleName(f"Step {current + 1} of {len(STEPS)}" if current < len(STEPS) else READY)
        self.about.setText(self._about(current))
        self._buttons.setVisible(current < len(STEPS))
        self.sample.setVisible(state.has_sample)
        self.study.setVisible(state.has_study)
        self.leave.setText("Skip" if current < len(STEPS) else "Close")
        if current < len(STEPS):
            self._buttons.setCurrentIndex(current)
        if not was_visible or had_focus:
            self._focus_first()

    def _name(self, step: int, current: int) -> str:
        done, now = self._state.done[step], step == current
        color = theme.current.green if done else theme.current.accent if now else theme.current.muted
        text = f"{'✓' if done else step + 1}&nbsp;{STEPS[step][0].replace(' ', '&nbsp;')}"
        return f"<span style='color:{color}'>{f'<b>{text}</b>' if now else text}</span>"

    def _about(self, current: int) -> str:
        if current == len(STEPS):
            return READY
        return IMPORTING if current == SEARCH and self._state.importing else STEPS[current][1]

    def _focus_first(self) -> None:
        row = self._rows[self._state.current] if self._state.current < len(STEPS) else (self.leave,)
        usable = [button for button in row if not button.isHidden() and button.isEnabled()]
        (usable[0] if usable else self.leave).setFocus()
