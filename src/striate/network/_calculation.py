"""A worked-out convolution or pooling, window by window; and the sizes of one alone."""

from dataclasses import dataclass
from typing import Any

from striate.errors import NetworkError
from striate.network._arithmetic import Shape, times
from striate.network._calculator_numbers import Maps, Matrix, Number, size
from striate.network._spec_window import Conv, Pool

Cells = tuple[tuple[Number | None, ...], ...]
"""What a window lies on in one channel; None where nothing is counted."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One channel in one window.

    Attributes:
        cells: the numbers (kh, kw) that the window lies on.
        products: cells times kernel; None for pooling.
        value: the products' sum, or the maximum, minimum or mean.
    """

    cells: Cells
    products: Matrix | None
    value: Number


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One window: its place (row, column) in the output, where it reads, a part for each channel.

    `rows` and `columns` are the input's, from 0; those outside it lie in the padding or behind it.
    """

    place: tuple[int, int]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Calculation:
    """A convolution or pooling with all its windows, row by row.

    `kernel` (C, kh, kw) and `bias` are a convolution's, whose `output` has one channel; that of
    pooling has C.
    """

    layer: Conv | Pool
    input: Maps
    kernel: Maps | None
    bias: Number
    readings: tuple[Reading, ...]
    output: Maps

    @property
    def shape(self) -> Shape:
        """(C, H, W) of the input."""
        return (len(self.input), *size(self.input[0]))

    def to_json(self) -> dict[str, Any]:
        """Return what `striate arithmetic --json` prints."""
        from striate.network._calculator_json import calculation_json

        return calculation_json(self)

    def to_text(self) -> str:
        """Return every window with its products and sum, and the output, in lines."""
        from striate.network._calculator_text import calculation_text

        return calculation_text(self)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of a layer alone, for a map of `shape` (C, H, W); NetworkError where none fits."""

    layer: Conv | Pool
    shape: Shape

    def __post_init__(self) -> None:
        check_fit(self.layer, self.shape)

    def to_json(self) -> dict[str, Any]:
        """Return what `striate arithmetic --size --json` prints."""
        from striate.network._calculator_json import sizes_json

        return sizes_json(self.layer, self.shape)

    def to_text(self) -> str:
        """Return sizes and formula in lines."""
        from striate.network._calculator_text import sizes_text

        return sizes_text(self.layer, self.shape)


def check_fit(layer: Conv | Pool, shape: Shape) -> None:
    """Raise NetworkError, with an input and a padding that would do, where no window fits."""
    sizes, windows = shape[1:], layer.windows(shape[1:])
    if min(layer.output(shape)) >= 1:
        return
    spans = tuple(window.span for window in windows)
    pads = tuple(window.padding + window.behind for window in windows)
    least = tuple(max(span - pad, 1) for span, pad in zip(spans, pads, strict=True))
    padding = max(-(-(span - size) // 2) for span, size in zip(spans, sizes, strict=True))
    remedy = f", or padding of {padding}"
    if isinstance(layer, Pool) and 2 * padding > min(spans):
        remedy = ""
    raise NetworkError(
        f"A window of {times(spans)} doesn't fit into {times(sizes)}"
        f"{' and its padding' if any(pads) else ''}. An input of at least {times(least)}{remedy} "
        "would do."
    )
