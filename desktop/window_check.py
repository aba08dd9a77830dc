"""Shows a study and an archive in the real window, and says in JSON when it was usable and how large it is.

`kindred doctor --self-test` and `benchmarks.start` run it in a process of its own.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from PySide6.QtCore import QRect, QTimer
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
    started: list[float] = []
    try:
        desk.begin([study], archive)
        QTimer.singleShot(0, lambda: started.extend(since_start()))
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
    size = {"width": app.window.width(), "height": app.window.height()}
    click.echo(json.dumps({**size, **dict(zip(("usable", "processor"), started))}))
    return 0


def since_start() -> tuple[float, ...]:
    """Seconds since this process was started, and processor time of it; empty where the system does not tell."""
    if sys.platform != "linux":
        return ()
    import resource

    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])  # starttime, proc(5)
    passed = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    used = resource.getrusage(resource.RUSAGE_SELF)
    return round(passed, 2), round(used.ru_utime + used.ru_stime, 2)


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
