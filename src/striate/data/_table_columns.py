"""Which columns of a table are targets."""

from dataclasses import dataclass

from striate.data._csv import Table
from striate.data._words import part_of, some, ticked
from striate.errors import SourceError

_LABEL_COLUMNS = frozenset(
    ["label", "labels", "class", "classes", "category", "target", "targets", "tag", "tags"]
)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Columns chosen as targets, and notes on those that weren't."""

    names: list[str]
    notes: list[str]


def choose_columns(table: Table, candidates: list[str], task: str | None) -> Chosen:
    """Return the target columns that the data suggests, by these rules, the first that holds:

    1. a single column of words with a usual name (label, class, category, ...);
    2. all columns of numbers, unless the task was given as one of words and there are words;
    3. the single column of words.

    Empty columns and columns that look like a split are passed over. Raises SourceError where no
    rule holds.
    """
    notes: list[str] = []
    words, numbers = _sorted_out(table, candidates, notes)
    usual = [name for name in words if name.casefold() in _LABEL_COLUMNS]
    wants_words = task in ("classification", "multi-label") and words
    if len(usual) == 1 and task != "regression":
        chosen = usual
    elif numbers and not wants_words:
        chosen = numbers
    elif len(words) == 1:
        chosen = words
    elif words:
        raise SourceError(
            f"{table.path.name}: several columns hold words: {some(words, 8)}. Choose the one "
            "with the classes by --target."
        )
    else:
        raise SourceError(
            f"{table.path.name} has no target column beside the pictures. Add a column with a "
            "class, labels or a number for every picture."
        )
    unused = [name for name in words + numbers if name not in chosen]
    if unused:
        notes.append(f"Not used as targets: {ticked(unused, 8)}. `--target` chooses.")
    return Chosen(names=chosen, notes=notes)


def _sorted_out(
    table: Table, candidates: list[str], notes: list[str]
) -> tuple[list[str], list[str]]:
    """Return the columns of words and those of numbers; mixed ones count by their majority."""
    words: list[str] = []
    numbers: list[str] = []
    for name in candidates:
        cells = table.columns[name]
        filled = sum(map(bool, cells))
        if not filled:
            notes.append(f"The column `{name}` is empty and was left out.")
        elif all(part_of(cell) is not None for cell in cells):
            notes.append(f"The column `{name}` looks like a split: use it with --split {name}.")
        else:
            text = len(table.numbers(name)[1])
            (words if text * 2 > filled else numbers).append(name)
    return words, numbers
