"""bfloat16 where the processor computes in it. Knows no networks and no data."""

import torch


def autocast(device: torch.device | str, wanted: bool = True) -> torch.autocast:
    """A context in which matrix products and convolutions run in bfloat16, if that is wanted and if it pays.

    A processor without bfloat16 instructions emulates them, ten times slower than float32; there the context changes
    nothing.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=wanted and (kind != "cpu" or cpu_has_bfloat16()))


def cpu_has_bfloat16() -> bool:
    """torch has this question under a private name only (2.13); a version without it gets float32, which is right."""
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(asked and asked())
