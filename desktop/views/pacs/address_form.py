"""The form of one PACS. Passes what is typed to a PacsAddressesState, and shows what that says of it."""

from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop import theme
from desktop.state.pacs.addresses import PacsAddressesState
from desktop.views.panel_scroll import PanelScroll
from desktop.views.sizes import fit_pixels
from engine.pacs.address import CALLING, Pacs

WEB, GET, MOVE = "DICOMweb", "DICOM, C-GET", "DICOM, C-MOVE"
FOR = {
    WEB: {"url", "user", "password", "ca_file", "certificate", "key"},
    GET: {"host", "port", "called", "calling", "tls", "ca_file", "certificate", "key"},
    MOVE: {"host", "port", "called", "calling", "receiver", "tls", "ca_file", "certificate", "key"},
}
"""The fields that each connection has."""
LABELS = {
    "url": ("Address", "https://pacs.example/dicom-web"),
    "user": ("User name", "if the service asks for one"),
    "password": ("Password", "kept in the keyring of this account only"),
    "host": ("Host", "10.0.0.5"),
    "port": ("Port", "104"),
    "called": ("AE title of the PACS", "ARCHIVE"),
    "calling": ("AE title of this workstation", CALLING),
    "receiver": ("Receive on", "10.0.0.7:11112, as the PACS knows it"),
    "ca_file": ("Authority (PEM)", "if it is not a public one"),
    "certificate": ("Own certificate (PEM)", "if the PACS asks for one"),
    "key": ("Own private key (PEM)", ""),
}
FILES = ("ca_file", "certificate", "key")


class AddressForm(QDialog):
    """Stays open with the reason while the PACS cannot be stored."""

    WIDTH: ClassVar[int] = 84
    """In average characters."""

    def __init__(self, state: PacsAddressesState, pacs: Pacs | None, parent: QWidget | None = None) -> None:
        """`pacs` is edited; None for a new one."""
        super().__init__(parent)
        self._state, self._edited = state, pacs
        self.setWindowTitle("Edit PACS" if pacs else "Add PACS")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(self.WIDTH * self.fontMetrics().averageCharWidth())
        self.name = QLineEdit()
        self.connection = QComboBox()
        self.connection.addItems(list(FOR))
        self.texts = {name: QLineEdit() for name in LABELS}
        self.texts["port"].setValidator(QIntValidator(1, 65_535, self))
        self.texts["password"].setEchoMode(QLineEdit.EchoMode.Password)
        self.tls = QCheckBox("TLS")
        self.allow_plain = QCheckBox("Allow a connection without TLS")
        self.allow_plain.setToolTip("Others on the network can then read what is asked and sent.")
        fields = QWidget()
        self._scroll = PanelScroll(fields)
        self._form = QFormLayout(fields)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.addRow("Name", self.name)
        self._form.addRow("Connection", self.connection)
        self._rows: dict[str, QWidget] = {}
        for name, (label, hint) in LABELS.items():
            self._add_row(name, label, hint)
        self._rows["tls"] = self.tls
        self._form.addRow("", self.tls)
        self._form.addRow("", self.allow_plain)
        self.problem = QLabel()
        self.problem.setProperty("notice", True)
        self.problem.setWordWrap(True)
        self.problem.setMinimumHeight(2 * self.fontMetrics().lineSpacing())  # so that nothing moves
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)
        self.save = self.buttons.addButton("Save", QDialogButtonBox.ButtonRole.AcceptRole)
        self.save.setDefault(True)
        self.save.setProperty("primary", True)
        self.buttons.accepted.connect(self._save)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self._scroll)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)
        self.connection.currentTextChanged.connect(self._show_fields)
        state.saved.connect(self.accept)
        state.refused.connect(self._refuse)
        self._fill(pacs or Pacs("", url="https://"))
        self._show_fields(self.connection.currentText())
        self.name.setFocus()

    @override
    def done(self, result: int) -> None:
        """Listen to no answers any more."""
        self._state.saved.disconnect(self.accept)
        self._state.refused.disconnect(self._refuse)
        super().done(result)

    def _add_row(self, name: str, label: str, hint: str) -> None:
        field = self.texts[name]
        field.setPlaceholderText(hint)
        row: QWidget = field
        if name in FILES:
            browse = QPushButton("Browse…")
            browse.setAutoDefault(False)
            browse.clicked.connect(lambda: self._browse(name))
            row = QWidget()
            inner = QHBoxLayout(row)
            inner.setContentsMargins(0, 0, 0, 0)
            inner.addWidget(field, 1)
            inner.addWidget(browse)
        field.setAccessibleName(label)
        self._rows[name] = row
        self._form.addRow(label, row)

    def _fill(self, pacs: Pacs) -> None:
        self.name.setText(pacs.name)
        self.connection.setCurrentText(WEB if pacs.is_web else MOVE if pacs.receiver else GET)
        for name, field in self.texts.items():
            field.setText(str(getattr(pacs, name, "") or ""))
        self.tls.setChecked(pacs.tls or pacs.is_web)
        self.allow_plain.setChecked(pacs.allow_plain)
        if self._edited and pacs.user:
            self.texts["password"].setPlaceholderText("unchanged")

    def _show_fields(self, connection: str) -> None:
        for name, row in self._rows.items():
            self._form.setRowVisible(row, name in FOR[connection])
        self.problem.clear()
        self._form.activate()  # else the height is still that of the other fields
        self._scroll.updateGeometry()
        fit_pixels(self, max(self.minimumWidth(), self.sizeHint().width()), self.sizeHint().height() + theme.GAP)

    def _browse(self, name: str) -> None:
        path, _ = QFileDialog.getOpenFileName(self, f"Choose {LABELS[name][0]}")
        if path:
            self.texts[name].setText(str(Path(path)))

    def _save(self) -> None:
        used = FOR[self.connection.currentText()]
        values: dict[str, str | int | bool] = {
            name: field.text().strip() for name, field in self.texts.items() if name in used and name != "password"
        }
        values |= {"name": self.name.text().strip(), "allow_plain": self.allow_plain.isChecked()}
        if "port" in used:
            values |= {"port": int(self.texts["port"].text() or 0), "tls": self.tls.isChecked()}
        values["calling"] = values.get("calling") or CALLING
        self.save.setEnabled(False)
        self.problem.clear()
        password = self.texts["password"].text() if "password" in used else ""
        self._state.save(values, password, self._edited.name if self._edited else "")

    def _refuse(self, reason: str) -> None:
        self.problem.setText(reason)
        self.save.setEnabled(True)
