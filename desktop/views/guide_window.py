"""Shows the guides in a window of the app, for a computer without a browser. Shows built pages, and builds none."""

import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFile, QIODevice, QSize, Qt, QUrl
from PySide6.QtGui import QImage, QImageReader, QKeySequence, QShortcut, QTextCursor, QTextDocument
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QPushButton, QTextBrowser, QVBoxLayout, QWidget
from typing_extensions import override

from desktop import theme
from desktop.views.sizes import fit_pixels

ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
"""What a page says, without the navigation around it, which needs scripts."""
LEFT_OUT = re.compile(r'<a class="headerlink".*?</a>|<svg.*?</svg>', re.DOTALL)
MARGIN = 40
"""Logical pixels that a picture leaves free beside it."""
STYLE = "td, th { padding: 2px 8px 2px 0 } th { text-align: left } code, pre { font-family: monospace }"


class GuidePages(QTextBrowser):
    """Shows one page at a time; links lead to the others."""

    @override
    def loadResource(self, kind: int, url: QUrl | str) -> Any:
        file = QFile(self.source().resolved(QUrl(url)).toLocalFile())
        if kind == QTextDocument.ResourceType.ImageResource.value:
            return self._picture(file.fileName())
        if kind != QTextDocument.ResourceType.HtmlResource.value or not file.open(QIODevice.OpenModeFlag.ReadOnly):
            return None
        page = bytes(file.readAll().data()).decode("utf-8", "replace")
        found = ARTICLE.search(page)
        return LEFT_OUT.sub("", found.group() if found else page)

    def _picture(self, name: str) -> Any:
        """A picture, no wider than the window."""
        reader = QImageReader(name)
        size, room = reader.size(), max(200, self.viewport().width() - MARGIN)
        if size.width() > room:
            reader.setScaledSize(QSize(room, size.height() * room // size.width()))
        image = reader.read()
        return image if not image.isNull() else QImage(1, 1, QImage.Format.Format_Alpha8)  # its decoder is not here


class GuideWindow(QDialog):
    """The guides from their first page on."""

    def __init__(self, page: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("User guide")
        self.pages = GuidePages()
        self.pages.setOpenExternalLinks(False)
        self.pages.setAccessibleName("Page of the guide")
        self.pages.document().setDefaultStyleSheet(STYLE)
        self.words = QLineEdit()
        self.words.setPlaceholderText("Find on this page")
        self.words.setAccessibleName("Find on this page")
        self.words.setClearButtonEnabled(True)
        self.words.returnPressed.connect(self._find_next)
        QShortcut(QKeySequence.StandardKey.Find, self, self.words.setFocus)
        back, contents = QPushButton("Back"), QPushButton("Contents")
        buttons = QHBoxLayout()
        for button, work in ((contents, self.pages.home), (back, self.pages.backward)):
            button.setAutoDefault(False)
            button.clicked.connect(work)
            buttons.addWidget(button)
        buttons.addStretch()
        buttons.addWidget(self.words)
        back.setEnabled(False)
        self.pages.backwardAvailable.connect(back.setEnabled)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP)
        layout.addLayout(buttons)
        layout.addWidget(self.pages, 1)
        fit_pixels(self, 900, 760)
        self.pages.setSource(QUrl.fromLocalFile(str(page)))
        self.pages.setFocus()

    def _find_next(self) -> None:
        """Select the next place of the text; after the last one the first."""
        if not self.pages.find(self.words.text()):
            self.pages.moveCursor(QTextCursor.MoveOperation.Start)
            self.pages.find(self.words.text())
