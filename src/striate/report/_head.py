"""How the penalty of a head on a frozen backbone was chosen: figures and a table."""

from collections.abc import Iterator

import numpy as np

from striate.report._blocks import Block, Figure, Section, Table, Terms
from striate.report._curve_figure import spans_decades
from striate.report._frame import Axis, frame
from striate.report._lines import Line, line_chart
from striate.report._measures import measure, written
from striate.report._run import Json, Run
from striate.report._words import figure

FIT = (
    "The backbone kept its pretrained weights and was run once over every picture. On the features "
    "that it gave, the head, one dense layer, was fit to its optimum: there were no epochs. "
)
BEFORE = (
    "Before the first epoch a head, one dense layer, was fit on the features that the pretrained "
    "backbone gives; training began there. "
)
PENALTY = (
    "A penalty on large weights keeps the head from learning single pictures by heart: too weak, and "
    "it does; too strong, and it learns little of anything."
)


def head(run: Run) -> Section:
    """Return the section on a head that was fit on frozen features; empty where none was."""
    found: Json = run.results.get("head") or {}
    return Section(
        key="head",
        title="How the head was fit",
        intro=(BEFORE if has_epochs(run) else FIT) + PENALTY,
        blocks=tuple(_blocks(found)) if "strength" in found else (),
    )


def has_epochs(run: Run) -> bool:
    """Whether anything was trained step by step."""
    return bool(len(run.history.get("epoch", ())))


def keeps_head(run: Run) -> bool:
    """Whether what is shipped is a frozen backbone and its head, whatever was trained after it."""
    return bool(run.results.get("head")) and not run.metrics.get("best_epoch")


def _blocks(found: Json) -> Iterator[Block]:
    tried = found.get("tried") or []
    if found.get("known_classes"):
        yield Terms(terms=(_known(found, chosen=bool(tried)),))
    if not tried:
        reason = "too few pictures to hold any out and choose by them: the usual one"
        yield Terms(terms=(("penalty", figure(found["strength"]), reason),))
        return
    name = str(found.get("measure", ""))
    losses = np.array([one["loss"] for one in tried], np.float64)
    figures = np.array([one["figure"] for one in tried], np.float64)
    yield _loss(found, losses)
    yield _measure(found, name, figures)
    yield _table(found, name)


def _known(found: Json, *, chosen: bool) -> tuple[str, str, str]:
    """Return how much the weights' own answers may count, and why."""
    share = float(found["known_share"])
    beside = "as much as" if share == 1 else f"{figure(share)} times as much as"
    reason = "the smaller one: too few pictures to hold any out and choose by them"
    if chosen:
        reason = "the one with the smaller loss on held-out pictures, at its best penalty"
    return (
        "the weights' own answers",
        f"probabilities of the {figure(found['known_classes'])} classes that the weights were trained "
        f"on, read beside the features and varying {beside} they",
        reason,
    )


def _loss(found: Json, losses: np.ndarray) -> Figure:
    chosen = figure(found["strength"])
    caption = (
        f"The training part was held out in {figure(found['folds'])} turns, a share each; every point "
        "is the mean loss on pictures that the head hadn't been fit on then. The dotted line marks the "
        "penalty with the smallest loss. The head of this run was fit with it on the whole training "
        "part."
    )
    text = (
        f"Smallest loss {figure(losses.min())} at a penalty of {chosen}; "
        f"{figure(losses[0])} at the strongest, {figure(losses[-1])} at the weakest."
    )
    return _figure(found, "loss", "Loss on held-out pictures", losses, "loss", caption, text)


def _measure(found: Json, name: str, figures: np.ndarray) -> Figure:
    known = measure(name)
    at = next(
        (n for n, one in enumerate(found["tried"]) if one["strength"] == found["strength"]), 0
    )
    caption = (
        "The same pictures by the measure that counts in the end. It didn't choose: it moves in steps "
        "of whole pictures, and the loss tells finer."
        if known.share
        else "The same pictures by the measure that counts in the end. The loss chose."
    )
    text = (
        f"{known.name} {written(name, float(figures[at]))} at the chosen penalty, between "
        f"{written(name, float(figures.min()))} and {written(name, float(figures.max()))} in all."
    )
    label = "per cent" if known.share else known.name
    title = f"Held-out pictures: {known.name}"
    values = figures * (100 if known.share else 1)
    return _figure(found, "measure", title, values, label, caption, text, decades=False)


def _figure(
    found: Json,
    key: str,
    title: str,
    values: np.ndarray,
    label: str,
    caption: str,
    text: str,
    *,
    decades: bool = True,
) -> Figure:
    strengths = np.array([one["strength"] for one in found["tried"]], np.float64)
    line = Line(name=title, x=strengths, y=values, dots=True)
    log = decades and spans_decades([line])
    axes = frame(
        Axis(label="penalty (logarithmic)", low=strengths.min(), high=strengths.max(), log=True),
        Axis(
            label=f"{label} (logarithmic)" if log else label,
            low=float(values.min()),
            high=float(values.max()),
            log=log,
        ),
    )
    at = float(found["strength"])
    svg = line_chart(axes, [line], key=f"head-{key}", title=title, text=text, at=at)
    return Figure(title=title, svg=svg, caption=caption)


def _table(found: Json, name: str) -> Table:
    rows = tuple(
        (
            figure(one["strength"]) + (", taken" if one["strength"] == found["strength"] else ""),
            written("loss", one["loss"]),
            written(name, one["figure"]),
        )
        for one in found["tried"]
    )
    return Table(
        title="Penalties tried",
        head=("penalty", "loss", measure(name).name),
        rows=rows,
        numbers=(1, 2),
        caption="From the strongest on; once weaker ones do worse, the rest are left out.",
    )
