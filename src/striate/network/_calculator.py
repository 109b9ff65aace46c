"""Convolution and pooling by hand: every window, its products, and the sum.

Plain Python numbers, so that whole numbers stay whole and fractions exact. What layers compute is
cross-correlation: the kernel lies on the window as it is written and isn't flipped.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from striate.errors import NetworkError
from striate.network._arithmetic import Window, times
from striate.network._calculation import Calculation, Cells, Part, Reading, check_fit
from striate.network._calculator_numbers import Maps, Matrix, Number, simple, size
from striate.network._size import per_axis
from striate.network._spec_window import Conv, Pool

MOST_NUMBERS = 20_000
"""Numbers under all windows together, at most."""


def convolve(maps: Maps, kernel: Maps, layer: Conv, *, bias: Number = 0) -> Calculation:
    """Return the convolution of all channels with one filter.

    Args:
        maps: the input (C, H, W).
        kernel: the filter (C, kh, kw), as large as the layer's kernel.
        layer: one channel, no groups, padding by zeros.
        bias: added to every sum.

    Raises:
        NetworkError: the kernel isn't the layer's or hasn't one matrix for each channel of the
            input, is larger than the input with its padding, or there are too many windows to read.
    """
    taken = (layer.channels, layer.groups, layer.mode, per_axis(layer.kernel, 2))
    if taken != (1, 1, "zeros", size(kernel[0])):
        raise NetworkError(
            f"The calculator takes one filter with padding by zeros, got '{layer.notation}' for a "
            f"kernel of {times(size(kernel[0]))}."
        )
    if len(kernel) != len(maps):
        raise NetworkError(
            "A filter reads all channels, so its kernel has a matrix for each: the input has "
            f"{_channels(maps)}, the kernel {_channels(kernel)}."
        )

    def part(channel: int, cells: Cells) -> Part:
        return _multiplied(cells, kernel[channel])

    readings = _readings(maps, layer, part, padded=0)
    sums = [simple(bias + sum(part.value for part in reading.parts)) for reading in readings]
    return Calculation(
        layer=layer,
        input=maps,
        kernel=kernel,
        bias=bias,
        readings=readings,
        output=(_matrix(sums, readings),),
    )


def pool(maps: Maps, layer: Pool) -> Calculation:
    """Return the maximum, minimum or mean of every window, channel by channel.

    Raises NetworkError where the window is larger than the input with its padding.
    """
    padded = 0 if layer.how == "average" and layer.count_padding else None

    def part(channel: int, cells: Cells) -> Part:
        del channel
        return _pooled(cells, layer.how)

    readings = _readings(maps, layer, part, padded=padded)
    channels = zip(*([part.value for part in reading.parts] for reading in readings), strict=True)
    return Calculation(
        layer=layer,
        input=maps,
        kernel=None,
        bias=0,
        readings=readings,
        output=tuple(_matrix(values, readings) for values in channels),
    )


def _readings(
    maps: Maps, layer: Conv | Pool, part: Callable[[int, Cells], Part], *, padded: Number | None
) -> tuple[Reading, ...]:
    """Return all windows in order; `padded` is what padding counts as, None for nothing."""
    height, width = size(maps[0])
    shape = (len(maps), height, width)
    check_fit(layer, shape)
    rows, columns = layer.output(shape)[1:]
    up, left = layer.windows((height, width))
    _check_amount(rows * columns, len(maps) * up.kernel * left.kernel)
    return tuple(
        Reading(
            place=(row, column),
            rows=tuple(_taps(up, row)),
            columns=tuple(_taps(left, column)),
            parts=tuple(
                part(channel, _cells(matrix, (up, row), (left, column), padded))
                for channel, matrix in enumerate(maps)
            ),
        )
        for row in range(rows)
        for column in range(columns)
    )


def _check_amount(windows: int, numbers: int) -> None:
    if windows * numbers > MOST_NUMBERS:
        raise NetworkError(
            f"That would be {windows:,} windows of {numbers:,} numbers, more than anybody reads; "
            f"{MOST_NUMBERS:,} numbers are the limit. Take a part of the picture (--at and --crop), "
            "or sizes alone (--size)."
        )


def _taps(window: Window, position: int) -> Iterator[int]:
    """Yield the places that a window reads; below 0 and behind the last they are padding."""
    first = position * window.stride - window.padding
    yield from range(first, first + window.span, window.dilation)


def _cells(
    matrix: Matrix, up: tuple[Window, int], left: tuple[Window, int], padded: Number | None
) -> Cells:
    """Return what lies under a window; behind the padding, where ceil may reach, is nothing."""
    height, width = size(matrix)

    def cell(row: int, column: int) -> Number | None:
        if 0 <= row < height and 0 <= column < width:
            return matrix[row][column]
        behind = row >= height + up[0].behind or column >= width + left[0].behind
        return None if behind else padded

    return tuple(tuple(cell(row, column) for column in _taps(*left)) for row in _taps(*up))


def _multiplied(cells: Cells, kernel: Matrix) -> Part:
    products = tuple(
        tuple(simple((cell or 0) * weight) for cell, weight in zip(*lines, strict=True))
        for lines in zip(cells, kernel, strict=True)
    )
    return Part(cells=cells, products=products, value=simple(sum(map(sum, products))))


def _pooled(cells: Cells, how: str) -> Part:
    counted = [cell for line in cells for cell in line if cell is not None]
    if how == "average":
        value = simple(Fraction(sum(counted), len(counted)))
    else:
        value = max(counted) if how == "max" else min(counted)
    return Part(cells=cells, products=None, value=value)


def _matrix(values: Sequence[Number], readings: Sequence[Reading]) -> Matrix:
    """Return the windows' values in the rows of the output."""
    width = readings[-1].place[1] + 1
    return tuple(tuple(values[first : first + width]) for first in range(0, len(values), width))


def _channels(maps: Maps) -> str:
    return "1 channel" if len(maps) == 1 else f"{len(maps)} channels"
