"""Figures per class or label: precision, recall, F1, ROC, precision against recall."""

from typing import Any

import numpy as np

from striate.report._blocks import Block, Figure, Section, Table
from striate.report._frame import SQUARE, Axis, frame
from striate.report._held_out import detailed_part, on
from striate.report._lines import Line, line_chart
from striate.report._run import Run
from striate.report._words import figure, percent, words

MOST_ROWS = 30

ROC = (
    "Each point is a threshold: how many pictures of the class are found, against how many others "
    "are wrongly taken for it. Guessing lies on the dotted diagonal, a perfect answer in the upper "
    "left corner; the area is 0.5 and 1."
)
PRECISION_RECALL = (
    "Each point is a threshold: how many of the pictures named are right, against how many of the "
    "class are found. Says more than ROC where the class is rare."
)


def classes(run: Run) -> Section:
    """Return the section of figures per class."""
    part, details = detailed_part(run)
    blocks: list[Block] = []
    if details.get("per_class"):
        blocks.append(_per_class(details["per_class"]))
    if details.get("roc"):
        axes = "other pictures wrongly taken, per cent", "pictures found (recall), per cent"
        blocks.append(_curves("roc", "ROC", details["roc"], axes, ROC, diagonal=True))
    if details.get("precision_recall"):
        axes = "pictures found (recall), per cent", "right among the named (precision), per cent"
        title = "Precision against recall"
        blocks.append(_curves("pr", title, details["precision_recall"], axes, PRECISION_RECALL))
    noun = "label" if run.metrics.get("task") == "multi-label" else "class"
    return Section(
        key="classes",
        title=f"Figures of each {noun}",
        intro=f"On {on(part)}.",
        blocks=tuple(blocks),
    )


def _per_class(rows: list[dict[str, Any]]) -> Table:
    return Table(
        title="Precision, recall and F1",
        head=("name", "precision", "recall", "F1", "pictures"),
        rows=tuple(
            (
                words(row.get("name")),
                *(_share(row.get(key)) for key in ("precision", "recall", "f1")),
                words(row.get("count")),
            )
            for row in rows
        ),
        numbers=(1, 2, 3, 4),
        caption="Precision: of the pictures given this name, the share that has it. Recall: of the "
        "pictures that have it, the share that was found. F1: their harmonic mean.",
        folded=len(rows) > MOST_ROWS,
    )


def _share(value: Any) -> str:
    return "–" if value is None else percent(value)


def _curves(
    key: str,
    title: str,
    each: list[dict[str, Any]],
    axes: tuple[str, str],
    caption: str,
    *,
    diagonal: bool = False,
) -> Figure:
    lines = [
        Line(
            name=words(curve.get("name")),
            value=f"area {figure(curve['area'])}",
            x=100 * np.array(curve["x"], np.float64),
            y=100 * np.array(curve["y"], np.float64),
            style=style,
        )
        for style, curve in enumerate(each)
    ]
    x, y = (Axis(label=name, low=0, high=100) for name in axes)
    text = "; ".join(f"{line.name}: {line.value}" for line in lines) + "."
    svg = line_chart(
        frame(x, y, width=SQUARE, height=SQUARE),
        lines[::-1],
        key=key,
        title=title,
        text=text,
        diagonal=diagonal,
    )
    return Figure(
        title=title, svg=svg, caption=caption, legend=tuple(line.legend() for line in lines)
    )
