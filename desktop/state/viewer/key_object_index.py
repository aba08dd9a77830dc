"""Index of the Key Object documents of the open studies by frame, fast enough for painting.

Does not know the reader's own marks.
"""

from collections import defaultdict
from collections.abc import Iterable

from engine.dicom.key_objects import KeyObject
from engine.study import FrameRef, Study


class KeyObjectIndex:
    """The documents of the open studies by the images they reference."""

    def __init__(self) -> None:
        self._documents: tuple[KeyObject, ...] = ()
        self._references: dict[str, list[tuple[KeyObject, frozenset[int]]]] = {}
        """By SOP Instance UID: documents, and the frames they reference; none: the whole image."""
        self.any = False
        """One of the referenced images is open."""
        self.any_recommended = False
        """One of the open images is referenced by a document that is not a rejection note."""

    def update(self, documents: Iterable[KeyObject], studies: Iterable[Study]) -> bool:
        """Replace the documents; return True when anything changed.

        A document may be opened before its images or after them.
        """
        before = (self._documents, self.any, self.any_recommended)
        self._documents = tuple(documents)
        references: dict[str, list[tuple[KeyObject, frozenset[int]]]] = defaultdict(list)
        for document in self._documents:
            for image in document.key_images:
                references[image.sop_uid].append((document, image.frames))
        self._references = dict(references)
        images = {frame.image.sop_uid for study in studies for frame in study.frames()} if references else set()
        found = [document for uid in images & references.keys() for document, _ in references[uid]]
        self.any, self.any_recommended = bool(found), not all(document.is_rejection_note for document in found)
        return before != (self._documents, self.any, self.any_recommended)

    def documents_of(self, frame: FrameRef) -> tuple[KeyObject, ...]:
        """The documents that reference a frame, or its image as a whole; each once."""
        references = self._references.get(frame.image.sop_uid, ())
        found = {
            document.sop_uid or document.name: document
            for document, frames in references
            if not frames or frame.frame in frames
        }
        return tuple(found.values())

    def is_whole_image(self, frame: FrameRef) -> bool:
        """A multi-frame image is referenced as a whole, and this frame is not referenced by itself."""
        references = self._references.get(frame.image.sop_uid, ())
        return frame.image.frames > 1 and not any(frame.frame in frames for _, frames in references)
