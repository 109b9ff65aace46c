"""What a drawing of a network shows: its layers as nodes, blocks with their branches, repeats once.

Drawn as SVG by `_draw_svg`, as Mermaid text by `_draw_mermaid`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from striate.network._arithmetic import times
from striate.network._draw_branches import inside, output, with_skip
from striate.network._draw_groups import Edge, Group, groups
from striate.network._draw_words import figures, layer_words
from striate.network._rows import Row, Summary

Signature = tuple[tuple[object, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One box: a layer with what follows it, or a block of layers.

    Attributes:
        title: name of the layer or block; first and last name where it stands for several.
        lines: what it computes and its figures.
        branches: of a block, each the layers along it; an empty one is the input itself. One
            branch is a chain of layers; none is a box without an inside.
        join: how the branches meet, with what follows: "add · relu".
        repeats: how many blocks in a row it stands for.
    """

    title: str
    lines: tuple[str, ...]
    branches: tuple[tuple[str, ...], ...] = ()
    join: str = ""
    repeats: int = 1


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Nodes in order from the picture on, and edges between their numbers (−1 is the picture)."""

    title: str
    picture: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def draw(table: Summary) -> Drawing:
    """Return what is drawn of a network."""
    found, edges = groups(table.rows)
    runs = _runs(table.rows, found)
    node_of = {number: node for node, run in enumerate(runs) for number in run}
    node_of[-1] = -1
    nodes = tuple(_run_node(table.rows, [found[number] for number in run]) for run in runs)
    between = {
        (node_of[a], node_of[b])
        for a, b in edges
        if node_of[a] != node_of[b] and not _is_inside(found, nodes, node_of, a, b)
    }
    return Drawing(
        title=f"{_short(table.network)} for {times(table.input)}, {table.parameters:,} parameters",
        picture=f"input {times(table.input)}",
        nodes=nodes,
        edges=tuple(sorted(between)),
    )


def _is_inside(
    found: Sequence[Group], nodes: Sequence[Node], node_of: dict[int, int], source: int, target: int
) -> bool:
    """Return whether an edge between groups is drawn as the skip of the block before its end."""
    before = target - 1
    passes = source != before and target > 0 and found[before].skips
    return passes and () in nodes[node_of[before]].branches


def _short(name: str, most: int = 32) -> str:
    """Return a network's name, cut where it is a network in words: the boxes tell its layers."""
    return name if len(name) <= most else f"{name[: most - 2]} …"


def _runs(rows: Sequence[Row], found: Sequence[Group]) -> list[list[int]]:
    """Return the numbers of the groups, equal blocks in a row together."""
    runs: list[list[int]] = []
    signatures = [_signature(rows, group) for group in found]
    for number, group in enumerate(found):
        same = runs and group.name and signatures[runs[-1][0]] == signatures[number]
        if same and found[runs[-1][0]].name:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _signature(rows: Sequence[Row], group: Group) -> Signature:
    """Return what must be equal in equal blocks; the names and the input's channels needn't."""
    return tuple(
        (
            group.skips,
            rows[number].kind,
            rows[number].input,
            rows[number].output,
            rows[number].parameters,
            tuple(source - group.rows[0] for source in rows[number].reads if source in group.rows),
        )
        for number in group.rows
    )


def _run_node(rows: Sequence[Row], run: Sequence[Group]) -> Node:
    first, last = run[0], run[-1]
    node = _block(rows, first) if first.name else _cell(rows, first)
    if len(run) == 1:
        return node
    *lines, told = node.lines
    each = f"{told} each" if told.endswith("parameters") else told
    title = f"{first.name} – {last.name}"
    return replace(node, title=title, lines=(*lines, each), repeats=len(run))


def _cell(rows: Sequence[Row], group: Group) -> Node:
    """Return the node of a layer with the activations and the like that follow it."""
    chain = [rows[number] for number in group.rows]
    words = " · ".join(layer_words(row) for row in chain)
    return Node(title=group.name or chain[0].name, lines=(words, figures(chain, chain[-1].output)))


def _block(rows: Sequence[Row], group: Group) -> Node:
    chain = [rows[number] for number in group.rows]
    structure, told = inside(rows, group.rows), figures(chain, output(rows, group.rows))
    if structure is None:
        lines = (_kinds(chain), "branches inside aren't drawn", told)
        return Node(title=group.name, lines=lines)
    skipped = with_skip(rows, group.rows, structure) if group.skips else None
    structure = structure if skipped is None else skipped
    if not structure.join and len(structure.branches[0]) == 1:
        return _cell(rows, group)
    return Node(title=group.name, lines=(told,), branches=structure.branches, join=structure.join)


def _kinds(chain: Sequence[Row], most: int = 3) -> str:
    """Return how many layers of each kind there are: "6 × conv, 6 × batch norm"."""
    kinds = Counter(row.kind for row in chain)
    held = [f"{count} × {kind}" for kind, count in kinds.most_common(most)]
    return ", ".join([*held, *(["…"] if len(kinds) > most else [])])
