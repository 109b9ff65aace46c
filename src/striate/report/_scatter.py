"""Truth against answer, one point a sample."""

from markupsafe import Markup

from striate.report._frame import Frame
from striate.report._scale import Floats
from striate.report._svg import drawing, element, number


def scatter(frame: Frame, x: Floats, y: Floats, *, key: str, title: str, text: str) -> Markup:
    """Return the points (x, y) over the diagonal on which both are equal; axes share a range."""
    diagonal = element(
        "line",
        class_="hint",
        x1=frame.x.start,
        x2=frame.x.end,
        y1=frame.y.start,
        y2=frame.y.end,
    )
    # One path of round dots (strokes without length) takes a tenth of the bytes of circles.
    places = zip(frame.x(x).tolist(), frame.y(y).tolist())
    dots = "".join(f"M{number(a)} {number(b)}h0" for a, b in places)
    return Markup(
        drawing(
            frame.under,
            diagonal,
            element("path", class_="dots c0", d=dots or "M0 0"),
            key=key,
            title=title,
            text=text,
            width=frame.width,
            height=frame.height,
        )
    )
