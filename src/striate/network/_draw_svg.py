"""A network as an SVG document: boxes from top to bottom, branches side by side, skips beside them.

Texts are in a font of fixed width, so their widths are known without measuring. Colours follow the
reader's light or dark scheme.
"""

from dataclasses import dataclass
from html import escape

from striate.network._draw import Drawing, Node, draw
from striate.network._draw_svg_block import BOX, LINE, PAD, Placed, block_size, block_svg, rectangle
from striate.network._draw_svg_text import text, width
from striate.network._rows import Summary

MARK = "<!-- drawn by striate -->"
"""By which a file is known to be one that may be drawn anew."""

GAP = 26.0
"""Between boxes, in pixels; arrows need it."""

MARGIN = 16.0

_STYLE = """
svg { color-scheme: light dark; background: #ffffff; --text: #1b1f24; --muted: #555e68;
  --rule: #8a94a0; --box: #f4f6f8; --block: #e6eef8; --skip: #b04a00; }
@media (prefers-color-scheme: dark) { svg { background: #12161b; --text: #e6e9ed;
  --muted: #a7b1bc; --rule: #76818d; --box: #1b2129; --block: #18293c; --skip: #f2a04e; } }
text { font: 12px ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", "Liberation Mono",
  monospace; fill: var(--text); }
.title { font-weight: 700; } .muted { fill: var(--muted); } .skip { fill: var(--skip); }
rect { fill: var(--box); stroke: var(--rule); } rect.block { fill: var(--block); }
path { fill: none; stroke: var(--rule); stroke-width: 1.5; } path.skip { stroke: var(--skip); }
path.skip { fill: none; stroke-width: 2; }
marker path { fill: var(--rule); stroke: none; } marker.skip path { fill: var(--skip); }
"""

_MARKERS = "".join(
    f'<marker id="{key}" class="{key}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto-start-reverse" markerUnits="userSpaceOnUse">'
    '<path d="M0 0L8 4L0 8z"/></marker>'
    for key in ("arrow", "skip")
)


@dataclass(frozen=True, kw_only=True)
class _Column:
    """Places of all nodes, the picture first, and the drawing's size."""

    places: tuple[Placed, ...]
    width: float
    height: float


def svg(table: Summary) -> str:
    """Return the document; its root has the size in pixels, so it can stand in a page as it is."""
    drawing = draw(table)
    column = _column(drawing)
    nodes = (Node(title=drawing.picture, lines=()), *drawing.nodes)
    boxes = "".join(map(_node, nodes, column.places))
    arrows = "".join(_edge(column, a + 1, b + 1, lane) for (a, b), lane in _lanes(drawing))
    right = column.width + _room(drawing)
    size = f'width="{right:.0f}" height="{column.height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {right:.0f} '
        f'{column.height:.0f}" role="img" aria-label="{escape(drawing.title)}">'
        f"{MARK}<title>{escape(drawing.title)}</title><style>{_STYLE}</style><defs>{_MARKERS}</defs>"
        f"{text(drawing.title, MARGIN, MARGIN + LINE, anchor='start', style='title')}"
        f"{arrows}{boxes}</svg>\n"
    )


def _column(drawing: Drawing) -> _Column:
    """Stack all boxes around one centre line, under the title."""
    sizes = [_size(Node(title=drawing.picture, lines=())), *map(_size, drawing.nodes)]
    widest = max([width(drawing.title), *(across for across, _ in sizes)])
    centre, top = MARGIN + widest / 2, MARGIN + LINE + GAP
    places = []
    for across, down in sizes:
        places.append(Placed(x=centre - across / 2, y=top, width=across, height=down))
        top += down + GAP
    return _Column(places=tuple(places), width=widest + 2 * MARGIN, height=top - GAP + MARGIN)


def _size(node: Node) -> tuple[float, float]:
    if node.branches:
        return block_size(node)
    lines = (node.title, *node.lines)
    return max(map(width, lines)) + 2 * PAD, len(lines) * LINE + 2 * BOX


def _node(node: Node, place: Placed) -> str:
    if node.branches:
        return block_svg(node, place)
    lines = (node.title, *node.lines)
    written = "".join(
        text(
            line,
            place.centre,
            place.y + BOX + (number + 0.75) * LINE,
            style="title" if number == 0 else "muted" if number > 1 else "",
        )
        for number, line in enumerate(lines)
    )
    return rectangle(place) + written


def _lanes(drawing: Drawing) -> list[tuple[tuple[int, int], int]]:
    """Return every edge with its lane: 0 straight down, others beside the boxes, short ones inner."""
    far = sorted(
        (edge for edge in drawing.edges if edge[1] != edge[0] + 1),
        key=lambda edge: abs(edge[1] - edge[0]),
    )
    lanes = {edge: number for number, edge in enumerate(far, start=1)}
    return [(edge, lanes.get(edge, 0)) for edge in drawing.edges]


def _room(drawing: Drawing) -> float:
    """Return the width that the lanes beside the boxes need."""
    return 12.0 * max((lane for _, lane in _lanes(drawing)), default=0)


def _edge(column: _Column, source: int, target: int, lane: int) -> str:
    start, end = column.places[source], column.places[target]
    if not lane:
        path = f"M{start.centre:.1f} {start.bottom:.1f}V{end.y:.1f}"
        return f'<path d="{path}" marker-end="url(#arrow)"/>'
    side = column.width - MARGIN + 12.0 * lane
    height, landing = start.y + start.height / 2, end.y + end.height / 2
    path = f"M{start.right:.1f} {height:.1f}H{side:.1f}V{landing:.1f}H{end.right:.1f}"
    return f'<path class="skip" d="{path}" marker-end="url(#skip)"/>'
