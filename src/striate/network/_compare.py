"""A convolution beside layers that share less, and what a window leaves unread; no PyTorch here."""

from collections.abc import Sequence
from dataclasses import dataclass

from striate.network._arithmetic import Shape, Window, product
from striate.network._field import Field
from striate.network._spec import Layer
from striate.network._spec_plain import Dense
from striate.network._spec_window import Conv, Pool

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What other layers between a convolution's shapes would need; biases where it has them.

    Attributes:
        dense: a dense layer: every output has a weight for every input.
        unshared: a layer with the convolution's windows, but other weights at every position.
    """

    dense: int
    unshared: int


def compare(layer: Layer, shape: Shape) -> Comparison | None:
    """Return the comparison for a convolution that reads `shape`, None for another layer.

    >>> compare(Conv(32, 3, padding=1), (1, 28, 28))
    Comparison(dense=19694080, unshared=250880)
    """
    if not isinstance(layer, Conv):
        return None
    outputs = product(layer.output(shape))
    biases = outputs if layer.bias else 0
    return Comparison(
        dense=product(shape) * outputs + biases,
        unshared=(connections(layer, shape) or 0) * outputs + biases,
    )


def connections(layer: Layer, shape: Shape) -> int | None:
    """Return how many numbers one output reads: for convolution, pooling and dense layers.

    At the border some of them lie in the padding.
    """
    match layer:
        case Conv():
            return layer.weights(shape) // layer.channels
        case Pool():
            return product(tuple(window.kernel for window in layer.windows(shape[1:])))
        case Dense():
            return shape[-1]
    return None


def unread(layer: Layer, shape: Shape) -> Shape | None:
    """Return for each axis how many of its positions no window reads; None without windows.

    >>> unread(Pool("max", 2), (64, 29, 28))
    (1, 0)
    """
    if not isinstance(layer, Conv | Pool):
        return None
    axes = zip(layer.windows(shape[1:]), shape[1:], strict=True)
    return tuple(_read(window, size).count(0) for window, size in axes)


def left_over(layer: Layer, shape: Shape) -> Shape | None:
    """Return those of `unread` that lie behind the last window, not between windows or taps."""
    if not isinstance(layer, Conv | Pool):
        return None
    axes = zip(layer.windows(shape[1:]), shape[1:], strict=True)
    return tuple(size - 1 - _read(window, size).rfind(1) for window, size in axes)


def _read(window: Window, size: int) -> bytearray:
    """Return 1 for each of `size` positions that the window reads at one of its places, else 0."""
    read, step = bytearray(size), window.stride
    start, count = Field().through(window).start, window.positions(size)
    for tap in range(0, window.span, window.dilation):
        # All places of one tap at once: large kernels on long series stay fast.
        first, last = start + tap, start + tap + (count - 1) * step
        inside = range(first % step if first < 0 else first, min(size, last + 1), step)
        if inside:
            read[inside.start : inside.stop : step] = b"\1" * len(inside)
    return read


def unread_words(counts: Sequence[int]) -> str:
    """Return what isn't read in words: "one row and one column"; "" where everything is.

    >>> unread_words((1, 2)), unread_words((0, 1)), unread_words((0, 0)), unread_words((3,))
    ('one row and two columns', 'one column', '', 'three positions')
    """
    nouns = ("row", "column") if len(counts) == 2 else ("position",) * len(counts)
    parts = [
        f"{_counted(count)} {noun}{'' if count == 1 else 's'}"
        for count, noun in zip(counts, nouns, strict=True)
        if count
    ]
    return " and ".join(parts)


def _counted(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)
