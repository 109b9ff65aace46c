"""Which classes are taken for which: the confusion matrix and the most confused pairs."""

import numpy as np

from striate.report._blocks import Block, Figure, Section, Table
from striate.report._held_out import detailed_part, on
from striate.report._matrix import LARGEST, Counts, heat_map, matrix, shares
from striate.report._run import Run
from striate.report._words import figure, percent

MOST_PAIRS = 20

READ = (
    "A row holds the pictures of one target class, a column those answered as one class: right "
    "answers are on the diagonal. The stronger the colour, the larger the share of its row."
)


def confusion(run: Run) -> Section:
    """Return the section on confused classes."""
    part, details = detailed_part(run)
    table = np.array(details.get("confusion") or [], np.int64)
    names = [str(name) for name in run.results.get("classes") or []]
    blocks: list[Block] = []
    if table.size and table.shape == (len(names), len(names)):
        blocks = [_figure(names, table), *_pairs(names, table)]
    return Section(
        key="confusion",
        title="Which classes are confused",
        intro=f"On {on(part)}: {figure(int(table.sum()))} pictures.",
        blocks=tuple(blocks),
    )


def _figure(names: list[str], table: Counts) -> Figure:
    title = "Confusion matrix"
    right, total = int(np.trace(table)), int(table.sum())
    text = f"{figure(right)} of {figure(total)} on the diagonal. {_most_confused(names, table)}"
    if len(names) <= LARGEST:
        svg = matrix(names, table, key="matrix", title=title, text=text)
        return Figure(title=title, svg=svg, caption=READ, wide=True)
    svg = heat_map(table, key="matrix", title=title, text=text)
    caption = (
        f"{READ} Rows and columns follow the order of the classes; {len(names)} are too many to "
        "write the counts."
    )
    return Figure(title=title, svg=svg, caption=caption)


def _ranked(table: Counts) -> list[tuple[int, int]]:
    wrong = table * (1 - np.eye(len(table), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[: int((wrong > 0).sum())]
    return [(int(n) // len(table), int(n) % len(table)) for n in order[:MOST_PAIRS]]


def _most_confused(names: list[str], table: Counts) -> str:
    ranked = _ranked(table)
    if not ranked:
        return "No picture is off it."
    target, answer = ranked[0]
    count = figure(int(table[target, answer]))
    return f"Most confused: target {names[target]}, answer {names[answer]}, {count} times."


def _pairs(names: list[str], table: Counts) -> list[Block]:
    share = shares(table)
    rows = tuple(
        (names[row], names[column], figure(int(table[row, column])), percent(share[row, column]))
        for row, column in _ranked(table)
    )
    if not rows or len(names) == 2:
        return []
    return [
        Table(
            title="Most confused pairs",
            head=("target", "answer", "pictures", "of the target's pictures"),
            rows=rows if len(names) > LARGEST else rows[:8],
            numbers=(2, 3),
        )
    ]
