"""Weight gradients of 3×3 convolutions on small maps in bfloat16 on a CPU, by matrix products.

PyTorch 2.14's own (oneDNN's for AMX) go through the pictures one by one, and a map of 7×7 fills few of
a tile's rows: for 256 → 256 channels, 500 pictures and one thread they took 179 ms against 45 ms of the
forward pass, a third of a whole step of `airbench`. Here all pictures are one matrix: 102 ms there,
14 instead of 110 ms at 3×3. At 14×14 theirs are the faster ones. A step of `airbench` with 500 pictures
took 2.40 instead of 2.97 s on one thread, and 1.59 instead of 1.64 s on two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.overrides import TorchFunctionMode

LARGEST_MAP = 64
"""Pixels of a map, at most."""

FEWEST_CHANNELS = 64
"""Channels of input and output, at least: fewer make products too narrow to pay."""

KERNEL = (3, 3)
SHIFTS = [(y, x) for y in range(KERNEL[0]) for x in range(KERNEL[1])]


class SmallMaps(TorchFunctionMode):
    """While it is on, convolutions for which that is faster get their weight gradient this way.

    Their results don't change, and gradients only by rounding: sums are float32 inside a product, and
    a bfloat16 after it, in either way.
    """

    def __torch_function__(
        self,
        function: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of PyTorch, or what stands for it."""
        if function is torch.conv2d and not kwargs and _pays(*args):
            pictures, weight, bias, *_ = args
            with torch.autocast("cpu", enabled=False):
                return _Convolution.apply(*map(_rounded, (pictures, weight, bias)))
        return function(*args, **(kwargs or {}))


def _pays(
    pictures_BIHW: Tensor,
    weight_OIYX: Tensor,
    bias_O: Tensor | None = None,  # noqa: ARG001
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> bool:
    """Whether a convolution is one that this is for."""
    height, width = pictures_BIHW.shape[-2:]
    return (
        pictures_BIHW.ndim == 4
        and height * width <= LARGEST_MAP
        and weight_OIYX.shape[2:] == KERNEL
        and min(weight_OIYX.shape[:2]) >= FEWEST_CHANNELS
        and weight_OIYX.requires_grad
        and torch.is_grad_enabled()
        and (padding == "same" or _pair(padding) == (1, 1))
        and _pair(stride) == _pair(dilation) == (1, 1)
        and groups == 1
    )


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _rounded(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.to(torch.bfloat16)


class _Convolution(torch.autograd.Function):
    """3×3, stride 1, padding 1."""

    @staticmethod
    def forward(ctx: Any, pictures_BIHW: Tensor, weight_OIYX: Tensor, bias_O: Tensor | None) -> Any:
        ctx.save_for_backward(pictures_BIHW, weight_OIYX)
        ctx.has_bias = bias_O is not None
        return torch.conv2d(pictures_BIHW, weight_OIYX, bias_O, padding=1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (slope_BOHW,) = gradients
        pictures_BIHW, weight_OIYX = ctx.saved_tensors
        to_pictures, _, to_bias = torch.ops.aten.convolution_backward(
            slope_BOHW,
            pictures_BIHW,
            weight_OIYX,
            [len(weight_OIYX)] if ctx.has_bias else None,
            *([1, 1], [1, 1], [1, 1], False, [0, 0], 1),
            [ctx.needs_input_grad[0], False, ctx.has_bias],
        )
        return to_pictures, weight_gradient(pictures_BIHW, slope_BOHW), to_bias


def weight_gradient(pictures_BIHW: Tensor, slope_BOHW: Tensor) -> Tensor:
    """Return the gradient (O, I, 3, 3) of a 3×3 convolution's kernels: stride 1, padding 1.

    The one of a kernel's place (y, x) is the sum over all pictures' pixels p of the slope at p times
    the input at p + (y - 1, x - 1): a product of matrices.
    """
    inputs, outputs = pictures_BIHW.shape[1], slope_BOHW.shape[1]
    wide_BHWI = pad(pictures_BIHW.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    shifted_BHWI = pictures_BIHW.new_empty((*slope_BOHW.permute(0, 2, 3, 1).shape[:3], inputs))
    height, width = slope_BOHW.shape[2:]
    slope_ON = slope_BOHW.permute(1, 0, 2, 3).reshape(outputs, -1).contiguous()
    found_SOI = pictures_BIHW.new_empty((len(SHIFTS), outputs, inputs))
    for place_OI, (y, x) in zip(found_SOI, SHIFTS, strict=True):
        shifted_BHWI.copy_(wide_BHWI[:, y : y + height, x : x + width])
        torch.mm(slope_ON, shifted_BHWI.view(-1, inputs), out=place_OI)
    return found_SOI.view(*KERNEL, outputs, inputs).permute(2, 3, 0, 1)
