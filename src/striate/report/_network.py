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
    blocks: list[Block] = []
    if rows:
        table = Table(
            title="Layers",
            head=(
                "name",
                "kind",
                "size",
                "output",
                "parameters",
                "FLOPs",
                "receptive field",
                "bytes",
            ),
            rows=tuple(_row(row) for row in rows),
            numbers=(4, 5, 6, 7),
            folded=len(rows) > MOST_ROWS,
            caption="For one picture. Size: (input − kernel + 2 · padding) / stride + 1, rounded "
            "down, in each layer's own numbers. FLOPs count a multiplication and an addition "
            "separately. The receptive field is how many pixels of the input, in each direction, "
            "one value of the output can depend on. Bytes are those of the output.",
        )
        blocks.append(table)
    return Section(key="layers", title="The network, layer by layer", blocks=tuple(blocks))


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        words(row.get("name")),
        words(row.get("kind")),
        words(row.get("formula")),
        size(row.get("output")),
        *(_whole(row.get(key)) for key in ("parameters", "flops")),
        size(row.get("receptive_field")),
        _whole(row.get("bytes")),
    )


def _whole(value: Any) -> str:
    return figure(value) if isinstance(value, int | float) else words(value)
