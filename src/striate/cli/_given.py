"""Which pictures a user named: files, folders and patterns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from striate.errors import SourceError

_MAGIC = frozenset("*?[")


def given_pictures(words: Sequence[str]) -> list[str]:
    """Return the path of every picture that `words` name, in their order, each word's own sorted.

    A folder stands for all pictures below it. A pattern that the shell left alone, as in quotes or
    on Windows, stands for the files it fits. Any other word is taken for a file, even a missing
    one: predicting says what is wrong with it.

    Raises SourceError where a folder or pattern stands for nothing.
    """
    return [path for word in words for path in _meant(word)]


def _meant(word: str) -> list[str]:
    path = Path(word)
    if path.is_dir():
        return _below(path)
    if _MAGIC.isdisjoint(word) or path.exists():
        return [word]
    from glob import glob

    found = sorted(name for name in glob(word, recursive=True) if Path(name).is_file())  # noqa: PTH207
    if not found:
        raise SourceError(f"{word}: no file fits this pattern. Check it, or name a folder.")
    return found


def _below(folder: Path) -> list[str]:
    from striate.data._walk import look_below

    found = look_below(folder)
    if not found.pictures:
        others = ", ".join(
            f"{count} {kind or 'without suffix'}" for kind, count in found.others.most_common(3)
        )
        raise SourceError(
            f"{folder}: there are no pictures below this folder (found {others or 'no files'}). "
            "Name another folder, or the files themselves."
        )
    return [str(folder / name) for name in found.pictures]
