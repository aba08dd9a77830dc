"""The settings of a training run, from a TOML file. Knows nothing of what they do."""

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from engine.errors import UserError


@dataclass(frozen=True)
class DataSettings:
    manifests: list[str] = field(default_factory=lambda: ["pairs/pairs.csv"])  # below the data folder
    more: list[str] = field(default_factory=list)  # manifests whose split train is learned from, and nothing else
    texts: list[str] = field(default_factory=list)  # CSV or CSV.gz whose words the vocabulary has to serve as well
    stream: bool = False  # decode pictures when they are needed instead of holding all in memory
    vocabulary: int = 6000  # pieces at most; 0 keeps the whole vocabulary
    vocabulary_min_count: int = 2


@dataclass(frozen=True)
class TowerSettings:
    image: str = "efficientnet-lite0"
    text: str = "minilm"
    size: int = 192
    dim: int = 512
    max_length: int = 128
    text_layers: int = 0  # 0 keeps all
    image_levels: list[int] = field(default_factory=lambda: [18])  # stages of EfficientNet whose maps make its features
    head_hidden: int = 0  # width of the hidden layer of both projections; 0: linear
    head_dropout: float = 0.0
    frozen_image_stages: int = 0  # 0 trains all; -1 freezes all of a transformers model
    frozen_text_layers: int = 0  # 0 trains all, the embeddings included


@dataclass(frozen=True)
class LossSettings:
    tau: float = 0.1
    learn_tau: bool = False
    atp: float = 0.0
    cu: float = 0.0
    schedule: bool = False
    mask_same: bool = False  # pairs with the same text are no negatives of each other
    mask_group: bool = False  # nor are pairs of the same split_group


@dataclass(frozen=True)
class TrainSettings:
    seed: int = 1
    epochs: int = 20
    batch: int = 128
    crops: int = 8  # kept views per picture when lower stages are frozen; 0 keeps the clean one only
    intensity: bool = True  # views differ in brightness, contrast and gamma, not in their crop only
    crop_seed: int = 1  # of the kept views, so that runs of several seeds can share them
    lr: float = 2e-4
    layer_decay: float = 1.0  # of lr, from each layer of a tower to the next lower one
    projection_lr: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.1  # share of all steps
    clip: float = 1.0
    patience: int = 0  # epochs without a better val metric before stopping; 0 never stops
    keep_last: bool = False  # keep the last epoch instead of the best one, which flatters what is measured on val
    average: float = 0.0  # decay of the moving average of the weights that is validated and kept; 0 keeps the weights
    word_dropout: float = 0.0  # share of words hidden from the text tower
    case_texts: float = 0.0  # how often a pair's text gives way to the findings of its case
    case_modality: bool = False  # the findings of the case are a third modality beside picture and text
    threads: int = 2
    accumulate: int = 1  # parts that a process embeds one at a time; the loss still sees the whole batch
    half: bool = True  # bfloat16 autocast, where the processor has it


@dataclass(frozen=True)
class EncoderSettings:
    data: DataSettings = DataSettings()
    towers: TowerSettings = TowerSettings()
    loss: LossSettings = LossSettings()
    train: TrainSettings = TrainSettings()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def identity(self, examples: int) -> dict[str, Any]:
        """What the trainer has to be told of a run besides [train], so that no other recipe or data resumes it."""
        return {**{name: table for name, table in self.as_dict().items() if name != "train"}, "examples": examples}


def from_dict(values: dict[str, Any]) -> EncoderSettings:
    """Settings from nested tables.

    Raises:
        UserError: an unknown table or name, or a value of the wrong type.
    """
    parts: dict[str, Any] = {}
    tables = {item.name: item.type for item in fields(EncoderSettings)}
    for table, content in values.items():
        if table not in tables:
            raise UserError(f"The configuration has a table [{table}] that is unknown; known: {', '.join(tables)}.")
        kind: Any = tables[table]
        known = {item.name: item for item in fields(kind)}
        for name, value in content.items():
            if name not in known:
                raise UserError(f"[{table}] has a setting {name!r} that is unknown; known: {', '.join(known)}.")
            wanted: Any = known[name].type
            allowed = (int, float) if wanted is float else (list if get_args(wanted) else wanted)
            if not isinstance(value, allowed) or (isinstance(value, bool) and wanted is not bool):
                raise UserError(f"[{table}] {name} = {value!r} is of the wrong type.")
        parts[table] = kind(**content)
    return EncoderSettings(**parts)


def read(path: Path) -> EncoderSettings:
    """Settings from a TOML file.

    Raises:
        UserError: the file is missing or is no TOML, or see `from_dict`.
    """
    try:
        return from_dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise UserError(f"There is no readable configuration at {path}; see training/configs.") from problem
    except tomllib.TOMLDecodeError as problem:
        raise UserError(f"{path} is not valid TOML: {problem}.") from problem
