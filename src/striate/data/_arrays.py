"""NumPy arrays as a source: a `.npz` file, or arrays in memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._array_names import by_part, class_names
from striate.data._array_pictures import ArrayPictures, RowNames, as_pictures, joined
from striate.data._array_targets import array_targets
from striate.data._npz import read_npz
from striate.data._order import hash_ids
from striate.data._source import PARTS, UNDECIDED, Source, SourceOptions
from striate.data._words import are_characters
from striate.errors import SourceError, UsageError


def open_npz(path: Path, options: SourceOptions) -> Source:
    """Return the source in a `.npz` file; nothing in it is unpickled. See `open_arrays`."""
    arrays = read_npz(path)
    try:
        return open_arrays(arrays, options, name=path.stem)
    except SourceError as error:
        raise SourceError(f"{path.name}: {error}") from None


def open_arrays(
    arrays: Mapping[str, npt.NDArray[Any]], options: SourceOptions, *, name: str = "arrays"
) -> Source:
    """Return arrays as a source; see `by_part` for their names.

    Args:
        arrays: pictures (see `as_pictures`) and targets (see `array_targets`) of one or several
            parts, and `classes`, the classes' names, if wanted.
        options: of these `task` is used.
        name: the source's name.

    Raises:
        SourceError: arrays that are missing or don't fit.
        UsageError: an option that is for tables.
    """
    refuse_table_options(options, "arrays have no columns")
    notes: list[str] = []
    named = by_part(arrays, notes)
    pictures = {
        part: as_pictures(each.pictures, f"The pictures in '{each.pictures_name}'", notes)
        for part, each in named.items()
    }
    targets = {part: each.targets for part, each in named.items()}
    return parts_source(
        pictures,
        targets,
        classes=class_names(arrays),
        options=options,
        name=name,
        kind="arrays",
        notes=notes,
    )


def refuse_table_options(options: SourceOptions, why: str) -> None:
    """Raise UsageError where an option is given that only tables and folders understand."""
    given = {
        "--target": bool(options.target),
        "--group": options.group is not None,
        "--images": options.images is not None,
        "--split": options.split is not None,
    }
    wrong = [option for option, is_given in given.items() if is_given]
    if wrong:
        raise UsageError(f"{wrong[0]} doesn't fit this source: {why}. Leave the option out.")


def parts_source(
    pictures: Mapping[str, npt.NDArray[np.uint8]],
    targets: Mapping[str, npt.NDArray[Any]],
    *,
    classes: tuple[str, ...] | None,
    options: SourceOptions,
    name: str,
    kind: str,
    notes: list[str],
) -> Source:
    """Return a source of arrays by part: "" (undecided), "train", "validation", "test".

    The training part is UNDECIDED where there is no validation part, since some of it will be
    kept for validation.
    """
    array = joined(dict(pictures))
    lengths = {part: len(pictures[part]) for part in pictures}
    names = RowNames(lengths)
    chosen = array_targets(_joined_targets(targets), classes, options.task, names.name)
    numbers = {"": UNDECIDED} | {part: number for number, part in enumerate(PARTS)}
    if "validation" not in lengths:
        numbers["train"] = UNDECIDED
    return Source(
        name=name,
        kind=kind,
        pictures=ArrayPictures(array, names),
        ids=_row_ids(lengths),
        answer=chosen.answer,
        targets=chosen.targets,
        parts=np.repeat([numbers[p] for p in lengths], list(lengths.values())).astype(np.int8),
        reason=chosen.reason,
        notes=tuple(notes),
        orientation_matters=are_characters(chosen.answer.names),
    )


def _row_ids(lengths: Mapping[str, int]) -> npt.NDArray[np.uint64]:
    """Return an id per row: the hash of its number in its part and, but for training, the part."""
    keys = {"": 0, "train": 0, "validation": 1, "test": 2}
    rows = [
        hash_ids(keys[part], ids=np.arange(length, dtype=np.uint64))
        for part, length in lengths.items()
    ]
    return np.concatenate(rows)


def _joined_targets(targets: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    shapes = {part: array.shape[1:] for part, array in targets.items()}
    kinds = {array.dtype.kind in "US" for array in targets.values()}
    if len(set(shapes.values())) > 1 or len(kinds) > 1:
        each = ", ".join(f"{part}: {a.dtype} {a.shape}" for part, a in targets.items())
        raise SourceError(f"The targets of the parts differ in form ({each}). Expected one form.")
    return np.concatenate(list(targets.values()))
