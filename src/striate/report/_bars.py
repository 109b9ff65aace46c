"""Bars: samples per class by part, and histograms."""

import numpy as np
from markupsafe import Markup

from striate.report._frame import Frame
from striate.report._scale import Floats
from striate.report._svg import FONT, drawing, element, label
from striate.report._words import figure
from striate.report._words import width as text_width

ROW = 24.0


def count_bars(
    names: list[str], counts: dict[str, list[int]], *, key: str, title: str, text: str
) -> Markup:
    """Return one horizontal bar per class, stacked from the parts' counts, numbers at its end."""
    width = 400.0
    totals = np.sum(list(counts.values()), axis=0)
    left = min(130.0, max(text_width(name, FONT) for name in names) + 8)
    written = [" + ".join(figure(part[n]) for part in counts.values()) for n in range(len(names))]
    space = width - left - max(text_width(word, FONT) for word in written) - 10
    unit = max(space, 60.0) / max(int(totals.max()), 1)
    rows = []
    for row, name in enumerate(names):
        y = row * ROW + 4
        rows.append(label(name, left - 6, y + 14, anchor="end", space=left - 8))
        start = left
        for style, part in enumerate(counts.values()):
            length = part[row] * unit
            rows.append(_segment(start, y, length, style))
            start += length
        rows.append(label(written[row], start + 6, y + 14, class_="tick"))
    height = len(names) * ROW + 4
    return Markup(drawing(*rows, key=key, title=title, text=text, width=width, height=height))


def histogram(
    frame: Frame, edges: Floats, counts: Floats, *, key: str, title: str, text: str
) -> Markup:
    """Return upright bars between `edges` (bins + 1), as high as `counts` (bins)."""
    x = frame.x(edges).tolist()
    tops = frame.y(counts).tolist()
    base = frame.y.start
    bars = "".join(
        element(
            "rect", class_="bar c0", x=a + 0.5, y=top, width=max(b - a - 1, 0.5), height=base - top
        )
        for a, b, top in zip(x, x[1:], tops)
    )
    zero = ""
    if frame.x.low < 0 < frame.x.high:
        place = float(frame.x(0))
        zero = element("line", class_="hint", x1=place, x2=place, y1=base, y2=frame.y.end)
    return Markup(
        drawing(
            frame.under,
            bars,
            zero,
            key=key,
            title=title,
            text=text,
            width=frame.width,
            height=frame.height,
        )
    )


def _segment(x: float, y: float, length: float, style: int) -> str:
    # A line of background between two parts keeps them apart without colour.
    return element("rect", class_=f"bar c{style}", x=x, y=y, width=max(length - 1, 0), height=18)
