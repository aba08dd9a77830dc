"""A DICOMweb service that errs, lies or stalls: what is wrong is said, what is right is kept. No PACS is needed."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.errors import Cancelled, UserError
from engine.pacs.address import Pacs
from engine.pacs.connection import echo, find
from engine.pacs.limits import Limits
from engine.pacs.retrieve import retrieve
from engine.pacs.studies import Sought
from engine.study import Patient
from tests.engine.dicom_samples import dataset

SOUGHT = Sought(Patient(name="Test^Anna", id="4711"), issuer="HOSPITAL")
STUDY = "1.2.3"
Answer = tuple[int, dict[str, str], bytes]


class Service:
    """Answers by a function of path and query; counts and keeps the requests."""

    def __init__(self) -> None:
        self.answer: Callable[[str, dict[str, list[str]]], Answer] = lambda path, query: json_answer([])
        self.paths: list[str] = []
        self.goes_on = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.paths.append(self.path)
                parts = urlsplit(self.path)
                status, headers, body = service.answer(parts.path, parse_qs(parts.query))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                if "stalls" in headers:
                    self.wfile.flush()
                    service.goes_on.wait(30)

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def pacs(self) -> Pacs:
        return Pacs("pacs", url=f"http://127.0.0.1:{self.server.server_address[1]}/web")


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.goes_on.set()
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def json_answer(rows: Any) -> Answer:
    body = json.dumps(rows).encode()
    return 200, {"Content-Type": "application/dicom+json", "Content-Length": str(len(body))}, body


def row(uid: str, patient: str = "4711", issuer: str = "", **values: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"0020000D": {"vr": "UI", "Value": [uid]}, "00100020": {"vr": "LO", "Value": [patient]}}
    if issuer:
        found["00100021"] = {"vr": "LO", "Value": [issuer]}
    return found | {tag: {"vr": "DA", "Value": [value]} for tag, value in values.items()}


def image(number: int, study: str = STUDY, patient: str = "4711") -> bytes:
    made = dataset("MR_small.dcm")
    made.StudyInstanceUID, made.SeriesInstanceUID, made.PatientID = study, f"{study}.1", patient
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.1.{number}"
    buffer = BytesIO()
    made.save_as(buffer)
    return buffer.getvalue()


def multipart(*bodies: bytes, end: bytes = b"--", **headers: str) -> Answer:
    head = b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n"
    body = b"".join(head + one for one in bodies) + b"\r\n--b" + end
    return 200, {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b', **headers}, body


def study_of(count: int, objects: Answer) -> Callable[[str, dict[str, list[str]]], Answer]:
    def answer(path: str, query: dict[str, list[str]]) -> Answer:
        if path == "/web/studies":
            listed = row(STUDY) | {"00201208": {"vr": "IS", "Value": [count]}}
            return json_answer([listed] if query.get("offset") == ["0"] else [])
        if path.endswith("/instances"):
            keys = {"0020000E": {"vr": "UI", "Value": [f"{STUDY}.1"]}}
            rows = [keys | {"00080018": {"vr": "UI", "Value": [f"1.2.3.1.{n}"]}} for n in range(count)]
            return json_answer(rows if query.get("offset") == ["0"] else [])
        return objects

    return answer


def test_studies_of_other_patients_and_issuers_are_dropped_and_counted(service: Service) -> None:
    rows = [row("1.1"), row("1.2", "47110"), row("1.3", ""), row("1.4", issuer="OTHER"), row("1.5", issuer="HOSPITAL")]
    service.answer = lambda path, query: json_answer(rows)
    found = find(service.pacs, SOUGHT)
    assert {one.uid for one in found.studies} == {"1.1", "1.5"}
    assert found.dropped == 3


def test_a_study_whose_uid_is_none_is_dropped(service: Service) -> None:
    service.answer = lambda path, query: json_answer([row("../../etc"), row("1.1")])
    found = find(service.pacs, SOUGHT)
    assert ([one.uid for one in found.studies], found.dropped) == (["1.1"], 1)


def test_a_service_that_ignores_offset_is_asked_no_longer_than_it_says_anything_new(service: Service) -> None:
    service.answer = lambda path, query: json_answer([row("1.1"), row("1.2")])
    assert len(find(service.pacs, SOUGHT).studies) == 2
    assert len(service.paths) == 2


def test_a_service_that_never_ends_is_stopped(service: Service) -> None:
    service.answer = lambda path, query: json_answer(
        [row(f"1.{number}") for number in range(int(query["offset"][0]), int(query["offset"][0]) + 500)]
    )
    with pytest.raises(UserError, match="more than 2,000 studies"):
        find(service.pacs, SOUGHT)
    assert len(service.paths) <= 6


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "user name or password"), (403, "does not allow"), (404, "check its path"), (503, "busy"), (500, "cannot")],
)
def test_each_refusal_is_one_sentence_without_the_patient(service: Service, status: int, said: str) -> None:
    service.answer = lambda path, query: (status, {"Content-Length": "0"}, b"")
    with pytest.raises(UserError, match=said) as caught:
        find(service.pacs, SOUGHT)
    assert "4711" not in str(caught.value)
    assert str(caught.value).count(".") == 1
    assert len(service.paths) == 1  # it is not tried again and again


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b'{"a": [', b"[1]", b'[{"0020000D": 5}]', b'["x"]', b"\xff"])
def test_what_is_no_dicomweb_is_said(service: Service, body: bytes) -> None:
    service.answer = lambda path, query: (200, {"Content-Length": str(len(body))}, body)
    with pytest.raises(UserError, match="is not DICOMweb"):
        find(service.pacs, SOUGHT)


def test_a_redirect_is_not_followed(service: Service) -> None:
    service.answer = lambda path, query: (302, {"Location": "/elsewhere", "Content-Length": "0"}, b"")
    with pytest.raises(UserError, match="refers to another address"):
        echo(service.pacs)
    assert len(service.paths) == 1


def test_an_answer_that_is_too_long_is_not_read(service: Service) -> None:
    service.answer = lambda path, query: (200, {"Content-Length": "3000000"}, bytes(3_000_000))
    with pytest.raises(UserError, match="too long"):
        find(service.pacs, SOUGHT, Limits(query=1_000_000))


def test_a_service_that_says_nothing_is_left(service: Service) -> None:
    service.answer = lambda path, query: (200, {"Content-Length": "10", "stalls": "yes"}, b"")
    with pytest.raises(UserError, match="stopped answering"):
        find(service.pacs, SOUGHT, Limits(silence=0.2))


def test_cancel_reaches_a_service_that_says_nothing(service: Service) -> None:
    service.answer = lambda path, query: (200, {"Content-Length": "10", "stalls": "yes"}, b"")
    with pytest.raises(Cancelled):
        find(service.pacs, SOUGHT, cancelled=lambda: bool(service.paths))


def test_bad_objects_are_refused_with_reasons_and_the_others_are_written(service: Service, tmp_path: Path) -> None:
    bad = [b"no DICOM", image(1)[:-1000], image(2, study="1.9"), image(3, patient="1"), image(4)[:300], b""]
    service.answer = study_of(8, multipart(image(0), *bad, image(7)))
    result = retrieve(service.pacs, STUDY, tmp_path, "4711")
    assert sorted(path.name for path in result.folder.iterdir()) == ["1.2.3.1.0.dcm", "1.2.3.1.7.dcm"]
    reasons = [one.reason for one in result.rejected]
    assert len(reasons) == len(bad)
    assert reasons[0] == "This is not a DICOM file."
    assert "cut off" in reasons[1]
    assert "not asked for" in reasons[2]
    assert "another Patient ID" in reasons[3]


def test_an_object_that_is_too_large_is_refused_and_the_next_one_is_not(service: Service, tmp_path: Path) -> None:
    large = image(0) + bytes(4 << 20)
    service.answer = study_of(2, multipart(large, image(1)))
    result = retrieve(service.pacs, STUDY, tmp_path, limits=Limits(image=1 << 20))
    assert [path.name for path in result.folder.iterdir()] == ["1.2.3.1.1.dcm"]
    assert "more than 1 MB" in result.rejected[0].reason


def test_a_connection_that_breaks_keeps_what_was_whole_and_says_so(service: Service, tmp_path: Path) -> None:
    service.answer = study_of(3, multipart(image(0), image(1), end=b""))
    with pytest.raises(UserError, match="The connection to pacs broke"):
        retrieve(service.pacs, STUDY, tmp_path)
    assert len([*(tmp_path / STUDY).glob("*.dcm")]) == 2


def test_what_is_listed_and_not_sent_is_counted_as_missing(service: Service, tmp_path: Path) -> None:
    service.answer = study_of(4, multipart(image(0), image(1)))
    result = retrieve(service.pacs, STUDY, tmp_path)
    assert (result.new, result.missing) == (2, 2)


def test_an_object_that_is_sent_alone_is_taken(service: Service, tmp_path: Path) -> None:
    service.answer = study_of(1, (200, {"Content-Type": "application/dicom"}, image(0)))
    assert retrieve(service.pacs, STUDY, tmp_path).new == 1


def test_a_service_that_lists_no_objects_is_asked_for_the_whole_study_again(service: Service, tmp_path: Path) -> None:
    whole = study_of(3, multipart(image(0), image(1), image(2)))
    service.answer = lambda path, query: json_answer([]) if path.endswith("/instances") else whole(path, query)
    assert retrieve(service.pacs, STUDY, tmp_path).new == 3
    (tmp_path / STUDY / "1.2.3.1.1.dcm").unlink()
    result = retrieve(service.pacs, STUDY, tmp_path)
    assert (result.new, result.missing) == (3, 0)
    assert len([*(tmp_path / STUDY).iterdir()]) == 3


def test_a_chunked_answer_that_breaks_is_said(service: Service, tmp_path: Path) -> None:
    service.answer = study_of(
        3, (200, {"Transfer-Encoding": "chunked", "Content-Type": "application/dicom"}, b"5\r\nab")
    )
    with pytest.raises(UserError, match="broke"):
        retrieve(service.pacs, STUDY, tmp_path)
