"""Line charts: training curves, ROC, precision against recall."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from striate.report._blocks import Legend
from striate.report._frame import Frame
from striate.report._scale import Floats
from striate.report._svg import drawing, element, points

STYLES = 6

MOST_DOTS = 30
"""More points than these are drawn without their dots."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve.

    Attributes:
        name: for the legend, with `value` after it.
        x, y: (P,) places and values; pairs that aren't finite are left out.
        style: number of its colour and dash pattern.
        dots: a dot at every point.
        band: (P,) lower and upper bounds, drawn as an area behind the curve.
    """

    name: str
    x: Floats
    y: Floats
    value: str = ""
    style: int = 0
    dots: bool = False
    band: tuple[Floats, Floats] | None = None

    @property
    def classes(self) -> str:
        """Colour and dash pattern; after six, the colours come again with other dashes."""
        dash = (self.style + self.style // STYLES) % STYLES
        return f"c{self.style % STYLES} d{dash}"

    @property
    def dotted(self) -> bool:
        """Whether its dots are drawn: they are asked for and few enough to tell apart."""
        return self.dots and len(self.x) <= MOST_DOTS

    def legend(self) -> Legend:
        """Return its entry in the legend."""
        mark = "dots" if self.dotted else "line"
        return Legend(name=self.name, style=self.classes, mark=mark, value=self.value)


def line_chart(
    frame: Frame,
    lines: list[Line],
    *,
    key: str,
    title: str,
    text: str,
    diagonal: bool = False,
    at: float | None = None,
) -> Markup:
    """Return the figure of some lines.

    Args:
        frame: axes that cover all lines.
        lines: drawn in order, the last one on top.
        key, title, text: as for `drawing`.
        diagonal: draw a dotted line from the lower left to the upper right corner.
        at: place on the x axis of a dotted upright line.
    """
    x, y = frame.x, frame.y
    extra = ""
    if diagonal:
        extra += element("line", class_="hint", x1=x.start, x2=x.end, y1=y.start, y2=y.end)
    if at is not None:
        place = float(x(at))
        extra += element("line", class_="hint", x1=place, x2=place, y1=y.start, y2=y.end)
    drawn = "".join(_band(frame, line) for line in lines)
    drawn += "".join(_curve(frame, line) for line in lines)
    return Markup(
        drawing(
            frame.under,
            extra,
            drawn,
            key=key,
            title=title,
            text=text,
            width=frame.width,
            height=frame.height,
        )
    )


def _band(frame: Frame, line: Line) -> str:
    if line.band is None:
        return ""
    low, high = line.band
    x = frame.x(line.x)
    around = points(np.append(x, x[::-1]), np.append(frame.y(high), frame.y(low)[::-1]))
    return element("polygon", class_=f"band {line.classes}", points=around)


def _curve(frame: Frame, line: Line) -> str:
    finite = np.isfinite(line.x) & np.isfinite(line.y)
    x, y = frame.x(line.x[finite]), frame.y(line.y[finite])
    curve = element("polyline", class_=f"line {line.classes}", points=points(x, y))
    if not line.dotted:
        return curve
    return curve + "".join(
        element("circle", class_=f"dot {line.classes}", cx=a, cy=b, r=3.5)
        for a, b in zip(x.tolist(), y.tolist())
    )
