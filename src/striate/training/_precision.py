"""The numbers that a training's forward pass computes with: float32, or bfloat16 by autocast.

Weights, their gradients and the optimizer are float32 in any case, and so are validation and
export: only products of weights and layers' outputs are rounded to 8 bits of fraction.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Literal

import torch
from torch import Tensor

from striate.training._small_maps import SmallMaps

Precision = Literal["float32", "bfloat16"]


def has_fast_bfloat16(device: str) -> bool:
    """Return whether "cpu" or "cuda" here has units of its own for bfloat16; never for others.

    On CPUs these are AMX's tiles, or AVX-512's bfloat16 instructions in a processor by AMD: in one by
    Intel they never paid (docs/training.md). The checks take microseconds; a PyTorch without them says
    no.
    """
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    if supported is not None and supported():
        return True
    has: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    # SSE4a is what only AMD's have.
    return bool(has.get("avx512_bf16") and has.get("sse4a"))


def forward(
    network: Callable[[Tensor], Tensor], pictures_BCHW: Tensor, precision: Precision
) -> Tensor:
    """Return the network's logits; float32 where the layers computed with bfloat16.

    Autocast ends before the loss: logits as near to each other as bfloat16 makes them equal would
    lose most of a softmax's digits.
    """
    if precision == "float32":
        return network(pictures_BCHW)
    device = pictures_BCHW.device.type
    faster = SmallMaps() if device == "cpu" else nullcontext()
    with torch.autocast(device, torch.bfloat16), faster:
        logits_BK = network(pictures_BCHW)
    return logits_BK.float()
