"""A split that the user gives: lists of names, or a column that names each row's part."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._source import PARTS, UNDECIDED
from striate.data._words import count, part_of, some
from striate.errors import SourceError, UsageError, unknown

_SEVERAL = -2


def parts_from_lists(
    lists: Mapping[str, Path], names: Sequence[str], beside: Path
) -> npt.NDArray[np.int8]:
    """Return the part (N,) of each picture by lists of names; UNDECIDED where no list has it.

    A list is a text file with one name a line: the path relative to the source or the file's
    name, each with or without its suffix. A list that isn't found from the working directory is
    looked for in `beside`, the source's folder.

    Raises SourceError for a name that no picture has, one that several have, and one that two
    parts have.
    """
    index = _NameIndex(names)
    parts = np.full(len(names), UNDECIDED, np.int8)
    for word, path in lists.items():
        part = part_of(word)
        if part is None:
            raise UsageError(unknown("part", word, ["train", "val", "test"], do="See --split."))
        positions = index.positions(_read_list(path, beside), path)
        torn = positions[(parts[positions] != UNDECIDED) & (parts[positions] != part)]
        if len(torn):
            raise SourceError(
                f"{path} gives '{names[torn[0]]}' to the {PARTS[part]} part, but another list of "
                f"--split gives it to the {PARTS[parts[torn[0]]]} part. Remove it from one of them."
            )
        parts[positions] = part
    return parts


def parts_from_words(
    words: Sequence[str], column: str, table: Path, lines: Sequence[int]
) -> npt.NDArray[np.int8]:
    """Return the part (N,) of each row by the words of a column; raise SourceError for others."""
    parts = [part_of(word) for word in words]
    if None in parts:
        row = parts.index(None)
        raise SourceError(
            f"{table.name}: the column '{column}' holds '{words[row]}' on line {lines[row]}. "
            "Expected train, val (or valid, validation) or test in every row."
        )
    return np.array(parts, np.int8)


def unlisted(number: int) -> list[str]:
    """Return the note on pictures that no list of --split names."""
    what = count(number, "picture")
    return [f"Left out, because no list of --split names them: {what}."] if number else []


def _read_list(path: Path, beside: Path) -> list[str]:
    found = path if os.path.exists(path) else beside / path  # noqa: PTH110
    try:
        lines = found.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise SourceError(
            f"The list {path} of --split can't be read: {error.strerror}. It was looked for here "
            f"and in {beside}."
        ) from None
    except UnicodeDecodeError:
        raise SourceError(
            f"The list {path} of --split isn't text in UTF-8. Expected one picture's name a line."
        ) from None
    names = [line.strip().replace("\\", "/") for line in lines if line.strip()]
    if not names:
        raise SourceError(
            f"The list {path} of --split is empty. Expected one picture's name a line."
        )
    return names


class _NameIndex:
    """Finds a picture by its path or name, with or without suffix, the most exact way first."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [name.replace("\\", "/") for name in names]
        self._maps: list[dict[str, int]] = [{}, {}, {}, {}]
        for position, name in enumerate(self._names):
            for keys, key in zip(self._maps, _keys(name), strict=True):
                keys[key] = position if keys.get(key, position) == position else _SEVERAL

    def positions(self, wanted: Sequence[str], path: Path) -> npt.NDArray[np.int64]:
        found = [self._find(name.removeprefix("./"), path) for name in wanted]
        missing = [name for name, position in zip(wanted, found, strict=True) if position is None]
        if missing:
            raise SourceError(
                f"{path} names {count(len(missing), 'picture')} that the source doesn't hold: "
                f"{some(missing)}. Expected names as in the source, one a line."
            )
        return np.array([position for position in found if position is not None], np.int64)

    def _find(self, name: str, path: Path) -> int | None:
        for keys in self._maps:
            position = keys.get(name)
            if position == _SEVERAL:
                same = [other for other in self._names if name in _keys(other)]
                raise SourceError(
                    f"{path} names '{name}', which fits {len(same)} pictures: {some(same)}. "
                    "Write the path relative to the source."
                )
            if position is not None:
                return position
        return None


def _keys(name: str) -> tuple[str, str, str, str]:
    base = name.rsplit("/", 1)[-1]
    return name, os.path.splitext(name)[0], base, os.path.splitext(base)[0]  # noqa: PTH122
