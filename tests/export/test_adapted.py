"""A bundle is adapted to an archive, kept only if it is better there, and the archive moves to it as a whole."""

import dataclasses
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.importing.reindex import reindex
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.filters import Filters
from export import adapted, adapted_constants, parity
from export.build import BuildRequest, build
from training.commands import adapt
from training.data import archive_pairs
from training.data.archive_pairs import HELD_OUT, TRAIN, VAL
from training.networks import checkpoint
from training.networks.towers import DualEncoder, EncoderConfig

IMAGES = 300
ORGANS = (
    "liver",
    "kidney",
    "spleen",
    "lung",
    "heart",
    "brain",
    "bladder",
    "femur",
    "pancreas",
    "colon",
    "hip",
    "thyroid",
)
FINDINGS = ("mass", "cyst", "stone", "abscess")
TRAINING = {"lr": 1e-3, "projection_lr": 2e-3, "batch": 32, "half": False, "threads": 1, "seed": 3}


def gray(kind: int, number: int) -> np.ndarray:
    """Stripes whose direction tells the finding and whose width the organ, with noise of their own."""
    y, x = np.mgrid[:48, :48]
    angle, width = kind // 12 * np.pi / 4, 2.0 + kind % 12 / 2
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) / width * np.pi)
    noise = np.random.default_rng([9, number]).normal(0, 12, (48, 48))
    return np.clip(128 + 90 * wave + noise, 0, 255).astype(np.uint8)


def report(kind: int) -> str:
    return f"The {ORGANS[kind % 12]} shows a {FINDINGS[kind // 12]}."


@pytest.fixture(scope="module")
def trainable(tiny: BuildRequest, tmp_path_factory: pytest.TempPathFactory) -> BuildRequest:
    """The tiny networks with projections of two layers, and a text tower whose layers are frozen in training."""
    folder = tmp_path_factory.mktemp("trainable")
    kept = checkpoint.load(tiny.checkpoint)
    vision = kept.config["image_tower"]["config"]
    tower = {"kind": "transformers", "config": {**vision, "initializer_range": 0.1}}  # wide, so that it learns soon
    config = EncoderConfig(**{**kept.config, "image_tower": tower, "head_hidden": 64, "head_dropout": 0.1})
    torch.manual_seed(5)
    model = DualEncoder(config).eval()
    settings = {"towers": {"frozen_text_layers": 1, "head_hidden": 64, "head_dropout": 0.1}, "train": TRAINING}
    extra = {"settings": {**settings, "data": {"manifests": ["pairs/pairs.csv"]}}}
    path = folder / "encoders.pt"
    checkpoint.save(path, checkpoint.ENCODERS, kept.config | config.as_dict(), model, kept.tokenizer_json, extra)
    request = dataclasses.replace(
        tiny, checkpoint=path, out=folder / "bundle", variants=("int8",), draws=20, name="trainable"
    )
    build(request)
    return request


