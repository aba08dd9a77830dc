"""Reads the projections of an encoders checkpoint as the arrays that a bundle holds. Knows no graphs."""

import numpy as np
from torch import Tensor, nn

from engine.errors import UserError
from engine.models.heads import Heads, Rows
from training.networks.towers import DualEncoder


def of_model(model: DualEncoder) -> Heads:
    """The projections of both towers, float32."""
    return Heads(parameters(model.image_projection), parameters(model.text_projection))


def parameters(head: nn.Module) -> dict[str, Rows]:
    """A head by the names of `engine.models.heads`.

    Raises:
        UserError: it is not one of those that `training.networks.heads` makes.
    """
    if isinstance(head, nn.Linear) and head.bias is None:
        return {"last.weight": _array(head.weight)}
    parts = list(head.children())
    if [type(part) for part in parts] != [nn.LayerNorm, nn.Dropout, nn.Linear, nn.GELU, nn.Dropout, nn.Linear]:
        raise UserError("The projections of this checkpoint have unknown layers; train it with this version.")
    named = {"norm": parts[0], "first": parts[2], "last": parts[5]}
    return {f"{name}.{kind}": _array(value) for name, part in named.items() for kind, value in part.named_parameters()}


def _array(value: Tensor) -> Rows:
    return np.asarray(value.detach().float().cpu().numpy().copy(), np.float32)
