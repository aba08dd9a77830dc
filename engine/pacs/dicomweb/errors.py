"""Turns what goes wrong with a DICOMweb service into one sentence that says what to do. Never repeats a query."""

from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.pacs.dicomweb.multipart import BrokenMultipartError, CutOffError

BROKE = "The connection to {} broke; try again, a retrieval goes on where it ended."
STATUS = {
    400: "does not understand the question; it may be no DICOMweb service",
    401: "refused user name or password; add the PACS again with the right ones",
    403: "does not allow this user to do that; ask its administrator",
    404: "has no DICOMweb service at this address; check its path",
    406: "cannot send the objects as they are stored; ask its administrator",
    413: "finds the answer too large; look for the study in the PACS itself",
    429: "is asked too often at the moment; try again later",
    503: "is busy or being maintained; try again later",
}


def status_error(pacs: Pacs, status: int) -> UserError:
    """The error for an HTTP status."""
    said = STATUS.get(status, "cannot answer; ask its administrator" if status >= 500 else "refused the question")
    return UserError(f"{pacs.name} {said} (HTTP {status}).")


@contextmanager
def explained(pacs: Pacs) -> Iterator[None]:
    """Raise a UserError for whatever a request raises.

    Raises:
        UserError: what is wrong with the service, the connection or the answer.
    """
    import requests

    try:
        yield
    except requests.HTTPError as error:
        raise status_error(pacs, 0 if error.response is None else error.response.status_code) from None
    except requests.TooManyRedirects:
        raise UserError(f"{pacs.name} refers to another address, which is not followed; add that one.") from None
    except requests.exceptions.SSLError as error:
        raise _certificate(pacs, error) from None
    except requests.ConnectTimeout:
        raise UserError(f"{pacs.name} does not answer at {pacs.where}; check address, port and firewall.") from None
    except requests.Timeout:
        raise UserError(f"{pacs.name} has stopped answering; try again, a retrieval goes on where it ended.") from None
    except requests.ConnectionError as error:
        raise _connection(pacs, error) from None
    except (requests.exceptions.ChunkedEncodingError, CutOffError):
        raise UserError(BROKE.format(pacs.name)) from None
    except (requests.RequestException, BrokenMultipartError):
        raise UserError(f"The answer of {pacs.name} is not DICOMweb; check the address {pacs.where}.") from None
    except OSError as error:  # of the file of a certificate
        raise UserError(f"The certificate files of {pacs.name} cannot be used: {error.strerror or error}.") from None


def _certificate(pacs: Pacs, error: Exception) -> UserError:
    said = str(error)
    if "Hostname mismatch" in said or "IP address mismatch" in said or "doesn't match" in said:
        return UserError(
            f"The certificate of {pacs.name} is for another host; give the host name that is in the certificate."
        )
    if "certificate has expired" in said:
        return UserError(f"The certificate of {pacs.name} has expired; ask its administrator for a new one.")
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return UserError(
            f"The certificate of {pacs.name} was signed by an unknown authority; give the PEM file of the authority "
            "that your hospital uses."
        )
    if "CERTIFICATE_REQUIRED" in said or "HANDSHAKE_FAILURE" in said or "handshake failure" in said:
        return UserError(
            f"{pacs.name} asks for a certificate of this workstation, or refused it; give its certificate and key."
        )
    return UserError(f"There is no TLS connection to {pacs.where}; check whether its port speaks https.")


def _connection(pacs: Pacs, error: Exception) -> UserError:
    said = str(error)
    if "NameResolutionError" in said:
        return UserError(f"The host of {pacs.where} is not known; check its name and the network.")
    if "Connection refused" in said or "10061" in said:
        return UserError(f"Nothing answers at {pacs.where}; check the port, and whether the PACS is running.")
    if "Read timed out" in said:
        return UserError(f"{pacs.name} has stopped answering; try again, a retrieval goes on where it ended.")
    if "IncompleteRead" in said or "Connection broken" in said or "Connection aborted" in said:
        return UserError(BROKE.format(pacs.name))
    return UserError(f"{pacs.name} cannot be reached at {pacs.where}; check the address and the network.")
