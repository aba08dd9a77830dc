"""Fixtures of the engine's tests: small archives, and a test double of the models, which needs no weights."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine.archive import Archive
from engine.facts.fact import Facts
from engine.models.captioner import Caption
from engine.models.confidence import DraftSettings
from engine.models.familiarity import FamiliarityModel
from engine.models.ranking import RankingSettings
from engine.progress import IsCancelled, never
from engine.store.address import Address
from engine.store.case import NewCase, NewImage, NewReport
from engine.text.words import words
from tools.department_server import DepartmentServer

FILES = {"folder", "backup", "encryption"}
"""Wings whose tests are about the files of an archive."""
PAIRS = ("image-image", "image-report", "report-report")


class WordEncoder:
    """A test double of a bundle: the vector of a text is a sum of fixed random vectors, of an image its gray levels.

    Texts that share words are similar, and equal images have equal vectors. There is one vector per word.
    """

    def __init__(self, dim: int = 48, name: str = "word-encoder") -> None:
        self.id = name
        self.dim = dim
        self.score_scale: dict[str, dict[str, float]] = {pair: {"mean": 0.0, "std": 0.2} for pair in PAIRS}
        self.caption_text = "There is a large left effusion. No pneumothorax."
        self.training_text = ""
        self.familiarity: FamiliarityModel | None = None
        self.image_facts: Facts = {}
        self.draft_settings = DraftSettings()
        self.ranking = RankingSettings()

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._unit([sum((self._vector(word) for word in words(text)), self._vector("")) for text in texts])

    def facts_of_image(self, image: NDArray[np.uint8]) -> Facts:
        return self.image_facts

    def image_features(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return self.embed_images(images)

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        rows = []
        for image in images:
            small = Image.fromarray(image).resize((8, 8), Image.Resampling.BOX)
            rows.append(np.resize(np.asarray(small, np.float64), self.dim) - 127.0)
        return self._unit(rows)

    def caption_embedding(
        self, embedding: NDArray[np.float32], beams: int = 3, cancelled: IsCancelled = never
    ) -> Caption:
        tokens = self.caption_text.replace(".", " .").lower().split()
        return Caption(self.caption_text, tokens, [-0.1 if number % 2 else -0.3 for number in range(len(tokens))])

    def copies_training_text(self, sentence: str) -> bool:
        return bool(self.training_text) and sentence in self.training_text

    @staticmethod
    def _unit(rows: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
        stacked = np.stack(rows)
        return (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)

    def _vector(self, word: str) -> NDArray[np.float64]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=self.dim)


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of an archive runs on both stores, but those that are about the files of one."""
    if "store" in metafunc.fixturenames:
        of_files = metafunc.definition.get_closest_marker("folder") or FILES & {*metafunc.definition.path.parts}
        metafunc.parametrize("store", ["folder"] if of_files else ["folder", "server"])


@pytest.fixture(scope="session")
def template(server: DepartmentServer) -> str:
    """A database with an empty archive that is bound to the word encoder: copying it takes half as long as making it.

    All copies have one key. What makes an archive begins with `place`.
    """
    made = server.empty_database()
    Archive.create(made, WordEncoder().id).close()
    return made.database


@pytest.fixture
def place(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path | Address]:
    """Where a test may create an archive: a new folder, or an empty database of a server."""
    if store == "folder":
        yield tmp_path / "archive"
        return
    server = request.getfixturevalue("server")
    made = server.empty_database()
    yield made
    server.drop(made)


@pytest.fixture
def archive(store: str, tmp_path: Path, encoder: WordEncoder, request: pytest.FixtureRequest) -> Iterator[Archive]:
    """An empty archive bound to the word encoder."""
    if store == "folder":
        with Archive.create(tmp_path / "archive", encoder.id) as created:
            yield created
        return
    server = request.getfixturevalue("server")
    made = server.empty_database(request.getfixturevalue("template"))
    with Archive.open(made) as opened:
        yield opened
    server.drop(made)


def picture(seed: int, height: int = 40, width: int = 32) -> NDArray[np.uint8]:
    """An image of large random blocks, which survive scaling."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
    return np.asarray(Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST))


@pytest.fixture
def make_picture() -> Callable[..., NDArray[np.uint8]]:
    """make_picture(seed, height=40, width=32)."""
    return picture


@pytest.fixture
def make_case(encoder: WordEncoder) -> Callable[..., NewCase]:
    """make_case(key, text="", seeds=(), **facts): a case with embedded images and report."""

    def make(key: str, text: str = "", seeds: Sequence[int] = (), **facts: object) -> NewCase:
        pictures = [picture(seed) for seed in seeds]
        vectors = encoder.embed_images(pictures) if pictures else []
        images = tuple(NewImage(gray, row, f"{key}.{n}") for n, (gray, row) in enumerate(zip(pictures, vectors)))
        report = NewReport(text, encoder.embed_texts([text])[0]) if text else None
        return NewCase(key=key, images=images, report=report, **facts)  # type: ignore[arg-type]

    return make


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """An image folder (csv_files.py): three images, one without text, and two captions."""
    folder = tmp_path / "pictures"
    (folder / "images").mkdir(parents=True)
    for seed in range(3):
        Image.fromarray(picture(seed)).save(folder / "images" / f"{seed}.png")
    (folder / "cases.csv").write_text(
        "image,text,patient_id,modality,view,age,sex,licence,url\n"
        'images/0.png,"Large left effusion, 3 cm.",A1,CR,PA,44,F,CC BY,https://example.org/0\n'
        "images/1.png,Normal chest.,A1,CR,PA,,M,CC BY,\n"
        "images/2.png,,B2,US,breast,61,F,CC BY,\n"
    )
    (folder / "captions.csv").write_text(
        "id,text,licence,pmc\nR1,Fracture of the left femur.,CC BY,PMC1_a.jpg\nR2,Chest radiograph.,CC0,PMC2_b.jpg\n"
    )
    return folder
