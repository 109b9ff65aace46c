"""Curves of the training: loss, measures, learning rate, gradient norm."""

from collections.abc import Iterable

import numpy as np

from striate.report._blocks import Block, Figure, Section
from striate.report._frame import Axis, frame
from striate.report._lines import Line, line_chart
from striate.report._measures import measure
from striate.report._run import Run
from striate.report._scale import Floats
from striate.report._thin import Thinned, thin
from striate.report._words import figure, percent

TOGETHER = (
    ("accuracy", "exact_match", "f1"),
    ("mae", "rmse"),
    ("r2",),
)
"""Measures that share a figure, because they share a unit."""

DECADES = 100.0
"""Ratio from which a quantity is drawn on a logarithmic axis."""


def curves(run: Run) -> Section:
    """Return the section on the course of the training."""
    blocks = [_loss(run), *_measures(run), _rate(run), _norm(run)]
    return Section(
        key="curves",
        title="How the training went",
        intro="The horizontal axis counts epochs: passes over the training part."
        + (" The dotted line marks the epoch whose weights were kept." if _best_epoch(run) else "")
        + _waiting(run),
        blocks=tuple(block for block in blocks if block is not None),
    )


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


def _loss(run: Run) -> Block | None:
    running = _thinned(run, "loss")
    epochs, validation = epochs_of_rows(run), run.history.get("validation_loss", np.zeros(0))
    lines = []
    if len(running.x):
        lines.append(_band_line("training loss of each step", running))
    if np.isfinite(validation).any():
        lines.append(
            Line(
                name="validation loss after each epoch", x=epochs, y=validation, style=1, dots=True
            )
        )
    if not lines:
        return None
    text = _course("Training loss per step", running) + _best(epochs, validation, "Validation loss")
    caption = (
        "Training loss is taken while the weights move, with augmentation and dropout on; "
        "validation loss after each epoch, without them: validation may therefore lie below. "
        "Validation loss that rises while training loss falls means overfitting."
    )
    return _figure(
        run, "loss", "Loss", lines, label="loss", caption=caption + _grouped(running), text=text
    )


def _measures(run: Run) -> Iterable[Block]:
    epochs = epochs_of_rows(run)
    for group in TOGETHER:
        columns = {key: run.history.get(f"validation_{key}", np.zeros(0)) for key in group}
        shown = {key: each for key, each in columns.items() if np.isfinite(each).any()}
        if not shown:
            continue
        share = measure(next(iter(shown))).share
        lines = [
            Line(
                name=measure(key).name,
                x=epochs,
                y=values * (100 if share else 1),
                style=style,
                dots=True,
            )
            for style, (key, values) in enumerate(shown.items())
        ]
        text = "".join(_final(key, values) for key, values in shown.items())
        names = ", ".join(measure(key).name for key in shown)
        yield _figure(
            run,
            next(iter(shown)),
            f"Validation: {names}",
            lines,
            caption="Measured on the validation part after each epoch.",
            text=text,
            label="per cent" if share else names,
            decades=False,
        )


def _rate(run: Run) -> Block | None:
    rate = _thinned(run, "learning_rate")
    if not len(rate.x):
        return None
    line = Line(name="learning rate", x=rate.x, y=rate.middle)
    text = f"Learning rate between {figure(rate.middle.min())} and {figure(rate.middle.max())}."
    caption = "How far the optimizer moves the weights: the schedule sets it anew at every step."
    return _figure(
        run, "rate", "Learning rate", [line], label="learning rate", caption=caption, text=text
    )


def _norm(run: Run) -> Block | None:
    norm = _thinned(run, "gradient_norm")
    if not len(norm.x):
        return None
    line = _band_line("gradient norm of each step", norm)
    caption = (
        "Length of the gradient of the loss over all trained weights, at every step. Sudden peaks "
        "are steps that may throw the weights off; values near zero mean that little is learnt."
    )
    text = _course("Gradient norm per step", norm)
    return _figure(
        run,
        "norm",
        "Gradient norm",
        [line],
        label="gradient norm",
        caption=caption + _grouped(norm),
        text=text,
    )


def _figure(
    run: Run,
    key: str,
    title: str,
    lines: list[Line],
    *,
    label: str,
    caption: str,
    text: str,
    decades: bool = True,
) -> Figure:
    log = decades and _spans_decades(lines)
    values = np.concatenate([_range(line, log=log) for line in lines])
    y = Axis(
        label=f"{label} (logarithmic)" if log else label,
        low=float(values.min()),
        high=float(values.max()),
        log=log,
    )
    last = float(np.append(epochs_of_rows(run), epochs_of_steps(run)).max())
    x = Axis(label="epochs", low=0.0, high=last, tight=True, whole=last >= 3)
    svg = line_chart(
        frame(x, y), lines, key=f"curve-{key}", title=title, text=text, at=_best_epoch(run)
    )
    legend = tuple(line.legend() for line in lines) if len(lines) > 1 else ()
    return Figure(title=title, svg=svg, caption=caption, legend=legend)


def _waiting(run: Run) -> str:
    shares = run.history.get("waiting", np.zeros(0))
    if not np.isfinite(shares).any():
        return ""
    return (
        f" On average over the epochs, {percent(float(np.nanmean(shares)))} of the training time was "
        "spent waiting for pictures."
    )


def _best_epoch(run: Run) -> float | None:
    best, epochs = run.metrics.get("best_epoch"), run.history.get("epoch", np.zeros(0))
    if best is None:
        return None
    found = np.flatnonzero(epochs == best)
    # With one epoch there was nothing to choose.
    return float(epochs_of_rows(run)[found[0]]) if len(found) and len(epochs) > 1 else None


def _thinned(run: Run, column: str) -> Thinned:
    x = epochs_of_steps(run)
    return thin(x, run.steps.get(column, np.full(len(x), np.nan)))


def _band_line(name: str, thinned: Thinned) -> Line:
    band = (thinned.low, thinned.high) if thinned.group > 1 else None
    return Line(name=name, x=thinned.x, y=thinned.middle, band=band)


def _grouped(thinned: Thinned) -> str:
    if thinned.group == 1:
        return ""
    return (
        f" Of every {thinned.group} steps the line shows the median and the pale band the range "
        "from smallest to largest."
    )


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


def _spans_decades(lines: list[Line]) -> bool:
    """Return whether more than 5 % of some curve lies two decades below the top of all."""
    values = [line.y[np.isfinite(line.y)] for line in lines]
    if any((each < 0).any() or not (each > 0).any() for each in values):
        return False
    top = max(each.max() for each in values)
    return any(np.quantile(each, 0.05) < top / DECADES for each in values)


def _course(name: str, thinned: Thinned) -> str:
    if not len(thinned.x):
        return ""
    first, last = thinned.middle[0], thinned.middle[-1]
    return f"{name} {figure(first)} at the start, {figure(last)} at the end. "


def _best(epochs: Floats, values: Floats, name: str) -> str:
    if not np.isfinite(values).any():
        return ""
    place = int(np.nanargmin(values))
    return f"{name} smallest after {figure(epochs[place])} epochs: {figure(values[place])}."


def _final(key: str, values: Floats) -> str:
    finite = values[np.isfinite(values)]
    write = percent if measure(key).share else figure
    return (
        f"Validation {measure(key).name}: {write(float(finite[0]))} after the first epoch, "
        f"{write(float(finite[-1]))} after the last. "
    )
