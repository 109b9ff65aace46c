"""Elements of inline SVG, with every text and attribute escaped."""

from collections.abc import Iterable
from html import escape

import numpy as np
import numpy.typing as npt

from striate.report._words import fit

FONT = 13.0
"""Size of text in viewBox units; the narrowest screen (360 px) shows 400 of them on 320 px."""


def number(value: float) -> str:
    """Return a coordinate with one digit after the point, none where it is zero."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def element(tag: str, *content: str, **attributes: str | float | None) -> str:
    """Return one element; `content` is markup already, attributes are escaped here.

    `class_` stands for class, an underscore inside a name for a hyphen; None leaves one out.

    >>> element("rect", class_="bar", x=1.04, stroke_width=2)
    '<rect class="bar" x="1" stroke-width="2"/>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if content:
        return f"<{tag}{written}>{''.join(content)}</{tag}>"
    return f"<{tag}{written}/>"


def label(
    text: str,
    x: float,
    y: float,
    *,
    anchor: str = "start",
    space: float | None = None,
    class_: str | None = None,
) -> str:
    """Return a line of text at (x, y), cut to `space` units; anchor is start, middle or end."""
    shown = text if space is None else fit(text, space, FONT)
    title = element("title", escape(text)) if shown != text else ""
    return element("text", title, escape(shown), x=x, y=y, text_anchor=anchor, class_=class_)


def points(x: npt.ArrayLike, y: npt.ArrayLike) -> str:
    """Return the `points` attribute of a polyline or polygon."""
    pairs: Iterable[tuple[float, float]] = zip(np.asarray(x).tolist(), np.asarray(y).tolist())
    return " ".join(f"{number(a)},{number(b)}" for a, b in pairs)


def drawing(
    *content: str, key: str, title: str, text: str, width: float, height: float, fixed: bool = False
) -> str:
    """Return a whole figure with its text alternative.

    Args:
        content: markup of the elements inside.
        key: unique on the page; the ids of title and description are made from it.
        title: what it is.
        text: the main figures in words.
        width, height: viewBox units; one unit is one CSS pixel where `fixed`, else it scales.
        fixed: keeps its size and is scrolled in its container instead of shrinking.
    """
    return element(
        "svg",
        element("title", escape(title), id=f"{key}-title"),
        element("desc", escape(text), id=f"{key}-text"),
        *content,
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=width if fixed else None,
        height=height if fixed else None,
        class_="fixed" if fixed else "scaled",
        role="img",
        aria_labelledby=f"{key}-title {key}-text",
    )


def _attribute(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else number(value)
