"""Layers in the few words that fit in a box."""

from collections.abc import Sequence

from striate.network._arithmetic import Shape, times
from striate.network._rows import Row
from striate.network._spec_plain import Activation, BatchNorm, Dense, Dropout, Flatten
from striate.network._spec_window import Conv, Pool


def layer_words(row: Row) -> str:
    """Return what a layer is: "conv 3×3, 64 channels, stride 2"."""
    layer = row.layer
    match layer:
        case Conv():
            grouped = f", {layer.groups} groups" if layer.groups > 1 else ""
            return f"conv {_window(layer, row)}, {layer.channels}{_stride(layer, row)}{grouped}"
        case Pool():
            return f"{layer.kind} {_window(layer, row)}{_stride(layer, row)}"
        case Dense():
            return f"dense {layer.units}"
    return row.kind


def is_small(row: Row) -> bool:
    """Return whether a layer is written with the one before it: it moves no number elsewhere."""
    return isinstance(row.layer, Activation | BatchNorm | Dropout | Flatten)


def figures(chain: Sequence[Row], output: Shape) -> str:
    """Return the output's shape and the parameters of some layers."""
    count = sum(row.parameters for row in chain)
    shape = times(output)
    return f"{shape} · {count:,} parameters" if count else shape


def _window(layer: Conv | Pool, row: Row) -> str:
    kernels = tuple(window.kernel for window in layer.windows(row.input[1:]))
    return times(kernels)


def _stride(layer: Conv | Pool, row: Row) -> str:
    """Return the stride where it isn't the usual one: 1, and for pooling the window's size."""
    windows = layer.windows(row.input[1:])
    usual = [1 if isinstance(layer, Conv) else window.kernel for window in windows]
    strides = [window.stride for window in windows]
    if strides == usual:
        return ""
    return f", stride {strides[0] if len(set(strides)) == 1 else times(tuple(strides))}"
