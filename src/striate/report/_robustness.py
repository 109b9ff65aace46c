"""The page of `striate evaluate --robustness`, made from its JSON document only."""

from pathlib import Path

from striate.report._blocks import Card, Cards, Section
from striate.report._held_out import on
from striate.report._measures import measure, written
from striate.report._page import page
from striate.report._place import write_page
from striate.report._robustness_curves import curve, flips, table
from striate.report._robustness_words import agreement_words, unchanged_point
from striate.report._run import Json
from striate.report._words import figure, words

KIND = "robustness"

_MOVES = ("shift", "rotation", "scale", "flip")
_EDGES = {
    "nearest": "What comes in at an edge is the picture's own margin where the model has one, "
    "else the edge's pixel, repeated: what the model was trained with is not known here."
}


def write_robustness(path: Path, document: Json) -> None:
    """Write the page of an evaluation's robustness to a file.

    Args:
        path: the page; an older one is replaced, anything else refused.
        document: what `striate evaluate --robustness --json` prints (docs/evaluation.md).

    Raises UsageError and DiskError as `write_page`; what was there is then left as it was.
    """
    write_page(path, render_robustness(document), KIND)


def render_robustness(document: Json) -> str:
    """Return the page as text."""
    found = document["robustness"]
    return page(
        [_unchanged(found), *_changed(found), _all(found)],
        title=f"{words(document['model'])} on {words(document['source'])}",
        kind=KIND,
        subtitle="How the model bears up when its pictures are changed",
        origin="the figures of one evaluation",
    )


def _unchanged(found: Json) -> Section:
    point, metric, samples = unchanged_point(found), found["metric"], found["samples"]
    lines = [f"{figure(samples)} pictures of {on(found['part'])}"]
    ends = [point.get(f"{metric}_{end}") for end in ("low", "high")]
    if None not in ends:
        low, high = (written(metric, end, samples) for end in ends)
        lines.insert(0, f"95 % interval: {low} to {high}")
    card = Card(
        part="pictures as they are",
        value=written(metric, point[metric], samples),
        name=measure(metric).name,
        lines=tuple(lines),
        main=True,
    )
    return Section(
        key="unchanged",
        title="Unchanged pictures",
        intro="The same pictures are then changed, one kind of change at a time, at the network's "
        f"size. Agreement is {agreement_words(found['agreement'])}.",
        blocks=(Cards(cards=(card,)),),
    )


def _changed(found: Json) -> list[Section]:
    drawn = {
        family["name"]: (curve(family, found) if family["unit"] else flips(family, found))
        for family in found["families"]
    }
    edges = _EDGES.get(found["fill"], "")
    moves = Section(
        key="moves",
        title="Pictures that are moved",
        intro=f"One matrix and one interpolation, as in training's augmentation. {edges}",
        blocks=tuple(drawn[name] for name in _MOVES if name in drawn),
    )
    pixels = Section(
        key="pixels",
        title="Pixels that are changed in their places",
        blocks=tuple(block for name, block in drawn.items() if name not in _MOVES),
    )
    return [moves, pixels]


def _all(found: Json) -> Section:
    return Section(key="all", title="All figures", blocks=(table(found),))
