"""A calculation as JSON; matrices are lists of rows, a number that isn't counted is null."""

from typing import Any

from striate.network._arithmetic import Shape
from striate.network._calculation import Calculation, Cells, Reading
from striate.network._calculator_numbers import Maps, plain
from striate.network._compare import unread
from striate.network._spec_window import Conv, Pool


def sizes_json(layer: Conv | Pool, shape: Shape) -> dict[str, Any]:
    """Return what is known of a layer's sizes for a map of `shape` (C, H, W)."""
    windows = layer.windows(shape[1:])
    return {
        "operation": layer.kind,
        "input_size": list(shape[1:]),
        "window": [window.kernel for window in windows],
        "stride": [window.stride for window in windows],
        "dilation": [window.dilation for window in windows],
        "padding": dict(
            zip(
                ("top", "bottom", "left", "right"),
                (side for window in windows for side in (window.padding, window.behind)),
                strict=True,
            )
        ),
        "ceil": windows[0].ceil,
        "formula": layer.formula(shape),
        "output_size": list(layer.output(shape)[1:]),
        "unread": list(unread(layer, shape) or ()),
    }


def calculation_json(found: Calculation) -> dict[str, Any]:
    """Return the calculation for JSON."""
    document = sizes_json(found.layer, found.shape)
    document["input"] = _maps_json(found.input)
    if found.kernel is not None:
        document |= {"kernel": _maps_json(found.kernel), "bias": plain(found.bias)}
    document["windows"] = [_reading_json(found, reading) for reading in found.readings]
    document["output"] = _maps_json(found.output)
    return document


def _maps_json(maps: Maps | tuple[Cells, ...]) -> list[list[list[int | float | None]]]:
    return [
        [[None if number is None else plain(number) for number in row] for row in matrix]
        for matrix in maps
    ]


def _reading_json(found: Calculation, reading: Reading) -> dict[str, Any]:
    row, column = reading.place
    parts = []
    for part in reading.parts:
        one: dict[str, Any] = {"input": _maps_json((part.cells,))[0]}
        if part.products is not None:
            one["products"] = _maps_json((part.products,))[0]
        word = "sum" if found.kernel is not None else "value"
        parts.append(one | {word: plain(part.value)})
    document = {
        "output": list(reading.place),
        "rows": list(reading.rows),
        "columns": list(reading.columns),
        "channels": parts,
    }
    if found.kernel is not None:
        document["sum"] = plain(found.output[0][row][column])
    return document
