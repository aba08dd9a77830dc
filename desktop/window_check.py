"""Shows a study and an archive in the real window, and says what is on it: for `kindred doctor --self-test`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from desktop.app import build, make_application
from desktop.demo import wait
from desktop.views.viewer.viewport import ViewportView
from engine.errors import UserError
from engine.text.words import counted

SECONDS = 60
LEAST_SHADES = 16
"""Of gray, in the middle of a CT image; an empty viewport has one."""


def main(arguments: Sequence[str]) -> int:
    """Show the study and the archive that are named; return the exit status."""
    study, archive = (Path(argument) for argument in arguments)
    make_application()
    app = build()
    app.window.resize(1440, 900)
    app.window.show()
    desk = app.desk
    try:
        desk.begin([study], archive)
        ended = [desk.background.ended, desk.archive.changed]
        wait(lambda: desk.viewport.picture is not None, ended, "Showing the image", SECONDS)
        wait(lambda: desk.archive.archive is not None, ended, "Opening the archive", SECONDS)
        wait(desk.background.idle, ended, "Starting", SECONDS)
        shades = shades_of(middle_of(app.window.findChildren(ViewportView)[0]))
        if shades < LEAST_SHADES:
            raise UserError(f"The viewport shows no image ({counted(shades, 'shade')} of gray); install Kindred again.")
    except UserError as error:
        click.echo(str(error), err=True)
        return 2
    finally:
        app.close()
    click.echo(f"A window of {app.window.width()} x {app.window.height()} pixels showed the study.")
    return 0


def middle_of(view: QWidget) -> QImage:
    """What is painted in the middle of a viewport, where no overlay text is."""
    width, height = view.width() // 3, view.height() // 3
    return view.grab(QRect(width, height, width, height)).toImage()


def shades_of(image: QImage) -> int:
    """How many shades of gray an image has."""
    gray = image.convertToFormat(QImage.Format.Format_Grayscale8)
    pixels = np.frombuffer(gray.constBits(), np.uint8).reshape(gray.height(), gray.bytesPerLine())
    return len(np.unique(pixels[:, : gray.width()]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
