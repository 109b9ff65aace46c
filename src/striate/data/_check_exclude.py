"""A list of pictures that are left out, as `striate check --labels --save` writes it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._filling import Block
from striate.data._source import Pictures, Source
from striate.data._words import count, some
from striate.errors import SourceError, nearest
from striate.image import MAX_PIXELS, Fitted, Shape

Positions = npt.NDArray[np.int64]


def exclude(source: Source, file: Path) -> Source:
    """Return the source without the pictures that a file names, as if they had never been there.

    The file is text in UTF-8: a name a line, as the source writes it (its path relative to the
    source, the table's cell, or "row 17"). Empty lines and lines that begin with "#" are passed
    over.

    Raises:
        SourceError: the file can't be read, names a picture that isn't there, or all there are.
    """
    wanted = read_names(file)
    every = [source.pictures.name(position) for position in range(len(source))]
    known = set(every)
    missing = [name for name in wanted if name not in known]
    if missing:
        raise SourceError(
            f"{file} names {count(len(missing), 'picture')} that {source.name} doesn't hold: "
            f"{some(missing)}.{nearest(missing[0], known)} Expected names as in the source, one a "
            "line."
        )
    dropped = set(wanted)
    kept = np.flatnonzero([name not in dropped for name in every])
    if not len(kept):
        raise SourceError(
            f"{file} names all {len(source):,} pictures of {source.name}: none is left. Remove "
            "some lines."
        )
    return _only(source, kept) if len(kept) < len(source) else source


def read_names(file: Path) -> list[str]:
    """Return the names in a list; raise SourceError where it can't be read as UTF-8."""
    try:
        lines = file.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise SourceError(
            f"The list {file} of --exclude can't be read: {error.strerror}. Name a text file with "
            "one picture's name a line."
        ) from None
    except UnicodeDecodeError:
        raise SourceError(
            f"The list {file} of --exclude isn't text in UTF-8. Expected one picture's name a line."
        ) from None
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]


def listed(lines: Iterable[tuple[str, str]]) -> str:
    """Return (name, remark) pairs as `exclude` reads them: the remark stands above the name.

    A name that couldn't be read back, with a line's end in it, becomes a remark.
    """
    text = ""
    for name, remark in lines:
        fits = name.strip() == name and name.isprintable() and not name.startswith("#")
        text += f"# {remark}\n{name}\n" if fits else f"# {remark}\n# can't stand here: {name!r}\n"
    return text


def _only(source: Source, kept: Positions) -> Source:
    pictures: Pictures = source.pictures
    return replace(
        source,
        pictures=_KeptBlock(pictures, kept)
        if isinstance(pictures, Block)
        else _Kept(pictures, kept),
        ids=source.ids[kept],
        targets=source.targets[kept],
        parts=source.parts[kept],
        groups=None if source.groups is None else source.groups[kept],
    )


class _Kept:
    """Some pictures of others, under their old names; see `Pictures`."""

    def __init__(self, pictures: Pictures, kept: Positions) -> None:
        self._pictures = pictures
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept)

    def name(self, position: int) -> str:
        return self._pictures.name(int(self._kept[position]))

    def size(self, position: int) -> tuple[int, int, int]:
        return self._pictures.size(int(self._kept[position]))

    def read(self, position: int, channels: int | None = None) -> npt.NDArray[np.uint8]:
        return self._pictures.read(int(self._kept[position]), channels)

    def load(self, position: int, shape: Shape, max_pixels: int = MAX_PIXELS) -> Fitted:
        return self._pictures.load(int(self._kept[position]), shape, max_pixels)

    def file(self, position: int) -> Path | None:
        return self._pictures.file(int(self._kept[position]))


class _KeptBlock(_Kept):
    """The same where they lie in one array; see `Block`."""

    def __init__(self, pictures: Pictures, kept: Positions) -> None:
        super().__init__(pictures, kept)
        if isinstance(pictures, Block):
            self.array = pictures.array[kept]
