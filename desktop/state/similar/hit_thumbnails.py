"""Thumbnails of the hits, read from the archive in the background. Knows no widgets and no ranking."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.pictures.picture import Image
from engine.archive import Archive


class HitThumbnails(QObject):
    """The thumbnails of one archive, kept until another one is used."""

    changed = Signal(int)
    """The thumbnail of this image id has been read."""

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._archive: Archive | None = None
        self._images: dict[int, Image | None] = {}

    def use(self, archive: Archive | None) -> None:
        """Read from this archive from now on."""
        if archive is not self._archive:
            self._archive = archive
            self._images.clear()

    def get(self, image_id: int | None) -> Image | None:
        """The thumbnail, or None while it is being read; the first call starts reading it."""
        archive = self._archive
        if image_id is None or archive is None:
            return None
        if image_id not in self._images:
            self._images[image_id] = None
            self._background.start(
                as_work(archive.image, image_id),
                partial(self._take, archive, image_id),
                lane=Lane.THUMBNAIL,
                urgent=True,
            )
        return self._images[image_id]

    def _take(self, archive: Archive, image_id: int, image: Image) -> None:
        if archive is self._archive:
            self._images[image_id] = image
            self.changed.emit(image_id)
