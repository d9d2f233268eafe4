"""Linear layers with 8-bit weights, for CPUs without bf16 arithmetic."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor


def linear(weight: Tensor, bias: Tensor | None) -> Callable[[Tensor], Tensor]:
    """Multiply by `weight` rounded to 8 bits a channel, with the input rounded to 8 bits a call
    (so a row's result depends a little on the rows beside it). Not exact."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated in torch, with no replacement in torch itself
        scales = (weight.float().abs().amax(1) / 127).clamp(min=1e-8).double()
        rounded = torch.quantize_per_channel(
            weight.float(), scales, torch.zeros(len(weight), dtype=torch.int64), 0, torch.qint8
        )
        packed = torch.ops.quantized.linear_prepack(rounded, bias)
    # inputs take 7 bits: without VNNI the products of two 8-bit numbers overflow their 16 bits
    return lambda x: torch.ops.quantized.linear_dynamic(x, packed, True)
