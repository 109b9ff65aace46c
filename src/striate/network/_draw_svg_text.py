"""Lines of text in a drawing."""

import unicodedata
from html import escape

CHARACTER = 7.3
"""Pixels of a character at 12 px; fixed-width fonts have 0.60 to 0.61 of their size."""


def width(line: str) -> float:
    """Return the width of a line in pixels; wide characters count twice."""
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in line)
    return CHARACTER * (len(line) + wide)


def text(line: str, x: float, y: float, *, anchor: str = "middle", style: str = "") -> str:
    """Return a line at (x, y), y being that of its foot."""
    style = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(line)}</text>'
