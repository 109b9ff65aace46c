"""The frame of a figure: two axes with round ticks, grid, numbers and labels."""

from dataclasses import dataclass

from striate.report._scale import Scale, linear_ticks, log_ticks, spread, tick_labels
from striate.report._svg import FONT, element, label
from striate.report._words import width as text_width

WIDE, TALL = 400.0, 250.0
"""viewBox units of an ordinary figure."""

SQUARE = 360.0
"""viewBox units of a figure whose axes share a unit."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis: what it shows with its unit, and the range it must cover.

    Attributes:
        label: for example "epochs" or "learning rate (logarithmic)".
        low, high: smallest and largest number shown.
        log: logarithmic; then low > 0.
        whole: ticks are whole numbers.
        tight: the axis ends at low and high; otherwise at the ticks that enclose them.
    """

    label: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    tight: bool = False

    def ticks(self) -> list[float]:
        """Return the numbers marked on the axis."""
        if self.log:
            ticks = log_ticks(self.low, self.high)
        else:
            ticks = linear_ticks(self.low, self.high, whole=self.whole)
        low, high = self.limits(ticks)
        return [tick for tick in ticks if low <= tick <= high]

    def limits(self, ticks: list[float]) -> tuple[float, float]:
        """Return the numbers at both ends."""
        return spread(self.low, self.high) if self.tight else (ticks[0], ticks[-1])


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Scales of both axes and the markup that is drawn before the data."""

    x: Scale
    y: Scale
    under: str
    width: float
    height: float


def frame(x: Axis, y: Axis, *, width: float = WIDE, height: float = TALL) -> Frame:
    """Return the frame for two axes; the margins follow from the widths of the numbers."""
    x_ticks, y_ticks = x.ticks(), y.ticks()
    x_words, y_words = tick_labels(x_ticks), tick_labels(y_ticks)
    left = max(text_width(word, FONT) for word in y_words) + 10
    right = width - max(8.0, text_width(x_words[-1], FONT) / 2 + 2)
    top, bottom = 28.0, height - 44.0
    across = _scale(x, x_ticks, left, right)
    upward = _scale(y, y_ticks, bottom, top)
    grid = "".join(
        element("line", class_="grid", x1=left, x2=right, y1=place, y2=place)
        for place in upward(y_ticks).tolist()
    )
    marks = "".join(
        element("line", class_="tick", x1=place, x2=place, y1=bottom, y2=bottom + 4)
        for place in across(x_ticks).tolist()
    )
    numbers = "".join(
        label(word, left - 6, place + 4.5, anchor="end", class_="tick")
        for word, place in zip(y_words, upward(y_ticks).tolist())
    ) + "".join(
        label(word, place, bottom + 18, anchor="middle", class_="tick")
        for word, place in zip(x_words, across(x_ticks).tolist())
        if place - text_width(word, FONT) / 2 >= 0
    )
    names = label(y.label, 2, 14, space=width - 4) + label(
        x.label, (left + right) / 2, height - 6, anchor="middle"
    )
    base = element("line", class_="axis", x1=left, x2=right, y1=bottom, y2=bottom)
    under = grid + marks + base + numbers + names
    return Frame(x=across, y=upward, under=under, width=width, height=height)


def _scale(axis: Axis, ticks: list[float], start: float, end: float) -> Scale:
    low, high = axis.limits(ticks)
    return Scale(low=low, high=high, start=start, end=end, log=axis.log)
