"""The confusion matrix: with its counts where they can be read, as a coarse heat map elsewhere."""

from html import escape

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from striate.report._frame import WIDE
from striate.report._svg import FONT, drawing, element, label
from striate.report._words import figure
from striate.report._words import width as text_width

LARGEST = 25
"""Most classes whose counts are written into the cells."""

BLOCKS = 50
"""Most rows and columns of the coarse map; more classes share a row."""

LEVELS = 8
FAINTEST, STRONGEST = 0.15, 0.7
"""Opacity of cells that hold little and all of their row: the page's text is readable on both."""

Counts = npt.NDArray[np.int64]


def shares(confusion_KK: Counts) -> npt.NDArray[np.float64]:
    """Return each row's counts as fractions of the row's sum; rows of zeros stay zero."""
    totals = confusion_KK.sum(axis=1, keepdims=True)
    fractions: npt.NDArray[np.float64] = confusion_KK / np.maximum(totals, 1)
    return fractions


def matrix(names: list[str], confusion_KK: Counts, *, key: str, title: str, text: str) -> Markup:
    """Return the matrix with its counts; row = target, column = answer."""
    widest = max(text_width(figure(count), FONT) for count in confusion_KK.ravel().tolist())
    name_width = max(text_width(name, FONT) for name in names)
    left = min(110.0, name_width + 8) + 20
    side = max(28.0, widest + 8)
    side = max(side, min((WIDE - left - 2) / len(names), 56.0))
    upright = name_width > side - 4
    top = (min(110.0, name_width + 8) if upright else 20.0) + 22
    width, height = left + side * len(names) + 2, top + side * len(names) + 2
    parts = [
        label("answer", left + side * len(names) / 2, 14, anchor="middle"),
        _turned("target", 14, top + side * len(names) / 2, "middle", 200),
    ]
    for n, name in enumerate(names):
        middle = (n + 0.5) * side
        parts.append(
            label(name, left - 6, top + middle + 4.5, anchor="end", space=left - 28, class_="tick")
        )
        if upright:
            parts.append(_turned(name, left + middle + 4.5, top - 6, "start", top - 30))
        else:
            parts.append(label(name, left + middle, top - 6, anchor="middle", class_="tick"))
    parts += _cells(names, confusion_KK, left, top, side)
    fixed = width > WIDE
    return Markup(
        drawing(
            *parts,
            key=key,
            title=title,
            text=text,
            width=max(width, WIDE),
            height=height,
            fixed=fixed,
        )
    )


def heat_map(confusion_KK: Counts, *, key: str, title: str, text: str) -> Markup:
    """Return the matrix without counts; more than 50 classes are summed into blocks."""
    blocks = _blocks(confusion_KK)
    share = np.sqrt(shares(blocks))
    side = 330.0 / len(blocks)
    levels = np.ceil(share * LEVELS).astype(int)
    right = np.eye(len(blocks), dtype=bool)
    paths = [
        _path((levels == level) & where, level, kind, side)
        for level in range(1, LEVELS + 1)
        for kind, where in (("right", right), ("wrong", ~right))
    ]
    outline = element("rect", class_="outline", x=24, y=22, width=330, height=330)
    names = label("answer", 189, 14, anchor="middle") + _turned("target", 14, 187, "middle", 200)
    return Markup(
        drawing(names, *paths, outline, key=key, title=title, text=text, width=360, height=356)
    )


def _cells(
    names: list[str], confusion_KK: Counts, left: float, top: float, side: float
) -> list[str]:
    parts = []
    # The root keeps single mistakes visible beside rows that are nearly all right.
    root = np.sqrt(shares(confusion_KK))
    opacity = np.where(root > 0, FAINTEST + (STRONGEST - FAINTEST) * root, 0)
    for row, target in enumerate(names):
        for column, answer in enumerate(names):
            count = int(confusion_KK[row, column])
            x, y = left + column * side, top + row * side
            hover = element("title", escape(f"target {target}, answer {answer}: {figure(count)}"))
            parts.append(
                element(
                    "rect",
                    hover,
                    class_=f"cell {'right' if row == column else 'wrong'}",
                    fill_opacity=f"{opacity[row, column]:.3f}",
                    x=x,
                    y=y,
                    width=side,
                    height=side,
                )
            )
            if count:
                parts.append(
                    label(figure(count), x + side / 2, y + side / 2 + 4.5, anchor="middle")
                )
    return parts


def _blocks(confusion_KK: Counts) -> Counts:
    count = len(confusion_KK)
    if count <= BLOCKS:
        return confusion_KK
    starts = np.unique(np.linspace(0, count, BLOCKS + 1).astype(int)[:-1])
    rows: Counts = np.add.reduceat(confusion_KK, starts, axis=0)
    summed: Counts = np.add.reduceat(rows, starts, axis=1)
    return summed


def _path(where: npt.NDArray[np.bool_], level: int, kind: str, side: float) -> str:
    if not where.any():
        return ""
    cells = "".join(
        f"M{24 + column * side:.2f} {22 + row * side:.2f}h{side:.2f}v{side:.2f}h-{side:.2f}z"
        for row, column in zip(*(axis.tolist() for axis in np.nonzero(where)))
    )
    return element("path", class_=f"cell {kind} l{level}", d=cells)


def _turned(text: str, x: float, y: float, anchor: str, space: float) -> str:
    inner = label(text, x, y, anchor=anchor, space=space, class_="tick")
    return element("g", inner, transform=f"rotate(-90 {x:.1f} {y:.1f})")
