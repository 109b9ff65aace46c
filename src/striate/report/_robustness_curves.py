"""The figures of robustness: one for each kind of change, and a table of all."""

import numpy as np

from striate.report._blocks import Figure, Table
from striate.report._frame import Axis, frame
from striate.report._lines import Line, line_chart
from striate.report._measures import measure, written
from striate.report._robustness_words import agreement_name, said, strength
from striate.report._run import Json
from striate.report._scale import Floats

_CAPTIONS = {
    "shift": "To the right, up, left or down: each picture in one direction, which follows from "
    "its identity.",
    "rotation": "About the picture's centre, counter-clockwise; negative degrees turn clockwise.",
    "scale": "About the picture's centre; a factor of 2 shows its middle twice as large.",
    "brightness": "Every pixel is multiplied by the factor, and clipped to 255.",
    "blur": "A Gaussian blur; its deviation counts pixels of the network's input.",
    "noise": "Gaussian noise on every pixel and channel, from a seed, clipped to 0 and 255.",
}
_BAND = " The pale band is the 95 % interval."
_DOTTED = " The dotted line marks the unchanged pictures."


def curve(family: Json, found: Json) -> Figure:
    """Return the figure of a family whose strengths are numbers."""
    metric, agreement = found["metric"], found["agreement"]
    share = measure(metric).share
    x, values = _column(family, "strength"), _column(family, metric)
    unit = 100.0 if share else 1.0
    band = None
    if all(f"{metric}_low" in point for point in family["points"]):
        low, high = (_column(family, f"{metric}_{end}") for end in ("low", "high"))
        band = (low * unit, high * unit)
    same = _column(family, "agreement") * unit
    # Agreement is on top and dashed: of a good model the two are nearly one curve.
    lines = [
        Line(name=measure(metric).name, x=x, y=values * unit, style=0, dots=True, band=band),
        Line(name=agreement_name(agreement), x=x, y=same, style=1),
    ]
    title = family["name"].capitalize()
    svg = line_chart(
        frame(_across(family, x), _upward(metric, lines, share=share)),
        lines,
        key=f"robustness-{family['name']}",
        title=title,
        text=f"{said(family, found)}.",
        at=float(family["unchanged"]),
    )
    caption = _CAPTIONS.get(family["name"], "") + _DOTTED + (_BAND if band else "")
    legend = tuple(line.legend() for line in lines)
    return Figure(title=title, svg=svg, caption=caption, legend=legend)


def flips(family: Json, found: Json) -> Table:
    """Return the table of a family whose strengths are words."""
    head, rows = _rows(family, found)
    return Table(
        title=family["name"].capitalize(), head=head, rows=rows, numbers=tuple(range(1, len(head)))
    )


def table(found: Json) -> Table:
    """Return all figures of all families."""
    rows: list[tuple[str, ...]] = []
    for family in found["families"]:
        unit = f", {family['unit']}" if family["unit"] else ""
        head, each = _rows(family, found)
        rows += [(f"{family['name']}{unit}", *row) for row in each]
    return Table(
        title="Every change at every strength",
        head=("change", *head),
        rows=tuple(rows),
        numbers=tuple(range(1, len(head) + 1)),
        folded=True,
    )


def _rows(family: Json, found: Json) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    metric, agreement, samples = found["metric"], found["agreement"], found["samples"]
    head = ("strength", measure(metric).name, agreement_name(agreement))
    rows = tuple(
        (
            strength(point["strength"]),
            written(metric, point[metric], samples),
            written(agreement, point["agreement"], samples),
        )
        for point in family["points"]
    )
    return head, rows


def _column(family: Json, key: str) -> Floats:
    return np.array([point[key] for point in family["points"]], np.float64)


def _across(family: Json, x: Floats) -> Axis:
    log = family["unit"] == "factor"
    label = f"{family['name']}, {family['unit']}{' (logarithmic)' if log else ''}"
    return Axis(label=label, low=float(x.min()), high=float(x.max()), log=log, tight=True)


def _upward(metric: str, lines: list[Line], *, share: bool) -> Axis:
    if share:
        return Axis(label="per cent", low=0, high=100)
    values = np.concatenate([line.y for line in lines])
    return Axis(label=measure(metric).name, low=min(0.0, values.min()), high=float(values.max()))
