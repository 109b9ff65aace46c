"""The index of a kept store: which file has which content, and what became of each content."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from striate.data._cache_key import DIGEST, Digests, Stamps
from striate.data._cache_sealed import read_sealed, write_sealed
from striate.data._order import Ids

_ARRAYS = ("paths", "stamps", "rows_F", "digests", "matrices")

Phrases = Mapping[str, tuple[int, ...]]
"""What is to be said about pictures, and the rows of those it is said about."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """F files, R rows of pixels; every row belongs to one content.

    Attributes:
        settings: what the pixels depend on beside the files (`settings_text`).
        folder: the folder that all files are below.
        pixels: name of the file of pixels: uint8 (R, H, W, C), in the index's folder.
        paths: (F,) hashes of absolute paths, ascending, each once.
        stamps: (F, 4) of these files; zeros where the file has to be read again.
        rows_F: (F,) int32 row of the file's content.
        digests: (R, 16) digest of the content.
        matrices: (R, 2, 3) float32, as in `Store`; zeros where there are no pixels.
        lost: why contents couldn't be read.
        notes: what is odd about contents.
    """

    settings: str
    folder: str
    pixels: str
    paths: Ids
    stamps: Stamps
    rows_F: npt.NDArray[np.int32]
    digests: Digests
    matrices: npt.NDArray[np.float32]
    lost: Phrases
    notes: Phrases

    def __len__(self) -> int:
        return len(self.digests)

    def rows(self, paths: Ids, stamps: Stamps) -> npt.NDArray[np.int32]:
        """Return the row of each file, (N,); -1 where it isn't known or was changed."""
        if not len(self.paths):
            return np.full(len(paths), -1, np.int32)
        at = np.minimum(np.searchsorted(self.paths, paths), len(self.paths) - 1)
        known = (self.paths[at] == paths) & (self.stamps[at] == stamps).all(axis=1)
        return np.where(known & stamps.any(axis=1), self.rows_F[at], np.int32(-1))

    def chosen(self, rows: npt.NDArray[np.int32], pixels: str) -> Self:
        """Return the index of these rows only (ascending, each once), for another file of pixels."""
        renumbered = np.full(len(self), -1, np.int32)
        renumbered[rows] = np.arange(len(rows), dtype=np.int32)
        kept_F = renumbered[self.rows_F] >= 0
        return replace(
            self,
            pixels=pixels,
            paths=self.paths[kept_F],
            stamps=self.stamps[kept_F],
            rows_F=renumbered[self.rows_F[kept_F]],
            digests=self.digests[rows],
            matrices=self.matrices[rows],
            lost=_renumbered(self.lost, renumbered),
            notes=_renumbered(self.notes, renumbered),
        )

    def with_files(self, paths: Ids, stamps: Stamps, rows: npt.NDArray[np.int32]) -> Self:
        """Return the index with these files added, or put in place of what was known of them."""
        every = np.concatenate([paths, self.paths])
        unique, first = np.unique(every, return_index=True)
        return replace(
            self,
            paths=unique,
            stamps=np.concatenate([stamps, self.stamps])[first],
            rows_F=np.concatenate([rows, self.rows_F])[first],
        )


def new_index(settings: str, folder: Path, pixels: str) -> Index:
    """Return an index of nothing."""
    return Index(
        settings=settings,
        folder=str(folder),
        pixels=pixels,
        paths=np.zeros(0, np.uint64),
        stamps=np.zeros((0, 4), np.int64),
        rows_F=np.zeros(0, np.int32),
        digests=np.zeros((0, DIGEST), np.uint8),
        matrices=np.zeros((0, 2, 3), np.float32),
        lost={},
        notes={},
    )


def write_index(index: Index, path: Path) -> None:
    """Write an index whole, or leave what was there. Raises DiskError."""
    words = {
        "settings": index.settings,
        "folder": index.folder,
        "pixels": index.pixels,
        "lost": index.lost,
        "notes": index.notes,
    }
    write_sealed(path, words, [getattr(index, name) for name in _ARRAYS])


def read_index(path: Path) -> Index | None:
    """Return the index in a file; None where there is none, or it isn't as it was written."""
    found = read_sealed(path, len(_ARRAYS))
    if found is None:
        return None
    words, arrays = found
    try:
        return Index(
            settings=words["settings"],
            folder=words["folder"],
            pixels=words["pixels"],
            lost=_phrases(words["lost"]),
            notes=_phrases(words["notes"]),
            **dict(zip(_ARRAYS, arrays, strict=True)),
        )
    except (KeyError, TypeError, AttributeError):
        # Whole, but of another version.
        return None


def _phrases(given: Mapping[str, list[int]]) -> Phrases:
    return {phrase: tuple(rows) for phrase, rows in given.items()}


def _renumbered(phrases: Phrases, rows: npt.NDArray[np.int32]) -> Phrases:
    kept = {
        phrase: tuple(int(rows[row]) for row in old if rows[row] >= 0)
        for phrase, old in phrases.items()
    }
    return {phrase: left for phrase, left in kept.items() if left}
