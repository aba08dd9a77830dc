"""Finds what Key Object documents say of a frame, quickly enough to ask while painting. Holds no mark of the reader."""

from collections import defaultdict
from collections.abc import Iterable

from engine.dicom.key_objects import KeyObject
from engine.study import FrameRef, Study

_Notes = dict[str, list[tuple[KeyObject, frozenset[int]]]]


class NotedImages:
    """The documents of the open studies by the images they name."""

    def __init__(self) -> None:
        self._documents: tuple[KeyObject, ...] = ()
        self._notes: _Notes = {}
        self.any = False
        """One of the images that they name is open."""
        self.any_recommended = False
        """One of them is named for another reason than to warn of it."""

    def read(self, documents: Iterable[KeyObject], studies: Iterable[Study]) -> bool:
        """Take these in the place of those before; True when something of it is new.

        A document may come before its images or after them, with another opening.
        """
        before = (self._documents, self.any, self.any_recommended)
        self._documents = tuple(documents)
        notes: _Notes = defaultdict(list)
        for document in self._documents:
            for marked in document.key_images:
                notes[marked.sop_uid].append((document, marked.frames))
        self._notes = dict(notes)
        images = {frame.image.sop_uid for study in studies for frame in study.frames()} if notes else set()
        found = [document for uid in images & notes.keys() for document, _ in notes[uid]]
        self.any, self.any_recommended = bool(found), not all(document.is_rejection_note for document in found)
        return before != (self._documents, self.any, self.any_recommended)

    def of(self, frame: FrameRef) -> tuple[KeyObject, ...]:
        """The documents that name a frame, or its image as a whole; each once."""
        notes = self._notes.get(frame.image.sop_uid, ())
        found = {document.sop_uid or document.name: document for document, frames in notes if _names(frames, frame)}
        return tuple(found.values())

    def only_whole(self, frame: FrameRef) -> bool:
        """Is it named only as one of many frames of an image that is named as a whole?"""
        notes = self._notes.get(frame.image.sop_uid, ())
        return frame.image.frames > 1 and not any(frame.frame in frames for _, frames in notes)


def _names(frames: frozenset[int], frame: FrameRef) -> bool:
    return not frames or frame.frame in frames
