"""Whether the network's confidence can be believed."""

from typing import Any

from striate.report._blocks import Block, Figure, Section
from striate.report._frame import SQUARE, Axis, frame
from striate.report._held_out import detailed_part, on
from striate.report._reliability import reliability
from striate.report._run import Run
from striate.report._words import figure, percent

READ = (
    "Answers are grouped by the confidence they were given. A bar shows how often those of a group "
    "come true; the dot stands at their mean confidence and is larger the more answers there "
    "are. On the dotted diagonal confidence and accuracy agree; below it the network is too sure."
)


def calibration(run: Run) -> Section:
    """Return the section on confidence."""
    part, details = detailed_part(run)
    bins = [each for each in details.get("calibration") or [] if each.get("count")]
    blocks: list[Block] = [_figure(bins, run, part)] if bins else []
    return Section(
        key="calibration",
        title="Can the confidence be believed",
        intro=f"On {on(part)}.",
        blocks=tuple(blocks),
    )


def _figure(bins: list[dict[str, Any]], run: Run, part: str) -> Figure:
    title = "Accuracy by confidence"
    text = "; ".join(
        f"confidence {percent(each['low'])} to {percent(each['high'])}: "
        f"{percent(each['accuracy'])} right of {figure(each['count'])}"
        for each in bins
    )
    x = Axis(label="confidence, per cent", low=0, high=100)
    y = Axis(label="right answers, per cent", low=0, high=100)
    svg = reliability(
        frame(x, y, width=SQUARE, height=SQUARE),
        bins,
        key="calibration-figure",
        title=title,
        text=f"{text}.",
    )
    error = (run.metrics.get("parts") or {}).get(part, {}).get("calibration_error")
    mean = "" if error is None else f" Mean distance between the two: {percent(error)}."
    return Figure(title=title, svg=svg, caption=READ + mean)
