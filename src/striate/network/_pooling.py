"""Pooling as PyTorch modules."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from striate.network._arithmetic import Shape, Window
from striate.network._spec_plain import GlobalPool
from striate.network._spec_window import Pool

_MAX = {1: functional.max_pool1d, 2: functional.max_pool2d}
_AVERAGE = {1: functional.avg_pool1d, 2: functional.avg_pool2d}


class Pooling(nn.Module):
    """Maximum, minimum or mean of each window, padded beforehand as PyTorch's own can't.

    For minima (as −max(−x)), padding on one side, and windows that reach behind the padding (ceil),
    which ONNX Runtime divides by another number than PyTorch. (N, C, H, W) or (N, C, L).
    """

    def __init__(self, spec: Pool, shape: Shape) -> None:
        super().__init__()
        self.spec = spec
        windows = spec.windows(shape[1:])
        self.kernel = [window.kernel for window in windows]
        self.stride = [window.stride for window in windows]
        pads = [_reach(window, size) for window, size in zip(windows, shape[1:], strict=True)]
        # As torch.nn.functional.pad takes them: the last axis comes first.
        self.pads = [side for pad in reversed(pads) for side in pad]
        factor = _factor(spec, windows, shape[1:]) if spec.how == "average" else None
        self.factor: Tensor | None
        # What follows from the specification isn't saved with the weights.
        self.register_buffer("factor", factor, persistent=False)

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        axes = len(self.kernel)
        if self.spec.how == "average":
            padded = functional.pad(maps_NCHW, self.pads)
            means: Tensor = _AVERAGE[axes](padded, self.kernel, self.stride)
            return means if self.factor is None else means * self.factor
        sign = -1 if self.spec.how == "min" else 1
        padded = functional.pad(sign * maps_NCHW, self.pads, value=float("-inf"))
        return sign * _MAX[axes](padded, self.kernel, self.stride)


def _reach(window: Window, size: int) -> tuple[int, int]:
    """Return the pixels to add before and behind, so that the last window is whole."""
    end = (window.positions(size) - 1) * window.stride + window.span
    return window.padding, max(end - size - window.padding, 0)


def _factor(spec: Pool, windows: tuple[Window, ...], sizes: Shape) -> Tensor | None:
    """Return window size / pixels that count, (1, 1, H', W'), or None where all do."""
    factor = torch.ones(1, 1)
    for window, size in zip(windows, sizes, strict=True):
        first = 0 if not spec.count_padding else -window.padding
        last = size + (window.behind if spec.count_padding else 0)
        starts = range(
            -window.padding, window.positions(size) * window.stride - window.padding, window.stride
        )
        counts = [min(start + window.kernel, last) - max(start, first) for start in starts]
        factor = factor[..., None] * torch.tensor([window.kernel / count for count in counts])
    return None if bool((factor == 1).all()) else factor


class GlobalPooling(nn.Module):
    """Maximum, minimum or mean over all positions. (N, C, H, W) or (N, C, L) → (N, C).

    Plain reductions, whose backward pass is deterministic; that of adaptive pooling isn't
    everywhere.
    """

    def __init__(self, spec: GlobalPool) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        positions = tuple(range(2, maps_NCHW.ndim))
        if self.spec.how == "max":
            return maps_NCHW.amax(dim=positions)
        if self.spec.how == "min":
            return maps_NCHW.amin(dim=positions)
        return maps_NCHW.mean(dim=positions)


def pooling(layer: Pool, shape: Shape) -> nn.Module:
    """Return a pooling layer for maps of `shape`: PyTorch's own module where it does the same."""
    found = list(zip(layer.windows(shape[1:]), shape[1:], strict=True))
    plain = all(_plain(window, size) for window, size in found)
    if layer.how == "min" or not plain:
        return Pooling(layer, shape)
    numbers: dict[str, Any] = {
        "kernel_size": tuple(window.kernel for window, _ in found),
        "stride": tuple(window.stride for window, _ in found),
        "padding": tuple(window.padding for window, _ in found),
        "ceil_mode": layer.ceil,
    }
    if layer.how == "max":
        return nn.MaxPool2d(**numbers) if len(found) == 2 else nn.MaxPool1d(**numbers)
    numbers["count_include_pad"] = layer.count_padding
    return nn.AvgPool2d(**numbers) if len(found) == 2 else nn.AvgPool1d(**numbers)


def _plain(window: Window, size: int) -> bool:
    """Return whether padding is the same on both sides and no window reaches behind it."""
    rest = (size + 2 * window.padding - window.span) % window.stride
    return window.padding == window.behind and not (window.ceil and rest)
