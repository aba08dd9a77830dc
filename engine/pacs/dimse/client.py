"""Asks a PACS by DIMSE (PS3.7): C-ECHO, C-FIND, and C-GET or C-MOVE to retrieve. Knows no folders.

Kindred is a user of these services; of storage it is only the provider (`receiver.py`), so it sends no object.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.values import text
from engine.pacs.address import Pacs
from engine.pacs.dimse import errors
from engine.pacs.dimse.entity import MAX_PDU, Sockets, application_entity, end
from engine.pacs.dimse.receiver import receiver, storing
from engine.pacs.dimse.storage import ATTEMPTS, get_contexts
from engine.pacs.dimse.tls import client_context
from engine.pacs.limits import Watch
from engine.pacs.packages import require
from engine.pacs.source import ObjectKey, Take, Wanted
from engine.pacs.studies import KEYS, MOST, count_in, is_uid

if TYPE_CHECKING:
    from pynetdicom.association import Association
    from pynetdicom.events import EventHandlerType

MOST_OBJECTS = 200_000
WITH_MODALITIES = 100
"""Studies whose series are asked for, where a PACS does not list the modalities of studies."""
PENDING = (0xFF00, 0xFF01)
NOT_SENT = 0xA702
WARNING = 0xB000
"""Some objects could not be sent; the result says which are missed."""
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
GET = "1.2.840.10008.5.1.4.1.2.2.3"
VERIFICATION = "1.2.840.10008.1.1"
UNICODE = "ISO_IR 192"


class Dimse:
    """A connection to a PACS by DIMSE, Study Root. For one thread."""

    attempts = ATTEMPTS

    def __init__(self, pacs: Pacs, watch: Watch) -> None:
        """Connect to nothing yet.

        Raises:
            UserError: a package is missing.
        """
        require("pynetdicom")
        self._pacs, self._watch = pacs, watch
        self._heard = 0.0
        self._reached = False

    def echo(self) -> None:
        """Send a C-ECHO."""
        with self._association([VERIFICATION], "C-ECHO") as association:
            status = association.send_c_echo()
            self._check(status)

    def studies(self, patient_id: str) -> list[Dataset]:
        """See `Source`. Modalities are optional in an answer (PS3.4 C.6.2.1.2), so they are asked for by series."""
        found = self._studies(PatientID=patient_id)
        without = [one for one in found if text(one, "StudyInstanceUID") and not text(one, "ModalitiesInStudy")]
        if without:
            with collect_warnings(), self._association([FIND], "C-FIND") as association:
                for one in without[:WITH_MODALITIES]:
                    keys = {"StudyInstanceUID": text(one, "StudyInstanceUID"), "SeriesInstanceUID": "", "Modality": ""}
                    series = self._find(association, _question("SERIES", **keys), MOST_OBJECTS)
                    one.ModalitiesInStudy = sorted({text(each, "Modality") for each in series} - {""})
        return found

    def count(self, study_uid: str) -> int | None:
        """See `Source`."""
        return count_in(self._studies(StudyInstanceUID=study_uid), study_uid, self._pacs)

    def objects(self, study_uid: str) -> list[ObjectKey]:
        """See `Source`."""
        found: list[ObjectKey] = []
        with collect_warnings(), self._association([FIND], "C-FIND") as association:
            series = self._find(
                association, _question("SERIES", StudyInstanceUID=study_uid, SeriesInstanceUID=""), MOST_OBJECTS
            )
            for series_uid in sorted({text(one, "SeriesInstanceUID") for one in series}):
                if not is_uid(series_uid):
                    continue
                keys = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid}
                question = _question("IMAGE", **keys, SOPInstanceUID="", SOPClassUID="")
                for one in self._find(association, question, MOST_OBJECTS):
                    if is_uid(text(one, "SOPInstanceUID")):
                        found.append(ObjectKey(series_uid, text(one, "SOPInstanceUID"), text(one, "SOPClassUID")))
        return found

    def _studies(self, **keys: str) -> list[Dataset]:
        question = _question("STUDY", **{**dict.fromkeys(KEYS, ""), **keys})
        if not all(map(str.isascii, keys.values())):
            question.SpecificCharacterSet = UNICODE
        with self._association([FIND], "C-FIND") as association:
            return self._find(association, question, MOST + 1)

    def retrieve(self, wanted: Wanted, take: Take) -> None:
        """See `Source`."""
        level = "IMAGE" if wanted.sop_uids else "SERIES" if wanted.series_uid else "STUDY"
        question = _question(level, StudyInstanceUID=wanted.study_uid)
        if wanted.series_uid:
            question.SeriesInstanceUID = wanted.series_uid
        if wanted.sop_uids:
            question.SOPInstanceUID = list(wanted.sop_uids)
        if self._pacs.receiver:
            self._move(question, wanted, take)
        else:
            self._get(question, wanted, take)

    def _get(self, question: Dataset, wanted: Wanted, take: Take) -> None:
        handlers = storing(self._pacs, self._watch, take)
        with self._association([GET], "C-GET", wanted, handlers) as association:
            self._follow(association.send_c_get(question, UID(GET)))

    def _move(self, question: Dataset, wanted: Wanted, take: Take) -> None:
        with (
            receiver(self._pacs, self._watch, take, wanted.attempt) as came,
            self._association([MOVE], "C-MOVE") as association,
        ):
            self._follow(association.send_c_move(question, self._pacs.calling, UID(MOVE)), came.is_set)

    def _follow(self, responses: Iterator[tuple[Dataset, Any]], came: Callable[[], bool] = lambda: True) -> None:
        """Wait until a retrieval is over.

        Args:
            responses: of the PACS.
            came: whether it has connected to send anything. If so, a failure to send is one of the objects, which the
                result counts as missing, perhaps after another attempt.
        """
        for status, _ in responses:
            code = status.get("Status")
            if code not in (*PENDING, WARNING) and not (code == NOT_SENT and came()):
                self._check(status)
            self._watch.check()
            self._heard = time.monotonic()

    def _find(self, association: "Association", question: Dataset, most: int) -> list[Dataset]:
        found: list[Dataset] = []
        for status, answer in association.send_c_find(question, UID(FIND)):
            self._watch.check()
            if status.get("Status") not in PENDING:
                self._check(status)
            elif answer is not None:
                found.append(answer)
                self._heard = time.monotonic()
                if len(found) >= most:
                    association.abort()
                    break
        return found

    def _check(self, status: Dataset) -> None:
        code = status.get("Status")
        if code != 0:
            self._watch.check()
        if code is None:
            raise errors.no_answer(self._pacs, time.monotonic() - self._heard < self._watch.limits.silence)
        if code != 0:
            raise errors.refusal(self._pacs, int(code))

    @contextmanager
    def _association(
        self,
        services: Sequence[str],
        name: str,
        received: Wanted | None = None,
        handlers: "Sequence[EventHandlerType]" = (),
    ) -> "Iterator[Association]":
        """An association that is released at the end, or aborted where it has to end earlier."""
        self._watch.check()
        if not self._reached:
            errors.check_connection(self._pacs, self._watch.limits.connect)
            self._reached = True
        entity = application_entity(self._pacs, self._watch.limits)
        for service in services:
            entity.add_requested_context(service)
        roles = [] if received is None else get_contexts(entity, received.sop_classes, received.attempt)
        tls = (client_context(self._pacs), self._pacs.host) if self._pacs.tls else None
        sockets = Sockets()
        try:
            association = entity.associate(
                self._pacs.host,
                self._pacs.port,
                ae_title=self._pacs.called,
                max_pdu=MAX_PDU,
                ext_neg=list(roles),
                tls_args=tls,
                evt_handlers=[*handlers, sockets.handler()],
            )
            yield from self._until_over(association, services[0], name)
        finally:
            sockets.close()

    def _until_over(self, association: "Association", service: str, name: str) -> "Iterator[Association]":
        if not association.is_established:
            raise errors.no_association(self._pacs, association)
        self._heard = time.monotonic()
        try:
            if not any(one.abstract_syntax == service for one in association.accepted_contexts):
                raise errors.no_service(self._pacs, name)
            with self._watch.ending(lambda: end(association)):
                yield association
        except BaseException:
            association.abort()  # messages that nobody reads may still arrive, and a release waits for them
            raise
        if association.is_established:
            association.release()


def _question(level: str, **keys: str) -> Dataset:
    question = Dataset()
    question.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(question, keyword, value)
    return question
