"""Says in one sentence why there is no association with a PACS, or why it refused, and what to do."""

import socket
import ssl
from typing import TYPE_CHECKING

from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.pacs.dimse.tls import client_context

if TYPE_CHECKING:
    from pynetdicom.association import Association

REASONS = {
    "Called AE title not recognised": "has another AE title than {called}; enter that of the PACS",
    "Calling AE title not recognised": "does not know the AE title {calling}; ask its administrator to add this one",
    "Temporary congestion": "has too many connections at the moment; try again later",
    "Local limit exceeded": "has too many connections at the moment; try again later",
}
STATUS = {
    0xA700: "is out of resources; try again later",
    0xA701: "is out of resources; try again later",
    0xA702: "could not send the study to this workstation; check there which address the AE title {calling} has",
    0xA801: "does not know the AE title {calling} as a destination; ask its administrator to add this one",
    0xA900: "does not understand the question; ask its administrator",
    0x0122: "does not offer this service; ask its administrator",
    0x0124: "does not allow this workstation to do that; ask its administrator",
}


def no_association(pacs: Pacs, association: "Association") -> UserError:
    """Why an association was not established."""
    if association.is_rejected:
        reason = association.acceptor.primitive
        said = str(getattr(reason, "reason_str", ""))
        known = next((text for start, text in REASONS.items() if said.startswith(start)), None)
        sentence = known or "refused the connection; check both AE titles"
        return UserError(f"{pacs.name} {sentence.format(called=pacs.called, calling=pacs.calling)}.")
    return UserError(
        f"{pacs.name} ended the connection; check whether its port {pacs.port} speaks DICOM "
        f"{'with' if pacs.tls else 'without'} TLS."
    )


def no_service(pacs: Pacs, service: str) -> UserError:
    """The PACS does not offer a service."""
    other = {
        "C-GET": "give this workstation a receiver for C-MOVE",
        "C-MOVE": "leave the receiver out to use C-GET",
    }
    return UserError(f"{pacs.name} does not offer {service}; {other.get(service, 'ask its administrator')}.")


def no_answer(pacs: Pacs, in_time: bool) -> UserError:
    """A question was not answered.

    Args:
        pacs: that was asked.
        in_time: whether the association ended before the time for an answer was over.
    """
    if in_time:
        return UserError(
            f"{pacs.name} ended the connection; check whether it allows the AE title {pacs.calling} to do that."
        )
    return UserError(f"{pacs.name} has stopped answering; try again, a retrieval goes on where it ended.")


def refusal(pacs: Pacs, status: int) -> UserError:
    """The PACS answered with a status of failure (PS3.4 C.4, PS3.7 C)."""
    said = STATUS.get(status, "could not answer; ask its administrator")
    return UserError(f"{pacs.name} {said.format(calling=pacs.calling)} (status {status:04X}).")


def check_connection(pacs: Pacs, timeout: float) -> None:
    """Connect without DICOM, since pynetdicom keeps to itself what is wrong with a host, a port or a certificate.

    Raises:
        UserError: what is wrong.
    """
    problem = _problem(pacs, timeout)
    if problem is not None:
        raise problem


def _problem(pacs: Pacs, timeout: float) -> UserError | None:
    try:
        with socket.create_connection((pacs.host, pacs.port), timeout) as plain:
            if pacs.tls:
                with client_context(pacs).wrap_socket(plain, server_hostname=pacs.host):
                    pass
    except ssl.SSLCertVerificationError as error:
        return _certificate(pacs, error)
    except ssl.SSLError:
        return UserError(f"There is no TLS connection to {pacs.where}; check whether its port speaks TLS.")
    except socket.gaierror:
        return UserError(f"The host {pacs.host} is not known; check its name and the network.")
    except TimeoutError:
        return UserError(f"{pacs.name} does not answer at {pacs.where}; check address, port and firewall.")
    except ConnectionRefusedError:
        return UserError(f"Nothing answers at {pacs.where}; check the port, and whether the PACS is running.")
    except OSError:
        return UserError(f"{pacs.name} cannot be reached at {pacs.where}; check the address and the network.")
    return None


def _certificate(pacs: Pacs, error: ssl.SSLCertVerificationError) -> UserError:
    if error.verify_code in (62, 64):  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
        return UserError(
            f"The certificate of {pacs.name} is for another host; give the host name that is in the certificate."
        )
    if error.verify_code == 10:  # X509_V_ERR_CERT_HAS_EXPIRED
        return UserError(f"The certificate of {pacs.name} has expired; ask its administrator for a new one.")
    return UserError(
        f"The certificate of {pacs.name} was signed by an unknown authority; give the PEM file of the authority "
        "that your hospital uses."
    )
