"""This workstation as an application entity of DICOM, with time limits and without a log."""

import socket
from typing import TYPE_CHECKING

from engine.pacs.address import Pacs
from engine.pacs.limits import Limits

if TYPE_CHECKING:
    from pynetdicom import AE
    from pynetdicom.association import Association
    from pynetdicom.events import Event, EventHandlerType

MAX_PDU = 1 << 17
"""Bytes of a PDU: with the default of 16 KB, most of the time goes into taking apart small ones."""


def application_entity(pacs: Pacs, limits: Limits) -> "AE":
    """This workstation, with the time limits."""
    from pynetdicom import AE, _config

    _config.LOG_HANDLER_LEVEL = "none"  # its records would hold what is asked for and answered
    _config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False
    entity = AE(pacs.calling)
    entity.maximum_pdu_size = MAX_PDU
    entity.connection_timeout = limits.connect
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = limits.silence
    return entity


class Sockets:
    """The sockets of associations, to close them: pynetdicom only drops one that the other side has closed already."""

    def __init__(self) -> None:
        self._open: list[socket.socket] = []

    def handler(self) -> "EventHandlerType":
        """What an association calls when it is connected."""
        from pynetdicom import evt

        return evt.EVT_CONN_OPEN, self._add

    def _add(self, event: "Event") -> None:
        holder = event.assoc.dul.socket
        if holder is not None and holder.socket is not None:
            self._open.append(holder.socket)

    def close(self) -> None:
        """Close those that are still open; their associations are over."""
        for one in self._open:
            one.close()


def end(association: "Association") -> None:
    """Abort an association, and wake whoever waits for its next message: pynetdicom lets that wait time out."""
    association.dimse.msg_queue.put((None, None))
    association.abort()
