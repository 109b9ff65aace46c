"""Specifications as PyTorch modules."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from striate.network._arithmetic import Shape, product
from striate.network._spec import Layer
from striate.network._spec_block import Residual
from striate.network._spec_plain import Activation, BatchNorm, Dense, Dropout, Flatten, GlobalPool
from striate.network._spec_window import Conv, Pool, per_axis
from striate.network._specification import Item, named, output_shape

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


class MinPool(nn.Module):
    """Minimum of each window, as −max(−x): padding then counts as +∞. (N, C, H, W)."""

    def __init__(self, spec: Pool) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        spec = self.spec
        sizes = (_pair(spec.window), _pair(spec.steps), _pair(spec.padding))
        return -max_pool2d(-maps_NCHW, *sizes, ceil_mode=spec.ceil)


class GlobalPooling(nn.Module):
    """Maximum, minimum or mean over H and W. (N, C, H, W) → (N, C).

    Plain reductions, whose backward pass is deterministic; that of adaptive pooling isn't
    everywhere.
    """

    def __init__(self, spec: GlobalPool) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        if self.spec.how == "max":
            return maps_NCHW.amax(dim=(2, 3))
        if self.spec.how == "min":
            return maps_NCHW.amin(dim=(2, 3))
        return maps_NCHW.mean(dim=(2, 3))


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


def sequence(items: Sequence[Item], shape: Shape) -> nn.Sequential:
    """Return the layers as one module; `shape` (C, H, W) is that of its input."""
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for name, item in named(items):
        if isinstance(item, Residual):
            modules[name] = ResidualBlock(item, shape)
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
            return _pooling(layer)
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
    return nn.Conv2d(
        shape[0],
        layer.channels,
        _pair(layer.kernel),
        stride=_pair(layer.stride),
        padding=_pair(layer.padding),
        dilation=_pair(layer.dilation),
        groups=layer.groups,
        bias=layer.bias,
    )


def _pooling(layer: Pool) -> nn.Module:
    kernel, stride, padding = _pair(layer.window), _pair(layer.steps), _pair(layer.padding)
    if layer.how == "min":
        return MinPool(layer)
    if layer.how == "max":
        return nn.MaxPool2d(kernel, stride, padding, ceil_mode=layer.ceil)
    return nn.AvgPool2d(
        kernel, stride, padding, ceil_mode=layer.ceil, count_include_pad=layer.count_padding
    )


def _pair(size: int | tuple[int, ...]) -> tuple[int, int]:
    height, width = per_axis(size, 2)
    return height, width