@pytest.fixture(scope="module")
def filled(trainable: BuildRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two studies a patient, each an image with its report, made with the bundle."""
    folder = tmp_path_factory.mktemp("filled") / "archive"
    bundle = Bundle.open(trainable.out)
    kinds = [number % 48 for number in range(IMAGES)]
    images = bundle.embed_images([gray(kind, number) for number, kind in enumerate(kinds)])
    texts = bundle.embed_texts([report(kind) for kind in kinds])
    with Archive.create(folder, bundle.id) as archive:
        for number, kind in enumerate(kinds):
            image = NewImage(gray(kind, number), images[number], "one")
            archive.add_case(
                NewCase(
                    f"study {number}",
                    "CT",
                    patient=f"P{number // 2}",
                    images=(image,),
                    report=NewReport(report(kind), texts[number]),
                ),
                bundle.id,
            )
    return folder


@pytest.fixture(scope="module")
def adapted_folder(trainable: BuildRequest, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python -m training adapt` writes, its second process included."""
    out = tmp_path_factory.mktemp("adapted") / "bundle"
    given = ["--archive", filled, "--bundle", trainable.out, "--checkpoint", trainable.checkpoint]
    assert adapt.main([*map(str, given), "--out", str(out), "--epochs", "16", "--rate", "1"]) == 0
    return out


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def test_a_better_bundle_is_written_with_what_was_measured(adapted_folder: Path, trainable: BuildRequest) -> None:
    content = manifest(adapted_folder)
    compared = content["evaluation"]["comparisons"]["after over before"]
    assert "better" in {compared[name]["verdict"] for name in adapted.RECALLS}
    assert content["adapted"]["from"] == Bundle.open(trainable.out).id
    assert content["adapted"]["against"] == []
    assert set(content["baselines"]) == {"before"}
    assert content["data_provenance"][-1]["name"] == "own archive"
    card = (adapted_folder / "MODEL_CARD.md").read_text()
    assert "held-out images" in card
    assert "chance" in card


def test_the_adapted_bundle_has_the_variants_of_the_one_it_came_from(
    adapted_folder: Path, trainable: BuildRequest
) -> None:
    assert list(manifest(adapted_folder)["variants"]) == ["int8"]
    old, new = manifest(trainable.out)["variants"]["int8"], manifest(adapted_folder)["variants"]["int8"]
    assert new["captioner"] == old["captioner"]
    assert new["image"]["sha256"] != old["image"]["sha256"]
    assert manifest(adapted_folder)["parity"]["int8"]["text"]["lowest_cosine"] >= 0.98


def test_only_patients_that_no_training_saw_are_measured_on(adapted_folder: Path, filled: Path) -> None:
    with Archive.open(filled) as archive:
        patients = [row[0] for row in archive._database.read("SELECT patient FROM cases")]
    expected = sum(archive_pairs.split_of(patient) == HELD_OUT for patient in patients)
    content = manifest(adapted_folder)
    assert content["evaluation"]["split"] == HELD_OUT
    assert content["evaluation"]["pool"]["images"] == expected
    trained_on = sum(archive_pairs.split_of(patient) == TRAIN for patient in patients)
    assert content["data_provenance"][-1]["rows"] == trained_on


def test_the_adapted_bundle_knows_the_images_of_the_archive_and_tells_others(
    adapted_folder: Path, filled: Path
) -> None:
    bundle = Bundle.open(adapted_folder)
    assert bundle.familiarity is not None
    entry = manifest(adapted_folder)["familiarity"]
    assert entry["training_pictures"] + entry["held_out_pictures"] == IMAGES
    with Archive.open(filled) as archive:
        own = archive_pairs.images(archive, IMAGES)
    alarms = bundle.familiarity.residuals(bundle.image_features(own[VAL])) > bundle.familiarity.threshold
    assert alarms.mean() < 0.1


def test_nothing_made_of_patients_images_and_reports_outlives_the_run(adapted_folder: Path) -> None:
    run = adapted_folder.with_name(adapted_folder.name + ".run")
    assert (run / "best.pt").is_file()
    assert {path.name for path in run.rglob("*") if path.is_file()} == {"best.pt", "last.pt", "log.jsonl"}


def test_the_archive_moves_to_it_while_the_old_vectors_serve(
    adapted_folder: Path, filled: Path, trainable: BuildRequest
) -> None:
    old, new = Bundle.open(trainable.out), Bundle.open(adapted_folder)
    reports = Filters(kinds=("report",))  # what the untrained networks find among images is chance
    with Archive.open(filled) as archive:

        def look(done: int, total: int, what: str) -> None:
            assert search(archive, old, Query(text=report(3)), SearchOptions(filters=reports)).hits[0].text == report(3)
            with pytest.raises(UserError, match="another model"):
                search(archive, new, Query(text=report(3)))

        assert reindex(archive, new, look).complete
        assert {row[0] for row in archive._database.read("SELECT DISTINCT bundle_id FROM embeddings")} == {new.id}
        assert archive.index.state() == "intact"
        assert search(archive, new, Query(text=report(3)), SearchOptions(filters=reports)).hits[0].text == report(3)
        assert search(archive, new, Query(image=gray(7, 5000))).hits
        with pytest.raises(UserError, match="another model"):
            search(archive, old, Query(text=report(3)))
        reindex(archive, old)  # other tests read the archive with the bundle that made it


def test_a_bundle_that_is_not_better_is_not_kept_until_the_command_that_it_names_is_given(
    trainable: BuildRequest, filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "the same"
    given = [trainable.checkpoint, "--archive", filled, "--bundle", trainable.out, "--out", out]
    assert adapted.main(list(map(str, given))) == 2
    assert list(tmp_path.iterdir()) == []
    said = capsys.readouterr()
    assert "recall@10 image to text" in said.out
    assert "not better and was not kept" in said.err
    named = shlex.split(said.err.splitlines()[-1].partition("without training again: python -m export.adapted ")[2])
    assert adapted.main(named) == 0
    assert "not significantly better" in manifest(out)["adapted"]["against"][0]
    assert Bundle.open(out).embed_texts([report(1)]).shape == (1, 32)


def test_a_folder_that_is_no_bundle_is_refused_before_anything_is_trained(
    trainable: BuildRequest, filled: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    given = ["--archive", filled, "--bundle", trainable.out, "--checkpoint", trainable.checkpoint]
    with pytest.raises(UserError, match="exists and is not a model bundle"):
        adapt.main([*map(str, given), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out.run").exists()


def test_what_a_killed_run_left_of_patients_goes_with_the_next(
    trainable: BuildRequest, tiny: BuildRequest, filled: Path, tmp_path: Path
) -> None:
    left = tmp_path / "out.run" / "cache" / "maps-of-a-killed-run.npy"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"features")
    given = ["--archive", filled, "--bundle", trainable.out, "--checkpoint", tiny.checkpoint]
    with pytest.raises(UserError):
        adapt.main([*map(str, given), "--out", str(tmp_path / "out")])
    assert not left.parent.exists()


def test_a_variant_that_is_too_far_off_says_what_one_who_adapts_can_do(
    trainable: BuildRequest, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parity.LOWEST_COSINE, "int8", 1.1)
    with pytest.raises(UserError, match=r"1\.1 is needed.*give that as --bundle"):
        adapted.build(adapted.AdaptedRequest(trainable.checkpoint, filled, trainable.out, tmp_path / "out", IMAGES))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_other_models_is_refused_before_anything_is_trained(
    trainable: BuildRequest, tiny: BuildRequest, filled: Path, tmp_path: Path
) -> None:
    given = ["--archive", filled, "--bundle", trainable.out, "--checkpoint", tiny.checkpoint]
    with pytest.raises(UserError, match="is not the checkpoint of the bundle"):
        adapt.main([*map(str, given), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_a_captioner_that_reads_the_new_space_worse_no_longer_begins_reports(trainable: BuildRequest) -> None:
    before = Bundle.open(trainable.out)
    before.manifest["draft"] = {"start": "captioner", "confidence": {"slope": 1.0, "intercept": 0.0}}
    assert adapted_constants.of_drafts(before, -0.01) == before.manifest["draft"]
    assert adapted_constants.of_drafts(before, -0.2) == {"start": "nearest-report"}
