"""PyTorch's modules as specifications, so that any network's table has formulas."""

from typing import Any

from torch import nn

from striate.network._adaptive import AdaptivePool, AdaptivePooling
from striate.network._modules import (
    ACTIVATION_MODULES,
    Joined,
    PaddedConv1d,
    PaddedConv2d,
    Sum,
)
from striate.network._pooling import GlobalPooling, Pooling
from striate.network._size import Padding, Size
from striate.network._spec import Layer
from striate.network._spec_block import Add, Concatenate
from striate.network._spec_plain import Activation, BatchNorm, Dense, Dropout, Flatten, GlobalPool
from striate.network._spec_window import Conv, Pool

_ACTIVATIONS = {type(make()): name for name, make in ACTIVATION_MODULES.items()}
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d)


def recognise(module: nn.Module) -> Layer | None:
    """Return the specification whose arithmetic a module follows, or None."""
    match module:
        case Pooling() | GlobalPooling() | AdaptivePooling() | PaddedConv1d() | PaddedConv2d():
            return module.spec
        case nn.Conv1d() | nn.Conv2d():
            return _convolution(module)
        case nn.MaxPool1d() | nn.MaxPool2d():
            return _max_pool(module)
        case nn.AvgPool1d() | nn.AvgPool2d():
            return _average_pool(module)
        case nn.AdaptiveAvgPool2d():
            return _adaptive(module)
        case nn.AdaptiveMaxPool2d():
            return GlobalPool("max") if module.output_size in (1, (1, 1)) else None
        case nn.Linear():
            return Dense(module.out_features, bias=module.bias is not None)
        case nn.Flatten():
            return Flatten() if (module.start_dim, module.end_dim) == (1, -1) else None
        case Sum():
            return Add()
        case Joined():
            return Concatenate()
    return _plain(module)


def _adaptive(module: nn.AdaptiveAvgPool2d) -> Layer | None:
    size = module.output_size
    if size in (1, (1, 1)):
        return GlobalPool("average")
    sides = size if isinstance(size, tuple) else (size, size)
    same = len(sides) == 2 and sides[0] == sides[1] and sides[0] is not None
    return AdaptivePool(int(sides[0])) if same and sides[0] is not None else None


def _plain(module: nn.Module) -> Layer | None:
    if isinstance(module, _BATCH_NORMS):
        return BatchNorm() if module.affine else None
    if isinstance(module, _DROPOUTS):
        return Dropout(module.p)
    name = _ACTIVATIONS.get(type(module))
    return Activation(name) if name else None


def _convolution(module: nn.Conv1d | nn.Conv2d) -> Conv:
    """PyTorch's own "same", which takes no strides, puts an odd pixel after as ours does."""
    padding: Padding
    if isinstance(module.padding, str):
        padding = "same" if module.padding == "same" else 0
    else:
        padding = _short(module.padding)
    return Conv(
        module.out_channels,
        _short(module.kernel_size),
        stride=_short(module.stride),
        padding=padding,
        dilation=_short(module.dilation),
        groups=module.groups,
        bias=module.bias is not None,
        mode=module.padding_mode,
    )


def _max_pool(module: nn.MaxPool1d | nn.MaxPool2d) -> Pool | None:
    if _short(module.dilation) != 1 or module.return_indices:
        return None
    return Pool("max", *_sizes(module), module.ceil_mode)


def _average_pool(module: nn.AvgPool1d | nn.AvgPool2d) -> Pool:
    return Pool("average", *_sizes(module), module.ceil_mode, module.count_include_pad)


def _sizes(module: nn.Module) -> tuple[Size, Size | None, Size]:
    """Return window, stride (None where it is the window's size) and padding of a pooling."""
    window, stride = _short(module.kernel_size), _short(module.stride)
    return window, None if stride == window else stride, _short(module.padding)


def _short(size: Any) -> Size:
    """Return one number where PyTorch holds the same one for every axis, as users write it."""
    numbers = (size,) if isinstance(size, int) else tuple(size)
    return int(numbers[0]) if len(set(numbers)) == 1 else numbers
