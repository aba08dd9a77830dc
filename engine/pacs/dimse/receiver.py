"""Receives the objects of a C-GET or C-MOVE (Storage SCP). Knows no folders.

A receiver listens only while a C-MOVE of this workstation runs, on the address that the user configured. It accepts
associations only from the AE title of the PACS; `take` refuses objects of any study that was not asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as ThreadEvent
from threading import Lock
from typing import TYPE_CHECKING

from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.pacs.dimse.entity import Sockets, application_entity, end
from engine.pacs.dimse.storage import accept_all
from engine.pacs.dimse.tls import server_context
from engine.pacs.limits import Watch
from engine.pacs.source import Take

if TYPE_CHECKING:
    from pynetdicom.events import Event, EventHandlerType

SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
"""Status of a C-STORE (PS3.4 B.2.3, PS3.7 C)."""


def storing(pacs: Pacs, watch: Watch, take: Take) -> "list[EventHandlerType]":
    """What an association does with objects: hand them over, and count their bytes while they arrive."""
    from pynetdicom import evt

    lock = Lock()  # a PACS may send on several associations at once
    arrived: dict[int, int] = {}

    def store(event: "Event") -> int:
        arrived[id(event.assoc)] = 0
        if watch.look():
            return OUT_OF_RESOURCES
        try:
            data = event.encoded_dataset()
            with lock:
                return SUCCESS if take(data) else CANNOT_UNDERSTAND
        except Exception as error:  # of the disk, for example: it ends the retrieval, where it is raised
            watch.reason = watch.reason or error
            end(event.assoc)
            return OUT_OF_RESOURCES

    def count(event: "Event") -> None:
        arrived[id(event.assoc)] = arrived.get(id(event.assoc), 0) + len(event.data)
        if arrived[id(event.assoc)] > watch.limits.image:
            watch.reason = watch.reason or UserError(
                f"{pacs.name} sent an object of more than {watch.limits.image >> 20:,} MB; open the study there."
            )
            end(event.assoc)

    return [(evt.EVT_C_STORE, store), (evt.EVT_DATA_RECV, count)]


@contextmanager
def receiver(pacs: Pacs, watch: Watch, take: Take, attempt: int = 0) -> Iterator[ThreadEvent]:
    """Listen for the objects of one C-MOVE. The event says whether an association was requested.

    Raises:
        UserError: the address cannot be listened on.
    """
    from pynetdicom import evt

    came, sockets = ThreadEvent(), Sockets()
    entity = application_entity(pacs, watch.limits)
    entity.require_calling_aet = [pacs.called]
    entity.require_called_aet = True
    accept_all(entity, attempt)
    host, port = pacs.receiver_address
    try:
        server = entity.start_server(
            (host, port),
            block=False,
            ssl_context=server_context(pacs) if pacs.tls else None,
            evt_handlers=[
                *storing(pacs, watch, take),
                sockets.handler(),
                (evt.EVT_ESTABLISHED, lambda event: came.set()),
            ],
        )
    except OSError as error:
        raise UserError(
            f"Nothing can be received at {pacs.receiver} ({error.strerror or error}); give an address of this computer "
            "and a port that no other program uses."
        ) from None
    try:
        yield came
    finally:
        if server is not None:  # as it is if it does not block
            server.shutdown()
        sockets.close()
