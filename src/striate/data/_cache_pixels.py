"""The file of pixels of a kept store; only who holds the store's writing lock changes it.

Rows are added at the end and never changed: whoever mapped the file before sees what he saw. A row
counts only when the index names it, and the index is replaced after the rows are on the disk.
"""

import os
import secrets
from contextlib import suppress
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._cache_folder import FEATURES, HEADERS, INDEX, LOOKS
from striate.data._cache_index import Index, new_index, read_index
from striate.data._cache_lock import Lock, hold
from striate.data._room import claim, mapped
from striate.image import Shape

_WRITING = "writing"
_COPIED = 256  # rows at once
_WASTE = 1000  # rows that nobody asks for any more, and that aren't worth a copy


class PixelFile:
    """A kept store's folder, with the size of one picture."""

    def __init__(self, path: Path, shape: Shape, settings: str, folder: Path) -> None:
        wide = shape.wide
        self.path = path
        self.picture = (wide.height, wide.width, wide.channels)
        self.row = prod(self.picture)
        self._settings = settings
        self._folder = folder

    def index(self) -> Index | None:
        """Return the index where it and the pixels are as they were written, else None."""
        index = read_index(self.path / INDEX)
        if index is None or index.settings != self._settings:
            return None
        try:
            size = (self.path / index.pixels).stat().st_size
        except OSError:
            return None
        return index if size >= len(index) * self.row else None

    def writing(self) -> Lock | None:
        """Return the lock that allows to write; None where another process holds it."""
        return hold(self.path / _WRITING)

    def tidied(self) -> Index:
        """Return the index, new where it is missing or damaged; remove what others left undone."""
        index = self.index() or new_index(self._settings, self._folder, _new_name())
        self.sweep(index)
        self.cut(index)
        return index

    def sweep(self, index: Index) -> None:
        """Remove the files that don't belong to this index."""
        for file in self.path.iterdir():
            known = file.name in (INDEX, LOOKS, index.pixels, _WRITING)
            if not known and not file.name.startswith((HEADERS, FEATURES)):
                # Windows keeps what is still mapped.
                with suppress(OSError):
                    file.unlink()

    def cut(self, index: Index) -> None:
        """Take away the rows that the index doesn't name."""
        with suppress(FileNotFoundError):
            os.truncate(self.path / index.pixels, len(index) * self.row)

    def claimed(self, index: Index, more: int) -> npt.NDArray[np.uint8]:
        """Return the pixels with room for `more` rows after those of the index; writable."""
        claim(self.path / index.pixels, (len(index) + more) * self.row)
        return mapped(self.path / index.pixels, (len(index) + more, *self.picture))

    def read(self, index: Index) -> npt.NDArray[np.uint8]:
        """Return the pixels of the index, (R, H, W, C), which can't be written to."""
        if not len(index):
            return np.zeros((0, *self.picture), np.uint8)
        pixels = mapped(self.path / index.pixels, (len(index), *self.picture))
        pixels.flags.writeable = False
        return pixels

    def without_waste(self, index: Index, rows: npt.NDArray[np.int32], more: int) -> Index:
        """Return the index in which `rows` (ascending) are kept, moved to a file of their own.

        Only where the others are the larger part, now that `more` rows are to come.
        """
        if len(index) - len(rows) <= len(rows) + more + _WASTE:
            return index
        fewer = index.chosen(rows, _new_name())
        if len(rows):
            claim(self.path / fewer.pixels, len(rows) * self.row)
            new, old = (
                mapped(self.path / fewer.pixels, (len(rows), *self.picture)),
                self.read(index),
            )
            for start in range(0, len(rows), _COPIED):
                new[start : start + _COPIED] = old[rows[start : start + _COPIED]]
        return fewer


def to_disk(path: Path) -> None:
    """Wait until what was written to a file, through a mapping too, is on the disk."""
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _new_name() -> str:
    return f"pixels-{secrets.token_hex(4)}"
