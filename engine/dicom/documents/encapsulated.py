"""Takes the PDF out of an encapsulated PDF object (PS3.3 A.45.1). Does not know what is in it."""

from engine.dicom.documents.document import StudyDocument, read_whole
from engine.dicom.values import integer, raw
from engine.errors import UserError

_BEGIN = b"%PDF-"
_HEAD = 1024
"""Bytes in which a PDF must begin, as readers agree."""


def pdf_of(document: StudyDocument) -> bytes:
    """The bytes of the PDF file.

    Raises:
        UserError: the object cannot be read, or holds no PDF.
    """
    header = read_whole(document)
    data = raw(header, "EncapsulatedDocument")
    if not isinstance(data, bytes) or _BEGIN not in data[:_HEAD]:
        raise UserError("This object does not contain a PDF document; export it again from its source.")
    length = integer(header, "EncapsulatedDocumentLength")  # (0042,0015), without the byte that makes the length even
    return data[:length] if length and len(data) - length in (0, 1) else data
