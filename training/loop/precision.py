"""Autocast to bfloat16 where the processor supports it. Knows no networks and no data."""

import torch


def autocast(device: torch.device | str, wanted: bool = True) -> torch.autocast:
    """A context in which matrix products and convolutions run in bfloat16, if wanted and supported.

    A processor without bfloat16 instructions emulates them ten times slower than float32; there the context does
    nothing.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=wanted and (kind != "cpu" or cpu_has_bfloat16()))


def cpu_has_bfloat16() -> bool:
    """Uses a private function of torch (2.13); without it float32 is used, which is always correct."""
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(asked and asked())
