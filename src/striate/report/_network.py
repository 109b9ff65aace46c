"""The network itself: its first kernels and its layers."""

from typing import Any

from striate.report._blocks import Block, Section, Table
from striate.report._pictures import gallery, is_picture, tile
from striate.report._run import Run
from striate.report._words import figure, size, words

MOST_ROWS = 40
"""Longer layer tables are folded."""


def kernels(run: Run) -> Section:
    """Return the section of the first convolution's kernels."""
    first = run.results.get("kernels") or {}
    pictures = [each for each in first.get("pictures") or [] if is_picture(each)]
    name = words(first.get("layer"))
    tiles = [
        tile(each, alt=f"kernel {n} of layer {name}", side=56)
        for n, each in enumerate(pictures, start=1)
    ]
    caption = (
        "One square a kernel, that is, one output channel. It is laid on every window of the "
        "picture as drawn here (cross-correlation, no flipping); products are summed over the "
        "window and all input channels, and a bias is added. Mid-grey is 0, brighter is positive, "
        "darker negative, on one scale for all; three input channels are drawn as red, green, blue."
    )
    blocks: tuple[Block, ...] = (gallery(tiles, caption=caption),) if tiles else ()
    return Section(
        key="kernels",
        title="What the first layer looks for",
        intro=f"The {len(tiles)} kernels of layer {name}.",
        blocks=blocks,
    )


def layers(run: Run) -> Section:
    """Return the section of the layer table."""
    rows = run.results.get("layers") or []
    frozen = any(row.get("frozen") for row in rows)
    blocks: list[Block] = []
    if rows:
        table = Table(
            title="Layers",
            head=(
                "name",
                "kind",
                "size",
                "output",
                "unread",
                "parameters",
                *(("frozen",) if frozen else ()),
                "FLOPs",
                "bytes",
            ),
            rows=tuple(_row(row, frozen=frozen) for row in rows),
            numbers=(5, 6, 7, 8) if frozen else (5, 6, 7),
            folded=len(rows) > MOST_ROWS,
            caption="For one picture. Size: (input − kernel + padding before and after) / stride "
            "+ 1, rounded down (or up where ceil is written), in each layer's own numbers. Unread: "
            "rows and columns of the layer's input that no window reads. FLOPs count a "
            "multiplication and an addition separately. Bytes are those of the output.",
        )
        blocks += [table, *_fields(rows), *_compared(rows)]
    return Section(key="layers", title="The network, layer by layer", blocks=tuple(blocks))


def _row(row: dict[str, Any], *, frozen: bool) -> tuple[str, ...]:
    counts = ("parameters", "frozen", "flops") if frozen else ("parameters", "flops")
    return (
        words(row.get("name")),
        words(row.get("kind")),
        words(row.get("formula")),
        size(row.get("output")),
        _unread(row),
        *(_whole(row.get(key)) for key in counts),
        _whole(row.get("bytes")),
    )


def _unread(row: dict[str, Any]) -> str:
    """Return "1 of 29 × 0 of 28" for height and width; "" where everything is read."""
    missed, sizes = row.get("unread") or [], (row.get("input") or [])[1:]
    if not any(missed) or len(missed) != len(sizes):
        return ""
    return " × ".join(f"{count} of {total}" for count, total in zip(missed, sizes, strict=True))


def _fields(rows: list[dict[str, Any]]) -> list[Block]:
    """Return the table of receptive fields, of layers that change them."""
    lines: list[tuple[str, ...]] = []
    before: Any = None
    for row in rows:
        axes = row.get("field")
        if axes and axes != before:
            parts = (size([axis[key] for axis in axes]) for key in ("size", "stride", "centre"))
            lines.append((words(row.get("name")), *parts))
        before = axes or before
    if not lines:
        return []
    return [
        Table(
            title="Receptive fields",
            head=("name", "size", "stride", "first centre"),
            rows=tuple(lines),
            folded=len(lines) > MOST_ROWS,
            caption="In pixels of the picture, height × width; layers that don't change it are "
            "left out. Size: the pixels that one value of the output can depend on, those in the "
            "padding included. Stride: from one value's field to the next one's. First centre: "
            "of the value at the top left; the picture's first pixel has its centre at 0.",
        )
    ]


def _compared(rows: list[dict[str, Any]]) -> list[Block]:
    """Return the table of convolutions beside layers that share less."""
    keys = ("parameters", "unshared_parameters", "dense_parameters", "connections")
    lines = [
        (words(row.get("name")), *(_whole(row.get(key)) for key in keys))
        for row in rows
        if row.get("dense_parameters") is not None
    ]
    if not lines:
        return []
    return [
        Table(
            title="Convolutions compared",
            head=("name", "parameters", "unshared", "dense", "connections"),
            rows=tuple(lines),
            numbers=(1, 2, 3, 4),
            folded=len(lines) > MOST_ROWS,
            caption="Parameters that other layers between the same shapes would need. Unshared: "
            "the same windows with other weights at every position. Dense: every output with a "
            "weight for every input. Connections: how many values one output reads.",
        )
    ]


def _whole(value: Any) -> str:
    return figure(value) if isinstance(value, int | float) else words(value)
