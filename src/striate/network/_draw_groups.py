"""Which layers share a box: by themselves with what follows them, or by the block they are in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from striate.network._draw_branches import inside
from striate.network._draw_words import is_small
from striate.network._graph import PICTURE
from striate.network._rows import Row

MOST = 30
"""Boxes that can still be read at a glance; a network with more is drawn in larger blocks."""

FEWEST, FAR = 4, 6
"""A chain of fewer boxes hides too much where a block's inside can't be drawn; then smaller blocks
with at most so many edges that pass boxes by are."""

Edge = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Layers in one box, by the numbers of their rows; `name` is the block's, "" without one.

    `skips` says that what comes after reads the block's input beside its output: an addition or
    concatenation that no module does.
    """

    rows: tuple[int, ...]
    name: str = ""
    skips: bool = False


def groups(rows: Sequence[Row]) -> tuple[list[Group], list[Edge]]:
    """Return the groups of all layers that are called, and the edges between them.

    Layers by themselves where they form a chain of at most `MOST` boxes; else the smallest blocks,
    by the modules' names, that do; else the smallest blocks of which there are at most `MOST`,
    preferably with few edges that pass boxes by.
    """
    deepest = max((row.name.count(".") for row in rows), default=0)
    depths = [0, *range(deepest, 0, -1)]
    grouped = [_with_skips(rows, _grouped(rows, depth)) for depth in depths]
    drawn = [(found, _edges(rows, found)) for found in grouped]
    short = [one for one in drawn if _count(rows, one[0]) <= MOST]
    chains = [one for one in short if not _far(*one) and _says_enough(rows, one[0])]
    sparse = [one for one in short if _far(*one) <= FAR]
    return (chains or sparse or short or drawn[-1:])[0]


def _grouped(rows: Sequence[Row], depth: int) -> list[Group]:
    """Return runs of layers whose names begin with the same `depth` parts, and single layers."""
    found: list[Group] = []
    for number, row in enumerate(rows):
        if not row.reads:
            continue
        name = ".".join(row.name.split(".")[:-1][:depth])
        last = found[-1] if found else None
        if last and (_same_block(last, name) or _follows(rows, last, number, name)):
            found[-1] = Group(rows=(*last.rows, number), name=last.name)
        else:
            found.append(Group(rows=(number,), name=name))
    return found


def _same_block(last: Group, name: str) -> bool:
    return name != "" and last.name == name


def _follows(rows: Sequence[Row], last: Group, number: int, name: str) -> bool:
    """Return whether a layer without a block is written with the one before it."""
    before = last.rows[-1]
    read_once = sum(before in row.reads for row in rows) == 1
    alone = name == "" and last.name == ""
    return alone and is_small(rows[number]) and rows[number].reads == (before,) and read_once


def _edges(rows: Sequence[Row], found: Sequence[Group]) -> list[Edge]:
    group_of = {number: place for place, group in enumerate(found) for number in group.rows}
    group_of[PICTURE] = PICTURE
    edges = {
        (group_of[source], place)
        for place, group in enumerate(found)
        for number in group.rows
        for source in rows[number].reads
    }
    return sorted(edge for edge in edges if edge[0] != edge[1])


def _says_enough(rows: Sequence[Row], found: Sequence[Group]) -> bool:
    """Return whether a chain has boxes enough, or tells what is in every block."""
    blocks = (group.rows for group in found if group.name)
    return len(found) >= FEWEST or all(inside(rows, block) is not None for block in blocks)


def _far(found: Sequence[Group], edges: Sequence[Edge]) -> int:
    """Return how many edges pass boxes by, but for skips around one block."""
    return sum(
        target != source + 1 and not (target > 0 and found[target - 1].skips)
        for source, target in edges
    )


def _with_skips(rows: Sequence[Row], found: Sequence[Group]) -> list[Group]:
    """Mark the blocks whose input is read beside their output by the group after them."""
    outside = [
        {source for number in group.rows for source in rows[number].reads} - set(group.rows)
        for group in found
    ]
    marked = list(found)
    for place, group in enumerate(found[:-1]):
        after, ends = outside[place + 1], outside[place + 1] & set(group.rows)
        # Where the block around both goes on, that is the one to draw.
        around = f"{found[place + 1].name}."
        apart = around == "." or not group.name.startswith(around)
        if group.name and apart and ends and after - ends == outside[place]:
            marked[place] = replace(group, skips=True)
    return marked


def _count(rows: Sequence[Row], found: Sequence[Group]) -> int:
    """Return the number of boxes when blocks of equal inputs and outputs are drawn once."""
    shapes = [
        (group.name != "", rows[group.rows[0]].input, rows[group.rows[-1]].output)
        for group in found
    ]
    return sum(
        1
        for number, shape in enumerate(shapes)
        if number == 0 or not shape[0] or shape != shapes[number - 1]
    )
