"""Settings of a training run."""

from pathlib import Path

import pytest

from engine.errors import UserError
from tests.paths import ROOT
from training.loop import config

CONFIGS = ROOT / "training" / "configs"
RECIPES = {"clip_lt", "atp_cu"}


def test_the_shipped_recipes_differ_only_in_their_loss() -> None:
    recipes = {name: config.read(CONFIGS / f"{name}.toml") for name in RECIPES}
    first = recipes["atp_cu"]
    for other in recipes.values():
        assert (other.data, other.towers, other.train) == (first.data, first.towers, first.train)
    assert recipes["clip_lt"].loss == config.LossSettings(tau=0.07, learn_tau=True)
    assert (first.loss.tau, first.loss.atp, first.loss.cu) == (0.2, 0.5, 0.5)
    assert first.train.case_modality


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[losses]\n", "losses"),
        ("[loss]\ntemperature = 1.0\n", "temperature"),
        ("[train]\nepochs = 'many'\n", "epochs"),
        ("[train]\nseed = true\n", "seed"),
        ("[train\n", "valid TOML"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UserError, match=message):
        config.read(tmp_path / "a.toml")


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cannot read the configuration"):
        config.read(tmp_path / "none.toml")


def test_integers_are_accepted_as_floats() -> None:
    assert config.from_dict({"loss": {"atp": 1}}).loss.atp == 1
