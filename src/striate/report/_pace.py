"""Curves of the training's pace: pictures per second, and the share of waiting for them."""

from collections.abc import Iterator

import numpy as np

from striate.report._blocks import Block
from striate.report._curve_figure import curve_figure, epochs_of_rows
from striate.report._lines import Line
from striate.report._run import Run
from striate.report._scale import Floats
from striate.report._words import figure, percent


def pace(run: Run) -> Iterator[Block]:
    """Yield the figures of how fast the epochs went; none of what history.csv doesn't hold."""
    speed, waiting = _column(run, "images_per_second"), _column(run, "waiting")
    if np.isfinite(speed).any():
        median = figure(float(np.nanmedian(speed)))
        yield curve_figure(
            run,
            "speed",
            "Speed",
            [_line(run, "pictures per second", speed)],
            label="pictures per second",
            caption="Pictures of the training part by the seconds of each epoch, validation "
            "included. Other work on the machine shows as dips.",
            text=f"In the middle one of the epochs {median} pictures per second.",
            decades=False,
            from_zero=True,
        )
    if np.isfinite(waiting).any():
        mean = (
            f"On average over the epochs, {percent(float(np.nanmean(waiting)))} of the training time "
            "was spent waiting for pictures."
        )
        yield curve_figure(
            run,
            "waiting",
            "Waiting for pictures",
            [_line(run, "waiting for pictures", 100 * waiting)],
            label="per cent of the training time",
            caption="Share of each epoch's training, validation left out, in which the next batch "
            f"wasn't ready. {mean} A large share means that reading or augmenting pictures, not the "
            "network, sets the pace.",
            text=mean,
            decades=False,
            from_zero=True,
        )


def _column(run: Run, name: str) -> Floats:
    return run.history.get(name, np.zeros(0))


def _line(run: Run, name: str, values: Floats) -> Line:
    return Line(name=name, x=epochs_of_rows(run), y=values, dots=True)
