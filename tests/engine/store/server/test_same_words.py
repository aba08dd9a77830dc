"""A server finds the same words as a folder does: FTS5 and PostgreSQL agree on reports as radiologists write them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.archive import Archive
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.case import NewCase, NewReport
from engine.store.folder.full_text import fts_query
from engine.store.server import server_schema
from engine.store.server.server_database import ServerConnection, ServerDatabase
from tests.engine.conftest import WordEncoder
from tools.department_server import DepartmentServer

TEXTS = (
    "Follow-up of the L4/5 disc; 5mm nodule in the left upper lobe, T2w hyperintense.",
    "Kein Pleuraerguß. Übersichtsaufnahme: Bräunliche Ränder, Straße, Größe 3,5 cm.",
    "Œdème pulmonaire aigu; pneumothorax à droite, déjà connu. L'épanchement est minime.",
    "NO ACUTE DISTRESS. The heart is not enlarged; no evidence of the ribs' fractures.",
    "Measures 10 µm (10 μm), 37.5°C, x2, 3x4x5 cm, 18F-FDG, COVID-19, C7-Th1, T2_FLAIR.",
    "Gadovist™ given; 2 cm² area. US of the abdomen by us. He is as well as she was.",
    "Running, runs, ran; effusions, effusion; generalized oscillations; diaphyses; metastases.",
    "Привет МИР. Ελληνικά ΟΔΟΣ οδός. İstanbul.",
    "Naïve naive cafe\u0301 café; it's, don't, patient’s.",
)
QUERIES = (
    *("L4/5", "L4", "5mm", "5 mm", "T2w", "follow up", "Follow-Up", "upper lobe", "lobe upper", "left upper lobe"),
    *("pleuraerguß", "PLEURAERGUSS", "übersichtsaufnahme", "ubersichtsaufnahme", "Straße", "größe", "grosse", "3,5"),
    *("œdème", "oedeme", "a droite", "à droite", "épanchement", "epanchements", "deja", "l'épanchement"),
    *("not enlarged", "heart is not", "no evidence of the", "the", "is", "of the rib", "fracture", "FRACTURES", "of"),
    *("µm", "μm", "10 µm", "37.5", "37", "°C", "x2", "3x4x5", "18F-FDG", "FDG 18F", "covid 19", "c7", "T2_FLAIR"),
    *("t2 flair", "flair", "Gadovist", "gadovist™", "cm", "us", "u", "as", "a", "is as", "he", "h"),
    *("run", "ran", "effusion", "generalize", "oscillator", "diaphysis", "metastasis", "metastases", "metastasi"),
    *("мир", "МИР", "ΟΔΟΣ", "οδός", "naïve", "NAIVE", "café", "cafe\u0301", "cafes", "it's", "its", "patient's", "s"),
    *('"', "''", "* OR *", "%", "_", "?", ":kind", "\\", "NEAR(a b)", "-left", "left & right | !no <-> x:*", "()"),
)


@pytest.fixture(scope="module")
def both(server: DepartmentServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Archive]]:
    """A folder and a server with the same reports."""
    encoder = WordEncoder()
    address = server.empty_database()
    folder: Path = tmp_path_factory.mktemp("words") / "archive"
    with Archive.create(folder, encoder.id) as one, Archive.create(address, encoder.id) as other:
        for archive in (one, other):
            for number, text in enumerate(TEXTS):
                archive.add_case(_case(encoder, str(number), text))
        yield one, other
    server.drop(address)


def _case(encoder, key: str, text: str) -> NewCase:
    return NewCase(key, report=NewReport(text, encoder.embed_texts([text])[0]))


def test_the_same_reports_are_found_for_words_phrases_and_signs(both: tuple[Archive, Archive]) -> None:
    differ = {}
    for query in QUERIES:
        found = [{one.case_id for one in archive.full_text.find([query], 50)} for archive in both]
        if found[0] != found[1]:
            differ[query] = found
    assert differ == {"cm": [{2, 5}, {2, 5, 6}]}  # cm² is a word of its own in a folder


def test_a_search_by_words_finds_and_marks_the_same_in_both(both: tuple[Archive, Archive]) -> None:
    for text in ('"not enlarged" heart', "effusions running", "Übersichtsaufnahme Straße", "the 胸", "US abdomen"):
        found = [search(archive, None, Query(None, text), SearchOptions(mode="lexical")).hits for archive in both]
        folder, server = ({hit.case_id for hit in hits} for hits in found)
        assert folder == server
        words = [
            {one.case_id: {*one.words} for one in archive.full_text.find(text.replace('"', "").split(), 50)}
            for archive in both
        ]
        assert words[0] == words[1]


WORDS = """L4 5mm T2w left Effusion effusions erguß Größe café ist is us by my running flies y ss sses S1 1e5 3.5 µm x²
    18F the of not no M. diaphyses ponies ties caress hopping sky generalizations Ärzte œdème МИР 胸水 a 1,5"""
JOINT = (" ", "-", "/", "_", ". ", ", ", "\n", "'", "’", " – ", "(", ") ", "+", "&", "<", "@", ":", "\t")
PIECES, JOINTS = st.sampled_from(WORDS.split()), st.sampled_from(JOINT)
Agree = Callable[[str, str], bool]
TEXT = st.lists(st.tuples(PIECES, JOINTS), min_size=1, max_size=7).map(lambda parts: "".join(a + b for a, b in parts))
PHRASE = st.lists(PIECES, min_size=1, max_size=2).map(" ".join)


@pytest.fixture(scope="module")
def agree(server: DepartmentServer) -> Iterator[Agree]:
    """agree(text, phrase): whether FTS5 and PostgreSQL say the same of whether a text has a phrase."""
    address = server.empty_database()
    database = ServerDatabase(address)
    with closing(sqlite3.connect(":memory:")) as lite, database.reading() as db:
        lite.execute("CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize='porter unicode61')")
        with db.connection.transaction():
            server_schema.upgrade(db)

        def compare(text: str, phrase: str) -> bool:
            lite.execute("DELETE FROM texts")
            lite.execute("INSERT INTO texts VALUES (?)", [text])
            folder = bool(lite.execute("SELECT 1 FROM texts WHERE texts MATCH ?", [fts_query([phrase])]).fetchone())
            return folder == _found_on_server(db, text, phrase)

        yield compare
    database.close()
    server.drop(address)


def _found_on_server(db: ServerConnection, text: str, phrase: str) -> bool:
    sql = "SELECT to_tsvector('reports', plain(?)) @@ phraseto_tsquery('reports', plain(?))"
    return bool(db.execute(sql, [text, phrase]).fetchone()[0])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=TEXT, phrase=PHRASE)
def test_whatever_stands_between_words_both_find_them(
    agree: Callable[[str, str], bool], text: str, phrase: str
) -> None:
    assert agree(text, phrase)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=TEXT)
def test_every_part_of_a_text_is_found_in_it_by_both(agree: Agree, text: str) -> None:
    for phrase in text.split():
        assert agree(text, phrase)
