"""Loss against a growing learning rate, with marks."""

from collections.abc import Sequence

from markupsafe import Markup

from striate.report._frame import Axis, Frame, frame
from striate.report._scale import Floats
from striate.report._svg import FONT, drawing, element, label, number, points
from striate.report._words import width as text_width

HEADROOM = 1.5
"""Top of the axis as a multiple of the largest smoothed loss: beyond it the losses explode."""

LINE = 16.0
"""viewBox units from one line of a mark's words to the next."""

Mark = tuple[float, tuple[str, ...]]
"""A rate and the lines that are written beside it."""


def rate_plot(
    rates: Floats, losses: Floats, smoothed: Floats, *, marks: Sequence[Mark], text: str
) -> Markup:
    """Return the figure: losses as pale dots, the smoothed loss as a line, marks as upright lines.

    Args:
        rates, losses, smoothed: (S,); rates are above 0 and grow.
        marks: in ascending order.
        text: the main figures in words.
    """
    low, high = float(losses.min()), float(smoothed.max())
    top = high + (HEADROOM - 1) * (high - min(0.0, low))
    axes = frame(
        Axis(
            label="learning rate (logarithmic)",
            low=float(rates[0]),
            high=float(rates[-1]),
            log=True,
            tight=True,
        ),
        Axis(label="loss", low=min(0.0, low), high=min(top, float(losses.max()))),
    )
    places = zip(axes.x(rates).tolist(), axes.y(losses).tolist(), strict=True)
    dots = "".join(f"M{number(a)} {number(b)}h0" for a, b in places)
    line = points(axes.x(rates), axes.y(smoothed))
    return Markup(
        drawing(
            axes.under,
            element("path", class_="dots c5", d=dots),
            element("polyline", class_="line c0", points=line),
            *_marks(axes, marks),
            key="rates",
            title="Loss against learning rate",
            text=text,
            width=axes.width,
            height=axes.height,
        )
    )


def _marks(axes: Frame, marks: Sequence[Mark]) -> list[str]:
    """Return upright lines, the first with its words to the left, further ones to the right."""
    drawn: list[str] = []
    side, below = None, 0.0
    for order, (rate, words) in enumerate(marks):
        place, wide = float(axes.x(rate)), max(text_width(word, FONT) for word in words) + 5
        left = place - wide > axes.x.start if order == 0 else place + wide > axes.width
        # On the same side the words of two marks could meet.
        below = below + len(words) * LINE if left == side else axes.y.end + 12
        side = left
        at, anchor = (place - 5, "end") if left else (place + 5, "start")
        drawn.append(
            element("line", class_="hint", x1=place, x2=place, y1=axes.y.start, y2=axes.y.end)
        )
        drawn += [
            label(word, at, below + row * LINE, anchor=anchor) for row, word in enumerate(words)
        ]
    return drawn
