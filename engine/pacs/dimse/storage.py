"""Which objects are received in which transfer syntaxes: every storage class, in every syntax that is decoded here."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetdicom import AE
    from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation

MOST_CONTEXTS = 127
"""Presentation contexts of an association (PS3.8 9.3.2.2), less the one of C-GET."""
NATIVE = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
COMPRESSED = (
    *("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"),
    *("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"),
    *("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203", "1.2.840.10008.1.2.5"),
)
"""JPEG, JPEG-LS, JPEG 2000, High-Throughput JPEG 2000, RLE. No video: nothing here shows it."""
OFFERS = ((*NATIVE, *COMPRESSED), NATIVE, COMPRESSED[6:11], (*COMPRESSED[:6], COMPRESSED[-1]))
"""What is offered for each class, attempt after attempt, where a PACS does not list the classes of a study."""
ATTEMPTS = len(OFFERS)


def get_contexts(
    entity: "AE", sop_classes: Iterable[str], attempt: int = 0
) -> "list[SCP_SCU_RoleSelectionNegotiation]":
    """Offer to receive objects on an association for C-GET, and return the roles to ask for.

    A compressed syntax gets a context of its own: of several in one context, a PACS chooses one, and cannot send what
    it has stored in another one.

    Args:
        entity: that requests the association.
        sop_classes: those of the objects; empty if they are not known, which offers the common ones.
        attempt: how often that was tried before with other syntaxes.
    """
    from pynetdicom import StoragePresentationContexts, build_role

    known = sorted(set(sop_classes))
    if known and attempt == 0:
        pairs = [(one, [syntax]) for syntax in COMPRESSED for one in known]
        pairs = [*((one, list(NATIVE)) for one in known), *pairs]
    else:
        pairs = [(str(one.abstract_syntax), list(OFFERS[attempt])) for one in StoragePresentationContexts]
    offered = list(islice(pairs, MOST_CONTEXTS))
    for sop_class, syntaxes in offered:
        entity.add_requested_context(sop_class, syntaxes)
    return [build_role(one, scp_role=True) for one in dict.fromkeys(sop_class for sop_class, _ in offered)]


def accept_all(entity: "AE", attempt: int = 0) -> None:
    """Accept every storage class on associations that a PACS requests, in the syntaxes of this attempt."""
    from pynetdicom import AllStoragePresentationContexts

    for context in AllStoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax), list(OFFERS[attempt]))
