"""Curves of the training: loss, measures, learning rate, gradient norm; its pace."""

from collections.abc import Iterable

import numpy as np

from striate.report._blocks import Block, Section
from striate.report._curve_figure import best_epoch, curve_figure, epochs_of_rows, epochs_of_steps
from striate.report._head import keeps_head
from striate.report._lines import Line
from striate.report._measures import measure
from striate.report._pace import pace
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


def curves(run: Run) -> Section:
    """Return the section on the course of the training."""
    blocks = [_loss(run), *_measures(run), _rate(run), _norm(run), *pace(run)]
    return Section(
        key="curves",
        title="How the training went",
        intro="The horizontal axis counts epochs: passes over the training part." + _kept(run),
        blocks=tuple(block for block in blocks if block is not None),
    )


def _kept(run: Run) -> str:
    if keeps_head(run):
        return (
            " No epoch did better on the validation part than the frozen backbone and its head, so "
            "these were kept."
        )
    return " The dotted line marks the epoch whose weights were kept." if best_epoch(run) else ""


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
    return curve_figure(
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
        yield curve_figure(
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
    return curve_figure(
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
    return curve_figure(
        run,
        "norm",
        "Gradient norm",
        [line],
        label="gradient norm",
        caption=caption + _grouped(norm),
        text=text,
    )


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
