"""Pictures beside what augmentation makes of them, epoch by epoch."""

from collections.abc import Sequence
from typing import Any

from striate.report._blocks import Section, Strips, Tile
from striate.report._pictures import BUDGET, is_picture, tile
from striate.report._run import Run
from striate.report._words import words

SIDE = 80
"""CSS pixels of a picture in the report."""


def augmented(run: Run) -> Section:
    """Return the section on augmentation; without blocks where nothing was augmented."""
    block = strips(run.results.get("augmented") or [], side=SIDE, budget=BUDGET)
    return Section(
        key="augmentation",
        title="Augmentation",
        blocks=(block,) if block.rows else (),
    )


def strips(
    examples: Sequence[dict[str, Any]], *, side: int, budget: float = float("inf")
) -> Strips:
    """Return a row of pictures for each example: the original, then its versions.

    Args:
        examples: `{"name", "original": data URI, "versions": [data URI, …]}`, as in results.json
            under `augmented`; what isn't a PNG picture is left out.
        side: of a picture, about, in CSS pixels.
        budget: most bytes of pictures; the first row is kept in any case.
    """
    rows: list[tuple[Tile, ...]] = []
    used = 0
    found = [row for row in (_row(example, side) for example in examples) if row]
    for row in found:
        used += sum(len(each.picture) for each in row)
        if rows and used > budget:
            break
        rows.append(row)
    left_out = len(found) - len(rows)
    epochs = max((len(row) for row in rows), default=1) - 1
    return Strips(
        head=("original", *(f"epoch {epoch}" for epoch in range(1, epochs + 1))),
        rows=tuple(rows),
        caption="Left, a training picture as the network gets it where nothing is varied; beside "
        "it, what the network is shown instead in each of the first epochs. Look whether a person "
        "would still give every version the same answer as the original.",
        note=f"{left_out} more were left out to keep the page small." if left_out else "",
    )


def _row(example: dict[str, Any], side: int) -> tuple[Tile, ...]:
    name, original = words(example.get("name")), example.get("original")
    versions = [each for each in example.get("versions") or [] if is_picture(each)]
    if not isinstance(original, str) or not is_picture(original) or not versions:
        return ()
    first = tile(original, alt=f"{name}, original", lines=(("", name),), side=side)
    return first, *(
        tile(each, alt=f"{name}, epoch {epoch}", side=side)
        for epoch, each in enumerate(versions, start=1)
    )
