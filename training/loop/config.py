"""The settings of a training run, read from a TOML file. Does not know what they do."""

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from engine.errors import UserError
from training.networks import bundle_towers, checkpoint
from training.networks.sources import TowerSettings

START = "start_sha256"


@dataclass(frozen=True)
class DataSettings:
    """[data]: what a run is trained on; all paths are relative to the data folder."""

    manifests: list[str] = field(default_factory=lambda: ["pairs/pairs.csv"])
    """Manifests of pairs, with their splits."""
    more: list[str] = field(default_factory=list)
    """Manifests of which training uses the train split only; a grid measures their val as well."""
    texts: list[str] = field(default_factory=list)
    """CSV or CSV.gz files whose words the vocabulary must cover as well."""
    stream: bool = False
    """Decode images when they are needed instead of holding all of them in memory."""
    vocabulary: int = 6000
    """Maximum number of tokens; 0 keeps the whole vocabulary."""
    vocabulary_min_count: int = 2
    """Tokens that occur less often in the texts are dropped."""


@dataclass(frozen=True)
class LossSettings:
    """[loss]: the terms of the objective, see docs/method.md, "Losses"."""

    tau: float = 0.1
    """Temperature, or its starting value if it is learned."""
    learn_tau: bool = False
    atp: float = 0.0
    """Weight of Align True Pairs."""
    cu: float = 0.0
    """Weight of Centroid Uniformity."""
    source_gap: float = 0.0
    """Weight of the squared gap inside each source."""
    schedule: bool = False
    """Raise the weight of Align True Pairs from 1 to 2 times its value over training, and lower that of Centroid
    Uniformity from 1 to 0 times its value, as in the authors' code."""
    atp_from: float = 0.0
    """Share of the training after which Align True Pairs counts."""
    cu_from: float = 0.0
    """Share of the training after which Centroid Uniformity counts; a third in the authors' code."""
    mask_same: bool = False
    """Do not use pairs with the same text as negatives of each other, nor, in the modality of the case, pairs whose
    cases may be described by the same line."""
    mask_group: bool = False
    """Do not use pairs of the same split_group as negatives of each other either."""


@dataclass(frozen=True)
class TrainSettings:
    """[train]: optimization, augmentation and early stopping."""

    seed: int = 1
    epochs: int = 20
    batch: int = 128
    crops: int = 8
    """Augmented views cached per image when lower stages are frozen; 0 caches the clean view only."""
    intensity: bool = True
    """Vary brightness, contrast and gamma of the views, not only the crop."""
    windows: bool = False
    """Also show CT and MR at other windows and all other modalities at other exposures."""
    crop_seed: int = 1
    """Seed of the cached views, so that runs with different seeds can share them."""
    lr: float = 2e-4
    layer_decay: float = 1.0
    """Factor on lr from each layer of a tower to the next lower one."""
    projection_lr: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    """Share of all steps."""
    clip: float = 1.0
    """Maximum norm of the gradients."""
    patience: int = 0
    """Stop after this many epochs without a better validation score; 0 never stops early."""
    keep_last: bool = False
    """Keep the last epoch instead of the best one; the best one makes results on val look better than they are."""
    average: float = 0.0
    """Decay of the moving average of the weights, which is what is validated and kept; 0 keeps the weights as they
    are."""
    word_dropout: float = 0.0
    """Share of tokens masked in the input of the text tower."""
    case_texts: float = 0.0
    """Probability of training on the findings of the case in place of the pair's own text."""
    case_modality: bool = False
    """Train on the findings of the case as a third modality besides image and text."""
    views_of_case: bool = False
    """Train on another view of the study (lateral beside frontal) as a further modality; another random view of the
    image itself takes its place where there is none."""
    balance: float = 0.0
    """How evenly an epoch draws sources and, within each, modalities: 0 draws every pair once, 1 all of them equally
    often, values between weigh each by its size to the power of 1 - balance."""
    threads: int = 2
    accumulate: int = 1
    """Parts of the batch that a process embeds one at a time; the loss still covers the whole batch."""
    half: bool = True
    """bfloat16 autocast, where the processor supports it."""


@dataclass(frozen=True)
class EncoderSettings:
    """All settings of a run that trains the two towers, one field per table of the TOML file."""

    data: DataSettings = DataSettings()
    towers: TowerSettings = field(default_factory=TowerSettings)
    loss: LossSettings = LossSettings()
    train: TrainSettings = TrainSettings()

    def as_dict(self) -> dict[str, Any]:
        """Nested dicts of plain values, as a checkpoint stores them."""
        return asdict(self)

    def identity(self, examples: int) -> dict[str, Any]:
        """What identifies a run besides [train], so that it is only resumed with the same recipe, towers and data."""
        tables = {name: table for name, table in self.as_dict().items() if name != "train"}
        return {**tables, **self.started_from(), "examples": examples}

    def started_from(self) -> dict[str, str]:
        """The content of the checkpoint or bundle in `towers.start`, which may be replaced; empty without one."""
        start = self.towers.start
        found = bundle_towers.digest(Path(start)) if bundle_towers.is_bundle(start) else checkpoint.digest(start)
        return {START: found} if found else {}


DEFAULTS = EncoderSettings().as_dict()
"""What a run had for each setting that is newer than itself: new settings change nothing by default."""


def from_dict(values: dict[str, Any]) -> EncoderSettings:
    """Settings from nested tables.

    Raises:
        UserError: an unknown table or setting, or a value of the wrong type.
    """
    parts: dict[str, Any] = {}
    tables = {item.name: item.type for item in fields(EncoderSettings)}
    for table, content in values.items():
        if table not in tables:
            raise UserError(f"Unknown table [{table}] in the configuration; the tables are {', '.join(tables)}.")
        kind: Any = tables[table]
        known = {item.name: item for item in fields(kind)}
        for name, value in content.items():
            if name not in known:
                raise UserError(f"Unknown setting {name!r} in [{table}]; the settings are {', '.join(known)}.")
            wanted: Any = known[name].type
            allowed = (int, float) if wanted is float else (list if get_args(wanted) else wanted)
            if not isinstance(value, allowed) or (isinstance(value, bool) and wanted is not bool):
                raise UserError(f"[{table}] {name} = {value!r} has the wrong type.")
        parts[table] = kind(**content)
    return EncoderSettings(**parts)


def read(path: Path) -> EncoderSettings:
    """Settings from a TOML file.

    Raises:
        UserError: the file is missing or is not TOML; also as in `from_dict`.
    """
    try:
        return from_dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise UserError(f"Cannot read the configuration {path}; see training/configs for examples.") from problem
    except tomllib.TOMLDecodeError as problem:
        raise UserError(f"{path} is not valid TOML: {problem}.") from problem
