"""Asks a PACS by DICOMweb (PS3.18): QIDO-RS for studies and objects, WADO-RS to retrieve them. Knows no folders.

Certificates are always verified, redirects are not followed, and proxies or passwords of the environment are not used:
only the address that the user gave is connected to.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydicom.dataset import Dataset

from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.values import text
from engine.errors import UserError
from engine.pacs import passwords
from engine.pacs.address import Pacs
from engine.pacs.dicomweb.errors import explained
from engine.pacs.dicomweb.multipart import BrokenMultipartError, media_type, parts
from engine.pacs.limits import Watch
from engine.pacs.packages import require
from engine.pacs.source import ObjectKey, Take, Wanted
from engine.pacs.studies import KEYS, MOST, count_in, is_uid
from engine.resources import trusted_authorities

if TYPE_CHECKING:
    import requests

CHUNK = 1 << 20
PAGE = 1_000
"""Results that are asked for at once."""
MOST_OBJECTS = 200_000
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""Objects in the transfer syntax that they are stored in (PS3.18 8.7.3.5.2)."""
NO_STUDY = "2.25.0"
"""A study that no PACS has."""


class DicomWeb:
    """A connection to a DICOMweb service. For one thread."""

    attempts = 1

    def __init__(self, pacs: Pacs, watch: Watch) -> None:
        """Connect to nothing yet.

        Raises:
            UserError: a package is missing.
        """
        require("requests", "dicomweb_client")
        from dicomweb_client import DICOMwebClient

        self._pacs, self._watch = pacs, watch
        self._session = _session(pacs, watch)
        timeout = (watch.limits.connect, watch.limits.silence)
        self._client: DICOMwebClient = DICOMwebClient(pacs.url.rstrip("/"), self._session, timeout=timeout)
        self._client.set_http_retry_params(retry=False)
        self._client.host = urlsplit(pacs.url).netloc  # of the header Host; it would leave out the port

    def echo(self) -> None:
        """Ask for a study that no PACS has."""
        with self._told():
            self._client.search_for_studies(limit=1, search_filters={"StudyInstanceUID": NO_STUDY})

    def studies(self, patient_id: str) -> list[Dataset]:
        """See `Source`."""
        return self._studies(PatientID=patient_id)

    def count(self, study_uid: str) -> int | None:
        """See `Source`."""
        return count_in(self._studies(StudyInstanceUID=study_uid), study_uid, self._pacs)

    def objects(self, study_uid: str) -> list[ObjectKey]:
        """See `Source`."""

        def page(offset: int) -> list[dict[str, Any]]:
            fields = ["SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID"]
            return self._client.search_for_instances(study_uid, limit=PAGE, offset=offset, fields=fields)

        found = (
            ObjectKey(text(one, "SeriesInstanceUID"), text(one, "SOPInstanceUID"), text(one, "SOPClassUID"))
            for one in self._pages(page, "SOPInstanceUID", MOST_OBJECTS)
        )
        return [one for one in found if is_uid(one.sop_uid) and is_uid(one.series_uid)]

    def _studies(self, **keys: str) -> list[Dataset]:
        def page(offset: int) -> list[dict[str, Any]]:
            return self._client.search_for_studies(limit=PAGE, offset=offset, fields=list(KEYS), search_filters=keys)

        return list(self._pages(page, "StudyInstanceUID", MOST + 1))

    def retrieve(self, wanted: Wanted, take: Take) -> None:
        """See `Source`."""
        url = f"{self._pacs.url.rstrip('/')}/studies/{wanted.study_uid}"
        if wanted.series_uid:
            url += f"/series/{wanted.series_uid}"
        for one in [f"{url}/instances/{uid}" for uid in wanted.sop_uids] or [url]:
            self._watch.check()
            with self._told():
                self._fetch(one, take)

    def _fetch(self, url: str, take: Take) -> None:
        timeout = (self._watch.limits.connect, self._watch.limits.silence)
        with self._session.get(url, headers={"Accept": ACCEPT}, stream=True, timeout=timeout) as response:
            if response.status_code in (204, 404, 410):
                return  # it is missed in the result
            response.raise_for_status()
            kind, boundary = media_type(response.headers.get("Content-Type", ""))
            with self._watch.ending(response.raw.shutdown):
                chunks = response.iter_content(CHUNK)
                largest = self._watch.limits.image
                if kind == "application/dicom":
                    take(_whole(chunks, largest))
                elif kind == "multipart/related" and boundary:
                    for part in parts(chunks, boundary, largest):
                        take(part)
                else:
                    raise BrokenMultipartError(f"it is {kind}")

    def _pages(self, page: Any, key: str, most: int) -> Iterator[Dataset]:
        """Results page after page, each once: a service may ignore `limit` and `offset`, or repeat itself."""
        seen: set[str] = set()
        offset = 0
        while len(seen) < most:
            self._watch.check()
            with self._told():
                rows = [_dataset(row) for row in page(offset)]
            new = [row for row in rows if text(row, key) not in seen]
            if not new:
                return
            yield from new
            seen.update(text(row, key) for row in new)
            offset += len(rows)

    @contextmanager
    def _told(self) -> Iterator[None]:
        with explained(self._pacs):
            yield


def _session(pacs: Pacs, watch: Watch) -> "requests.Session":
    import requests

    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.verify = pacs.ca_file or trusted_authorities() or True
    if pacs.certificate:
        session.cert = (pacs.certificate, pacs.key)
    if pacs.user:
        password = passwords.recall(pacs)
        if password is None:
            raise UserError(
                f"The keyring has no password of {pacs.user} for {pacs.name}: add the PACS again with its password."
            )
        session.auth = requests.auth.HTTPBasicAuth(pacs.user.encode(), password.encode())

    def bounded(response: "requests.Response", *_: object, **options: object) -> None:
        """Read the answer to a query, as far as it may be long, before requests reads it whole."""
        if options.get("stream"):
            return
        body = bytearray()
        try:
            with watch.ending(response.raw.shutdown):
                for chunk in response.iter_content(CHUNK):
                    body += chunk
                    if len(body) > watch.limits.query:
                        raise UserError(f"The answer of {pacs.name} is too long; look for the study there.")
        except BaseException:
            response.close()
            raise
        response._content = bytes(body)

    session.hooks["response"] = [bounded]
    return session


def _whole(chunks: Iterator[bytes], largest: int) -> bytes | None:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > largest:
            return None
    return bytes(body)


def _dataset(row: Mapping[str, Any]) -> Dataset:
    """A result in the DICOM JSON model (PS3.18 F)."""
    try:
        with collect_warnings():  # of values that are against the standard
            return Dataset.from_json(dict(row))
    except Exception as error:  # pydicom documents none of what damaged values raise
        raise BrokenMultipartError("a result is no DICOM JSON") from error
