"""Regression: truth against answer, and the residuals."""

from typing import Any

import numpy as np

from striate.report._bars import histogram
from striate.report._blocks import Block, Figure, Section
from striate.report._frame import SQUARE, Axis, frame
from striate.report._held_out import detailed_part, on
from striate.report._run import Run
from striate.report._scatter import scatter
from striate.report._words import figure, words


def numbers(run: Run) -> Section:
    """Return the section on answers that are numbers."""
    part, details = detailed_part(run)
    blocks: list[Block] = []
    residuals = details.get("residuals") or []
    for n, target in enumerate(details.get("targets") or []):
        if target.get("truth"):
            blocks.append(_scatter(n, target))
        if n < len(residuals) and sum(residuals[n].get("counts") or []):
            blocks.append(_residuals(n, residuals[n]))
    return Section(
        key="residuals",
        title="How far the answers are off",
        intro=f"On {on(part)}.",
        blocks=tuple(blocks),
    )


def _scatter(n: int, target: dict[str, Any]) -> Figure:
    name = words(target.get("name"))
    truth = np.array(target["truth"], np.float64)
    answer = np.array(target["answer"], np.float64)
    finite = np.isfinite(truth) & np.isfinite(answer)
    truth, answer = truth[finite], answer[finite]
    both = np.concatenate([truth, answer, np.zeros(0 if len(truth) else 1)])
    low, high = float(both.min()), float(both.max())
    title = f"{name}: answer against truth"
    text = (
        f"{figure(len(truth))} pictures, truth and answers between {figure(low)} and "
        f"{figure(high)}."
    )
    svg = scatter(
        frame(
            Axis(label=f"truth ({name})", low=low, high=high),
            Axis(label=f"answer ({name})", low=low, high=high),
            width=SQUARE,
            height=SQUARE,
        ),
        truth,
        answer,
        key=f"scatter-{n}",
        title=title,
        text=text,
    )
    caption = (
        "One dot a picture; on the dotted diagonal the answer equals the truth. A cloud flatter "
        "than the diagonal means that large values are answered too small and small ones too large."
    )
    return Figure(title=title, svg=svg, caption=caption)


def _residuals(n: int, residual: dict[str, Any]) -> Figure:
    name = words(residual.get("name"))
    edges = np.array(residual["edges"], np.float64)
    counts = np.array(residual["counts"], np.float64)
    title = f"{name}: residuals"
    most = int(counts.argmax())
    text = (
        f"Residuals from {figure(edges[0])} to {figure(edges[-1])}; most, {figure(counts[most])}, "
        f"between {figure(edges[most])} and {figure(edges[most + 1])}."
    )
    svg = histogram(
        frame(
            Axis(label=f"answer − truth ({name})", low=float(edges[0]), high=float(edges[-1])),
            Axis(label="pictures", low=0, high=float(counts.max()), whole=True),
        ),
        edges,
        counts,
        key=f"residuals-{n}",
        title=title,
        text=text,
    )
    caption = (
        "How many pictures are off by how much. A peak beside zero means answers that are always "
        "too large (right of zero) or too small."
    )
    return Figure(title=title, svg=svg, caption=caption)
