"""A figure whose horizontal axis counts epochs."""

import numpy as np

from striate.report._blocks import Figure
from striate.report._frame import Axis, frame
from striate.report._lines import Line, line_chart
from striate.report._run import Run
from striate.report._scale import Floats

DECADES = 100.0
"""Ratio from which a quantity is drawn on a logarithmic axis."""


def curve_figure(
    run: Run,
    key: str,
    title: str,
    lines: list[Line],
    *,
    label: str,
    caption: str,
    text: str,
    decades: bool = True,
    from_zero: bool = False,
) -> Figure:
    """Return the figure of some lines over the epochs.

    Args:
        run: for the epochs, and the one whose weights were kept.
        key, title, text: as for `line_chart`; the key is the figure's own part of it.
        lines: with places in epochs.
        label: of the upright axis, with its unit.
        caption: what the figure shows, in sentences.
        decades: whether that axis may be logarithmic, where the values ask for it.
        from_zero: whether it begins at 0.
    """
    log = decades and spans_decades(lines)
    values = np.concatenate([_range(line, log=log) for line in lines])
    y = Axis(
        label=f"{label} (logarithmic)" if log else label,
        low=0.0 if from_zero else float(values.min()),
        high=float(values.max()),
        log=log,
    )
    last = float(np.append(epochs_of_rows(run), epochs_of_steps(run)).max())
    x = Axis(label="epochs", low=0.0, high=last, tight=True, whole=last >= 3)
    svg = line_chart(
        frame(x, y), lines, key=f"curve-{key}", title=title, text=text, at=best_epoch(run)
    )
    legend = tuple(line.legend() for line in lines) if len(lines) > 1 else ()
    return Figure(title=title, svg=svg, caption=caption, legend=legend)


def epochs_of_rows(run: Run) -> Floats:
    """Return how many epochs were complete at each row of history.csv, the first row being 1.

    A row at step 0, measured before any training, counts as 0 epochs.
    """
    epochs = run.history.get("epoch", np.zeros(0))
    if not len(epochs):
        return epochs
    before = run.history.get("step", np.ones(1))[0] == 0
    complete: Floats = epochs - epochs[0] + (0.0 if before else 1.0)
    return complete


def epochs_of_steps(run: Run) -> Floats:
    """Return the place of each step on an axis that counts epochs.

    Steps between two rows of history.csv are spaced evenly; steps after the last row go on at
    the pace of the last epoch. Without any row all steps belong to the first, unfinished epoch.
    """
    steps = run.steps.get("step", np.zeros(0))
    ends, places = run.history.get("step", np.zeros(0)), epochs_of_rows(run)
    if not len(steps):
        return steps
    if not len(ends) or ends[-1] <= 0:
        share: Floats = (steps - steps[0] + 1) / len(steps)
        return share
    if ends[0] > 0:
        ends, places = np.append(0.0, ends), np.append(0.0, places)
    if steps[-1] > ends[-1] and len(ends) > 1:
        pace = (places[-1] - places[-2]) / (ends[-1] - ends[-2])
        places = np.append(places, places[-1] + (steps[-1] - ends[-1]) * pace)
        ends = np.append(ends, steps[-1])
    return np.interp(steps, ends, places)


def best_epoch(run: Run) -> float | None:
    """Return the place of the epoch whose weights were kept; None where there was no choice."""
    best, epochs = run.metrics.get("best_epoch"), run.history.get("epoch", np.zeros(0))
    if best is None:
        return None
    found = np.flatnonzero(epochs == best)
    # With one epoch there was nothing to choose.
    return float(epochs_of_rows(run)[found[0]]) if len(found) and len(epochs) > 1 else None


def _range(line: Line, *, log: bool) -> Floats:
    edges = (line.y,) if line.band is None else line.band
    values = np.concatenate(edges)
    values = values[np.isfinite(values)]
    if not log:
        return values
    # One step with a loss of almost nothing must not stretch a logarithmic axis without end.
    floor = _positive(line.y).min() / 10
    raised: Floats = np.maximum(values, floor)
    return raised


def _positive(values: Floats) -> Floats:
    kept: Floats = values[np.isfinite(values) & (values > 0)]
    return kept


def spans_decades(lines: list[Line]) -> bool:
    """Return whether more than 5 % of some curve lies two decades below the top of all."""
    values = [line.y[np.isfinite(line.y)] for line in lines]
    if any((each < 0).any() or not (each > 0).any() for each in values):
        return False
    top = max(each.max() for each in values)
    return any(np.quantile(each, 0.05) < top / DECADES for each in values)
