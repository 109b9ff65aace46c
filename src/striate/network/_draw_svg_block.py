"""A block in a drawing: its branches side by side between a fork and a meeting."""

from dataclasses import dataclass

from striate.network._draw import Node
from striate.network._draw_svg_text import text, width

PAD, BOX, LINE = 10.0, 6.0, 17.0
"""Pixels: beside a text, above and below texts, and from one line to the next."""

_BETWEEN = 18.0
_FORK = 20.0
_SKIP = "skip"


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A rectangle, in pixels from the top left."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> float:
        return self.x + self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


def block_size(node: Node) -> tuple[float, float]:
    """Return width and height of a block with everything inside it."""
    heads = (_title(node), *node.lines)
    branches = sum(map(_branch_width, node.branches)) + _BETWEEN * (len(node.branches) - 1)
    across = max([branches, width(node.join) + 2 * PAD, *map(width, heads)]) + 2 * PAD
    meeting = _FORK + LINE + BOX if node.join else 0.0
    return across, _head(node) + _fork(node) + _longest(node) + meeting + 2 * BOX


def block_svg(node: Node, place: Placed) -> str:
    """Return the block's markup."""
    heads = (_title(node), *node.lines)
    parts = [rectangle(place, style="block")]
    parts += [
        text(
            line,
            place.centre,
            place.y + BOX + (number + 0.75) * LINE,
            style="muted" if number else "title",
        )
        for number, line in enumerate(heads)
    ]
    top, bottom = _inner(node, place)
    total = sum(map(_branch_width, node.branches)) + _BETWEEN * (len(node.branches) - 1)
    left = place.centre - total / 2
    for branch in node.branches:
        across = _branch_width(branch)
        parts.append(_branch(node, branch, left + across / 2, place, top, bottom))
        left += across + _BETWEEN
    if node.join:
        parts.append(_meeting(node.join, place.centre, bottom + _FORK))
    return "".join(parts)


def rectangle(place: Placed, *, style: str = "") -> str:
    """Return a rectangle with round corners."""
    style = f' class="{style}"' if style else ""
    return (
        f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" '
        f'height="{place.height:.1f}" rx="6"{style}/>'
    )


def _title(node: Node) -> str:
    return f"{node.repeats} × {node.title}" if node.repeats > 1 else node.title


def _head(node: Node) -> float:
    return BOX + LINE * (1 + len(node.lines))


def _fork(node: Node) -> float:
    """Return the room in which branches part; a chain needs none."""
    return _FORK if node.join else BOX


def _inner(node: Node, place: Placed) -> tuple[float, float]:
    """Return where branches begin and end."""
    top = place.y + _head(node) + _fork(node)
    return top, top + _longest(node)


def _branch_width(branch: tuple[str, ...]) -> float:
    if not branch:
        # Its word stands to the right of its line, which is in the middle.
        return 2 * (width(_SKIP) + PAD)
    return max(map(width, branch)) + 2 * PAD


def _branch_height(branch: tuple[str, ...]) -> float:
    return len(branch) * (LINE + BOX) + max(len(branch) - 1, 0) * BOX * 2


def _longest(node: Node) -> float:
    return max(map(_branch_height, node.branches))


def _branch(
    node: Node, branch: tuple[str, ...], x: float, place: Placed, top: float, bottom: float
) -> str:
    """Return one branch: its line from fork to meeting, and its boxes on it."""
    fork, end = top - _FORK, bottom + _FORK
    style = "" if branch else ' class="skip"'
    parts = []
    if node.join:
        half = _FORK / 2
        path = (
            f"M{place.centre:.1f} {fork:.1f}C{place.centre:.1f} {fork + half:.1f} {x:.1f} "
            f"{fork + half:.1f} {x:.1f} {top:.1f}V{bottom:.1f}C{x:.1f} {bottom + half:.1f} "
            f"{place.centre:.1f} {bottom + half:.1f} {place.centre:.1f} {end:.1f}"
        )
        parts.append(f'<path{style} d="{path}"/>')
    else:
        parts.append(f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>')
    y = (top + bottom - _branch_height(branch)) / 2
    if not branch:
        parts.append(text(_SKIP, x + 6, (top + bottom) / 2 + 4, anchor="start", style="skip"))
    for words in branch:
        across = width(words) + 2 * PAD
        box = Placed(x=x - across / 2, y=y, width=across, height=LINE + BOX)
        parts.append(rectangle(box) + text(words, x, y + LINE - 1))
        y += LINE + 3 * BOX
    return "".join(parts)


def _meeting(join: str, x: float, y: float) -> str:
    across = width(join) + 2 * PAD
    box = Placed(x=x - across / 2, y=y, width=across, height=LINE + BOX)
    return rectangle(box) + text(join, x, y + LINE - 1)
