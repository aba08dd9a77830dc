"""The panel "Report": text, status, proposals with their evidence, addendum. Shows a ReportState; decides nothing."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from desktop import theme
from desktop.state.report.checking import CheckingState
from desktop.state.report.report import ReportState
from desktop.state.report.writing import WritingState
from desktop.state.shortcuts import ShortcutsState
from desktop.views.key_tips import set_tip
from desktop.views.panel_scroll import ScrolledPanel
from desktop.views.report.check_list import CheckList
from desktop.views.report.evidence_tree import EvidenceTree
from desktop.views.report.report_editor import ReportEditor, ReportField
from desktop.views.report.sign_dialog import SignDialog

HINT = "Type the report here. Draft proposes sentences from the current image; none is in the text until you accept it."
TAB = 'Tab begins with the template "{}":'
NO_DRAFT = "The sentences of a draft are listed here as proposals, each with reports of the same finding."
WITHOUT_PROPOSALS, WITH_PROPOSALS, WITH_ADDENDUM = [400, 100], [100, 220], [220, 180]
"""Heights of the text and of what is below it, in proportion."""
NOT_SEEN = "Scroll through all proposals first"


class ReportPanel(ScrolledPanel):
    """Buttons and status, the text, and below it the proposals with their evidence, or an addendum."""

    def __init__(
        self,
        state: ReportState,
        checking: CheckingState,
        writing: WritingState,
        shortcuts: ShortcutsState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state, self._checking, self._shortcuts = state, checking, shortcuts
        self.draft = self._button("Draft", "Propose sentences for the current image ({draft_report})", primary=True)
        self.add = self._button("Addendum", "Write an addendum to this signed report ({write_addendum})", primary=True)
        self.sign = self._button("Sign", "")
        self.copy = self._button("Copy", "Copy the report with the research draft notice ({copy_report})")
        self.status = QLabel()
        self.status.setAccessibleName("Report status")
        self.editor = ReportEditor(state, writing)
        self._writing = writing
        self.addendum = ReportField()
        self.addendum.setPlaceholderText("Type the addendum here.")
        self.addendum.setTabChangesFocus(True)
        self.addendum.setAccessibleName("Addendum text")
        self.notes = QLabel()
        self.notes.setWordWrap(True)
        self.notes.setProperty("muted", True)
        self.checks = CheckList()
        self.tree = EvidenceTree(state)
        self.accept = self._button(
            "Accept", "Take this sentence into the text ({accept_proposal}; in the list A or Return)"
        )
        self.edit = self._button(
            "Edit", "Take this sentence into the text and edit it there ({edit_proposal}; in the list E)"
        )
        self.dismiss = self._button("Dismiss", "Drop this sentence ({dismiss_proposal}; in the list D or Delete)")
        self.accept_all = self._button("Accept all", "")
        self.dismiss_all = self._button("Dismiss all", "")
        self._decisions = QWidget()
        self._lay_out()
        self._connect()
        self.editor.show_page()
        self._show_page()
        self._show()
        self._show_checks()
        self._show_template()

    def _button(self, text: str, tip: str, primary: bool = False) -> QPushButton:
        button = QPushButton(text)
        set_tip(button, self._shortcuts, tip)
        button.setProperty("primary", primary)
        return button

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        for button in (self.draft, self.add):
            head.addWidget(button)
        head.addWidget(self.status, 1)
        for button in (self.sign, self.copy):
            head.addWidget(button)
        decisions = QHBoxLayout(self._decisions)
        decisions.setContentsMargins(0, 0, 0, 0)
        for button in (self.accept, self.edit, self.dismiss):
            decisions.addWidget(button)
        decisions.addStretch()
        for button in (self.accept_all, self.dismiss_all):
            decisions.addWidget(button)
        lower = QWidget()
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 4, 0, 0)
        below.addWidget(self.checks)
        below.addWidget(self.notes)
        below.addWidget(self.addendum, 1)
        below.addWidget(self.tree, 1)
        below.addWidget(self._decisions)
        below.addStretch()
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.setChildrenCollapsible(False)
        self.parts.addWidget(self.editor)
        self.parts.addWidget(lower)
        self.parts.setSizes(WITHOUT_PROPOSALS)
        for text, lines in ((self.editor, 4), (self.addendum, 3)):
            text.setMinimumHeight(lines * self.fontMetrics().lineSpacing())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.parts, 1)

    def _connect(self) -> None:
        state = self._state
        for button, work in (
            (self.draft, state.draft),
            (self.add, self.begin_addendum),
            (self.sign, self.ask_to_sign),
            (self.copy, self.copy_report),
            (self.accept, state.accept),
            (self.edit, state.edit_selected),
            (self.dismiss, state.dismiss),
            (self.accept_all, state.accept_all),
            (self.dismiss_all, state.dismiss_all),
        ):
            button.clicked.connect(work)
        self.addendum.textChanged.connect(self._on_addendum)
        self.checks.chosen.connect(self._checking.go_to)
        self.checks.settled.connect(self._checking.settle)
        self._checking.changed.connect(self._show_checks)
        self._writing.changed.connect(self._show_template)
        state.page_changed.connect(self._show_template)
        state.changed.connect(self._show)
        state.draft_changed.connect(self._show)
        state.selection_changed.connect(self._show)
        state.page_changed.connect(self._show_page)

    def focus_text(self) -> None:
        """Move the keyboard to the text that can be changed."""
        text = self.addendum if self.addendum.isVisibleTo(self) else self.editor
        text.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_proposals(self) -> None:
        """Move the keyboard to the next open proposal in the list."""
        self._state.select_open()
        self.tree.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def begin_addendum(self) -> None:
        """Begin an addendum and move the keyboard to it."""
        self._state.begin_addendum()
        self.focus_text()

    def ask_to_sign(self) -> None:
        """Ask for name and consent, then sign."""
        question = self._state.ask_to_sign()
        if question is not None:
            dialog = SignDialog(self._state, question, self.window())
            dialog.checks.chosen.connect(self._checking.go_to)
            dialog.open()

    def focus_checks(self) -> None:
        """Move the keyboard to the checks."""
        self._checking.show()
        self.checks.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def copy_report(self) -> None:
        """Copy the report with the research notice and its marks."""
        text = self._state.copy_text()
        if text:
            QGuiApplication.clipboard().setText(text)
            self._state.message.emit("The report was copied with the research draft notice.")

    def _on_addendum(self) -> None:
        self._state.edit_addendum(self.addendum.toPlainText())

    def _show_page(self) -> None:
        page = self._state.page
        text = page.addendum if page is not None and page.signed else None
        if text is None and self.addendum.hasFocus():
            self.editor.setFocus()  # where the addendum is now; else Qt would go on to the next control
        if self.addendum.isVisibleTo(self) != (text is not None):
            self.addendum.setVisible(text is not None)
            self.parts.setSizes(WITHOUT_PROPOSALS if text is None else WITH_ADDENDUM)
        self.addendum.setReadOnly(page is None or page.signing)
        if self.addendum.toPlainText() != (text or ""):
            self.addendum.setPlainText(text or "")

    def _show(self) -> None:
        state = self._state
        page, reason = state.page, state.why_no_draft()
        signed = page is not None and page.signed
        self.draft.setEnabled(not reason and not state.drafting)
        self.draft.setVisible(not signed)
        self.add.setVisible(signed)
        self.add.setEnabled(state.can_begin_addendum)
        self.sign.setEnabled(state.can_sign)
        final = "Make the text final and add it to the archive ({sign_report})"
        set_tip(self.sign, self._shortcuts, state.why_not_sign() or final)
        self.copy.setEnabled(page is not None and bool(page.text.strip()))
        self.accept.setEnabled(state.can_decide)
        self.edit.setEnabled(page is not None and not page.closed and page.selected >= 0)
        self.dismiss.setEnabled(state.can_decide)
        for button, tooltip in (
            (self.accept_all, "Take all proposals into the text ({accept_all_proposals}; in the list Shift+A)"),
            (self.dismiss_all, "Drop all proposals ({dismiss_all_proposals}; in the list Shift+D)"),
        ):
            button.setEnabled(state.can_decide_all)
            set_tip(button, self._shortcuts, tooltip if state.can_decide_all else NOT_SEEN)
        self._show_status()
        self.notes.setText(self._note_text(reason))
        if self.tree.isVisibleTo(self) != bool(state.rows):
            self.tree.setVisible(bool(state.rows))
            self.parts.setSizes(WITH_PROPOSALS if state.rows else WITHOUT_PROPOSALS)
        self._decisions.setVisible(page is not None and bool(page.document.open) and not page.closed)

    def _show_template(self) -> None:
        """Show the template that suits the study in an empty report, until something is typed."""
        template = self._writing.suggested
        hint = HINT if template is None else f"{TAB.format(template.name)}\n\n{template.text}"
        if self.editor.placeholderText() != hint:
            self.editor.setPlaceholderText(hint)
            self.editor.viewport().update()  # Qt repaints only the lines of the hint before

    def _show_checks(self) -> None:
        self.checks.show_checks(self._checking.listed)
        self.checks.setVisible(self.checks.count() > 0)

    def _show_status(self) -> None:
        state, page = self._state, self._state.page
        status = "Drafting…" if state.drafting else page.status if page else ""
        self.status.setText(status)
        palette = self.status.palette()
        waiting = page is not None and bool(page.document.open) and not state.drafting
        color = theme.current.amber if waiting else theme.current.muted
        palette.setColor(QPalette.ColorRole.WindowText, QColor(theme.current.green if status == "Signed" else color))
        self.status.setPalette(palette)

    def _note_text(self, reason: str) -> str:
        page = self._state.page
        if page is not None and page.signed:
            return page.destination
        if page is not None and page.silence:
            return page.silence
        if page is None or page.draft is None:
            return reason or NO_DRAFT
        return " ".join(part for part in (f"Drafted from {page.frame}.", page.draft.note) if part)
