"""What the network was trained on: facts with reasons, warnings, counts and samples."""

from typing import Any

from striate.report._bars import count_bars
from striate.report._blocks import Block, Figure, Legend, Section, Table, Terms, Warnings
from striate.report._pictures import gallery, is_picture, tile
from striate.report._run import Run
from striate.report._words import figure, words

MOST_BARS = 30
"""Most classes drawn as bars; more become a folded table."""


def data(run: Run) -> Section:
    """Return the section on the data and what was chosen for it."""
    results = run.results
    blocks: list[Block] = []
    if results.get("warnings"):
        blocks.append(Warnings(sentences=tuple(words(each) for each in results["warnings"])))
    if results.get("facts"):
        terms = (
            (words(fact.get("name")), words(fact.get("value")), words(fact.get("reason")))
            for fact in results["facts"]
        )
        blocks.append(Terms(terms=tuple(terms)))
    if run.metrics.get("task") != "regression":
        noun = "label" if run.metrics.get("task") == "multi-label" else "class"
        blocks += _counts(noun, results.get("classes") or [], results.get("counts") or {})
    blocks += _samples(results.get("samples") or [])
    return Section(key="data", title="What was trained on what", blocks=tuple(blocks))


def _counts(noun: str, classes: list[str], counts: dict[str, Any]) -> list[Block]:
    per_class = {part: each for part, each in counts.items() if isinstance(each, list) and each}
    if not per_class or any(len(each) != len(classes) for each in per_class.values()):
        return []
    title = f"Samples per {noun}"
    if len(classes) > MOST_BARS:
        rows = zip(classes, *([figure(n) for n in each] for each in per_class.values()))
        return [
            Table(
                title=title,
                head=(noun, *per_class),
                rows=tuple(rows),
                numbers=tuple(range(1, len(per_class) + 1)),
                folded=True,
            )
        ]
    totals = [sum(each) for each in zip(*per_class.values())]
    fewest, most = totals.index(min(totals)), totals.index(max(totals))
    text = (
        f"{len(classes)} bars; most samples: {classes[most]} with {figure(totals[most])}, "
        f"fewest: {classes[fewest]} with {figure(totals[fewest])}."
    )
    svg = count_bars(classes, per_class, key="counts", title=title, text=text)
    legend = tuple(
        Legend(name=part, style=f"c{style}", mark="area") for style, part in enumerate(per_class)
    )
    caption = (
        f"One bar a {noun}, with its parts one after the other. The rarer a {noun}, the less there "
        "is to learn it from, and the less certain its figures are."
    )
    return [Figure(title=title, svg=svg, caption=caption, legend=legend)]


def _samples(samples: list[dict[str, Any]]) -> list[Block]:
    tiles = [
        tile(
            each["picture"],
            alt=f"{words(each.get('name'))}, target {words(each.get('target'))}",
            lines=(("", words(each.get("target"))),),
        )
        for each in samples
        if is_picture(each.get("picture"))
    ]
    caption = "As the network gets them after resizing, before augmentation; below, the target."
    return [gallery(tiles, title="Samples", caption=caption)] if tiles else []
