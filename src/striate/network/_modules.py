"""Specifications as PyTorch modules."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from striate.network._arithmetic import Shape, product
from striate.network._pooling import GlobalPooling, pooling
from striate.network._spec import Layer
from striate.network._spec_block import Item, Parallel, Residual
from striate.network._spec_plain import Activation, BatchNorm, Dense, Dropout, Flatten, GlobalPool
from striate.network._spec_window import Conv, Pool
from striate.network._specification import named, output_shape

ACTIVATION_MODULES: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softmax": lambda: nn.Softmax(dim=1),
    "log-softmax": lambda: nn.LogSoftmax(dim=1),
}

PAD_MODES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "replicate",
    "circular": "circular",
}
"""What torch.nn.functional.pad calls the padding modes."""


class PaddedConv1d(nn.Conv1d):
    """A convolution whose padding differs before and after; its parameters have the usual names."""

    def __init__(self, spec: Conv, shape: Shape) -> None:
        super().__init__(shape[0], spec.channels, **_numbers(spec, shape), bias=spec.bias)
        self.spec = spec
        self.pads = _pads(spec, shape)

    def forward(self, maps_NCL: Tensor) -> Tensor:
        return super().forward(pad(maps_NCL, self.pads, mode=PAD_MODES[self.spec.mode]))


class PaddedConv2d(nn.Conv2d):
    """The same in two dimensions."""

    def __init__(self, spec: Conv, shape: Shape) -> None:
        super().__init__(shape[0], spec.channels, **_numbers(spec, shape), bias=spec.bias)
        self.spec = spec
        self.pads = _pads(spec, shape)

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        return super().forward(pad(maps_NCHW, self.pads, mode=PAD_MODES[self.spec.mode]))


class Sum(nn.Module):
    """The sum of two branches, as a module so that it has a name and a row of its own."""

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return left + right


class ResidualBlock(nn.Module):
    """body(x) + shortcut(x). (N, C, H, W) → (N, C', H', W')."""

    def __init__(self, block: Residual, shape: Shape) -> None:
        super().__init__()
        self.body = sequence(block.body, shape)
        self.shortcut = sequence(block.shortcut, shape)
        self.add = Sum()

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        total: Tensor = self.add(self.body(maps_NCHW), self.shortcut(maps_NCHW))
        return total


class Joined(nn.Module):
    """Branches one after the other by channel, as a module so that it has a row of its own."""

    def forward(self, *branches: Tensor) -> Tensor:
        return torch.cat(branches, dim=1)


class ParallelBlock(nn.Module):
    """All branches' outputs, concatenated over the channels. (N, C, H, W) → (N, C', H', W')."""

    def __init__(self, block: Parallel, shape: Shape) -> None:
        super().__init__()
        self.names = [f"branch{number}" for number in range(1, len(block.branches) + 1)]
        for name, branch in zip(self.names, block.branches, strict=True):
            self.add_module(name, sequence(branch, shape))
        self.concatenate = Joined()

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        branches = (self.get_submodule(name)(maps_NCHW) for name in self.names)
        joined: Tensor = self.concatenate(*branches)
        return joined


def sequence(items: Sequence[Item], shape: Shape) -> nn.Sequential:
    """Return the layers as one module; `shape` (C, H, W) is that of its input."""
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for name, item in named(items):
        if isinstance(item, Residual):
            modules[name] = ResidualBlock(item, shape)
        elif isinstance(item, Parallel):
            modules[name] = ParallelBlock(item, shape)
        else:
            modules[name] = module(item, shape)
        shape = output_shape([item], shape)
    return nn.Sequential(modules)


def module(layer: Layer, shape: Shape) -> nn.Module:
    """Return one layer as a module; `shape` is that of its input, without the batch axis."""
    match layer:
        case Conv():
            return _convolution(layer, shape)
        case Pool():
            return pooling(layer, shape)
        case GlobalPool():
            return GlobalPooling(layer)
        case BatchNorm():
            return nn.BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])
        case Activation():
            return ACTIVATION_MODULES[layer.function]()
        case Flatten():
            return nn.Flatten()
        case Dropout():
            return nn.Dropout(layer.probability)
        case Dense():
            return nn.Linear(product(shape), layer.units, bias=layer.bias)
        case _:
            raise TypeError(f"no module for {type(layer).__name__}")


def _convolution(layer: Conv, shape: Shape) -> nn.Module:
    windows, flat = layer.windows(shape[1:]), len(shape) == 2
    if any(window.padding != window.behind for window in windows):
        return PaddedConv1d(layer, shape) if flat else PaddedConv2d(layer, shape)
    numbers = _numbers(layer, shape)
    numbers["padding"] = tuple(window.padding for window in windows)
    numbers["padding_mode"] = layer.mode
    if flat:
        return nn.Conv1d(shape[0], layer.channels, **numbers, bias=layer.bias)
    return nn.Conv2d(shape[0], layer.channels, **numbers, bias=layer.bias)


def _numbers(layer: Conv, shape: Shape) -> dict[str, Any]:
    """Return a convolution's numbers for each axis, and its groups, by PyTorch's names."""
    windows = layer.windows(shape[1:])
    return {
        "kernel_size": tuple(window.kernel for window in windows),
        "stride": tuple(window.stride for window in windows),
        "dilation": tuple(window.dilation for window in windows),
        "groups": layer.groups,
    }


def _pads(layer: Conv, shape: Shape) -> list[int]:
    """Return the padding as torch.nn.functional.pad takes it: the last axis comes first."""
    windows = reversed(layer.windows(shape[1:]))
    return [side for window in windows for side in (window.padding, window.behind)]
