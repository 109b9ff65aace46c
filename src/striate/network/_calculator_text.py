"""A calculation as text for a terminal."""

from collections.abc import Iterator, Sequence

from striate.network._arithmetic import Shape, times
from striate.network._calculation import Calculation, Cells, Part, Reading
from striate.network._calculator_numbers import Maps, Matrix, Number, shown, size
from striate.network._compare import unread, unread_words
from striate.network._spec_window import Conv, Pool

_NOTHING = {"max": "−∞", "min": "+∞"}
"""What padding is to a maximum and a minimum; a mean leaves it out."""

_EXTREME = {"max": "largest", "min": "smallest"}


def sizes_text(layer: Conv | Pool, shape: Shape) -> str:
    """Return the sizes in two or three lines: what, the formula, and what no window reads."""
    windows = layer.windows(shape[1:])
    taps = times(tuple(window.kernel for window in windows))
    name = "kernel" if isinstance(layer, Conv) else "window"
    before, after = times(shape[1:]), times(layer.output(shape)[1:])
    lines = [f"{layer.kind}, {name} {taps}: {before} → {after}", f"size: {layer.formula(shape)}"]
    missed = unread_words(unread(layer, shape) or ())
    return "\n".join([*lines, f"no window reads {missed}"] if missed else lines)


def calculation_text(found: Calculation) -> str:
    """Return every window with its products and sum, and the output, for a terminal."""
    lines = [sizes_text(found.layer, found.shape)]
    if found.kernel is not None:
        lines.append(
            "Each number is multiplied with the kernel's at the same place; the kernel isn't flipped\n"
            "(cross-correlation)."
        )
    padding = "; what lies outside the input is in brackets" if _reaches_out(found) else ""
    lines.append(f"Rows, columns and channels count from 0{padding}.")
    lines += ["", *(line for reading in found.readings for line in _reading(found, reading))]
    height, width = size(found.output[0])
    lines.append(f"output {height}×{width}")
    several = len(found.output) > 1
    for number, matrix in enumerate(found.output):
        lines += [f"  channel {number}"] if several else []
        lines += _indented(_grid([[shown(one) for one in row] for row in matrix]))
    return "\n".join([*lines, f"in one line: {written(found.output)}"])


def written(maps: Maps) -> str:
    """Return matrices as they are typed: "54 63; 90 99", channels parted by "|"."""
    return " | ".join("; ".join(" ".join(map(shown, row)) for row in matrix) for matrix in maps)


def _reaches_out(found: Calculation) -> bool:
    """Return whether a window reads places outside the input."""
    height, width = size(found.input[0])
    return any(
        min(*reading.rows, *reading.columns) < 0
        or max(reading.rows) >= height
        or max(reading.columns) >= width
        for reading in found.readings
    )


def _reading(found: Calculation, reading: Reading) -> Iterator[str]:
    """Yield the lines of one window, and an empty one."""
    row, column = reading.place
    place = f"row {row}, column {column}"
    yield f"output {place}: from {_range('row', reading.rows)}, {_range('column', reading.columns)}"
    several = len(reading.parts) > 1
    for channel, part in enumerate(reading.parts):
        if several:
            yield f"  channel {channel}"
        yield from _indented(_part(found, reading, channel, part))
    if found.kernel is not None and (several or found.bias):
        terms = [shown(part.value) for part in reading.parts]
        terms += [f"bias {shown(found.bias)}"] if found.bias else []
        total = shown(found.output[0][row][column])
        yield f"  {' + '.join(terms)} = {total}"
    yield ""


def _part(found: Calculation, reading: Reading, channel: int, part: Part) -> list[str]:
    """Return one channel of a window: what it lies on, times kernel, products; and the value."""
    blocks = [_grid(_marked(found, reading, part.cells))]
    signs = []
    if part.products is not None and found.kernel is not None:
        blocks += [_grid(_shown(found.kernel[channel])), _grid(_shown(part.products))]
        signs = [" × ", " = "]
    middle = (len(part.cells) - 1) // 2
    lines = []
    for index, pieces in enumerate(zip(*blocks, strict=True)):
        gaps = signs if index == middle else ["   "] * len(signs)
        joined = "".join(f"{piece} {gap} " for piece, gap in zip(pieces, gaps, strict=False))
        lines.append(joined + pieces[-1])
    lines[-1] += f"   {_value(found.layer, part)}"
    return lines


def _value(layer: Conv | Pool, part: Part) -> str:
    """Return a part's result in words; a mean with its sum and how many numbers count."""
    if isinstance(layer, Conv):
        return f"sum {shown(part.value)}"
    counted = [cell for line in part.cells for cell in line if cell is not None]
    if layer.how != "average":
        return f"{_EXTREME[layer.how]} {shown(part.value)}"
    return f"mean {shown(sum(counted))}/{len(counted)} = {shown(part.value)}"


def _marked(found: Calculation, reading: Reading, cells: Cells) -> list[list[str]]:
    """Return a window's numbers; padding is in brackets."""
    height, width = size(found.input[0])
    nothing = "" if isinstance(found.layer, Conv) else _NOTHING.get(found.layer.how, "–")

    def cell(row: int, column: int, number: Number | None) -> str:
        text = nothing if number is None else shown(number)
        return text if 0 <= row < height and 0 <= column < width else f"({text})"

    return [
        [cell(row, column, one) for column, one in zip(reading.columns, line, strict=True)]
        for row, line in zip(reading.rows, cells, strict=True)
    ]


def _shown(matrix: Matrix) -> list[list[str]]:
    return [[shown(number) for number in row] for row in matrix]


def _grid(cells: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with all cells of one width, right-aligned."""
    width = max(len(cell) for row in cells for cell in row)
    return [" ".join(cell.rjust(width) for cell in row) for row in cells]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _range(noun: str, taps: tuple[int, ...]) -> str:
    """Return "rows 0 to 2", or all of them where they aren't neighbours."""
    if len(taps) == 1:
        return f"{noun} {taps[0]}"
    if taps[1] - taps[0] == 1:
        return f"{noun}s {taps[0]} to {taps[-1]}"
    return f"{noun}s {', '.join(map(str, taps))}"
