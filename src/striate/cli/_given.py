"""Which pictures a user named: files, folders and patterns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from striate.cli._output import shown
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
    from os.path import exists, isdir, isfile  # unlike Path's, False for a name that is too long

    if not word:
        raise SourceError("One of the names of pictures is empty. Name a file, folder or pattern.")
    if isdir(word):  # noqa: PTH112
        return _below(Path(word))
    if _MAGIC.isdisjoint(word) or exists(word):  # noqa: PTH110
        return [word]
    from glob import glob

    found = sorted(filter(isfile, glob(word, recursive=True)))  # noqa: PTH207
    if not found:
        raise SourceError(f"{shown(word)}: no file fits this pattern. Check it, or name a folder.")
    return found


def _below(folder: Path) -> list[str]:
    from striate.data._walk import look_below

    found = look_below(folder)
    if not found.pictures:
        others = ", ".join(
            f"{count} {shown(kind) or 'without suffix'}"
            for kind, count in found.others.most_common(3)
        )
        raise SourceError(
            f"{shown(str(folder))}: there are no pictures below this folder (found "
            f"{others or 'no files'}). Name another folder, or the files themselves."
        )
    return [str(folder / name) for name in found.pictures]
