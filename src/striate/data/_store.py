"""Every picture decoded once, brought to one size, and kept as uint8."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from striate.data._cache_key import DIGEST, Digests, array_digests
from striate.data._cache_none import store_unkept
from striate.data._cache_store import NotKeptError, open_kept
from striate.data._cache_wanted import Stored, Wanted
from striate.data._cache_words import notes_in_words, size_in_words
from striate.data._filling import Block, Positions
from striate.data._room import Room, cache_folder
from striate.data._source import Progress, Source, Unreadable
from striate.image import MAX_PIXELS, Shape

Say = Callable[[str], None]

_TOLD = 1 << 30  # bytes on the disk from which on they are told beforehand


class Store:
    """The pictures of a source at one size; axis names in striate.answer._base.

    Attributes:
        shape: the size, and how the pictures were brought to it.
        unreadable: pictures that couldn't be decoded; they can't be taken.
        notes: what is odd about pictures that could be decoded, or about the cache, a sentence each.
        matrices: (N, 2, 3) float32, from pixel coordinates in the upright file to those in what
            `take` returns (`striate.image.fit_matrix`); zeros where there is no picture.
        folder: where the pictures are kept for the next time; None where they aren't.
    """

    def __init__(
        self,
        room: Room,
        *,
        shape: Shape,
        matrices: npt.NDArray[np.float32],
        unreadable: Sequence[Unreadable] = (),
        missing: Positions | None = None,
        rows: npt.NDArray[np.int32] | None = None,
        digests: Digests | Callable[[], Digests] | None = None,
        notes: Sequence[str] = (),
        folder: Path | None = None,
    ) -> None:
        """Keep what `store` has made.

        `missing` are all positions that hold no picture, `rows` the row of each position in the
        room (None: the same number), `digests` those of the attribute, or what makes them.
        """
        self.shape = shape
        self.folder = folder
        self.matrices = matrices
        self.unreadable = tuple(unreadable)
        self._room = room
        self._pixels = room.array
        side = shape.margin
        self._centre = slice(side, -side) if side else slice(None)
        self.notes = tuple(notes)
        self._rows = rows
        self._digests = digests
        self._missing = np.zeros(len(matrices), bool)
        if missing is not None:
            self._missing[missing] = True
        self._complete = not self._missing.any()

    @property
    def in_memory(self) -> bool:
        """Whether the pictures lie in memory, not in a file."""
        return self._room.in_memory

    @cached_property
    def digests(self) -> Digests:
        """What tells equal pictures, uint8 (N, 16): SHA-256, cut short, of each file's bytes.

        Of pictures in an array it is that of the pixels before they were brought to one size.
        Zeros where nothing could be read.
        """
        if self._digests is None:
            return np.zeros((len(self), DIGEST), np.uint8)
        return self._digests() if callable(self._digests) else self._digests

    def __len__(self) -> int:
        return len(self._missing)

    def __getitem__(self, position: int) -> npt.NDArray[np.uint8]:
        """Return one picture, uint8 (H, W, C); ValueError where it couldn't be read."""
        pictures: npt.NDArray[np.uint8] = self.take(np.array([position]))[0]
        return pictures

    def take(self, positions: Positions) -> npt.NDArray[np.uint8]:
        """Return pictures by position as the network sees them, a copy: uint8 (B, H, W, C).

        Raises ValueError for a picture that couldn't be read, IndexError outside the source.
        """
        return self.take_wide(positions)[:, self._centre, self._centre]

    def take_wide(self, positions: Positions) -> npt.NDArray[np.uint8]:
        """Return pictures with the margin at every side, a copy: uint8 (B, H + 2m, W + 2m, C).

        Raises ValueError for a picture that couldn't be read, IndexError outside the source.
        """
        return np.take(self._pixels, self._rows_of(positions), axis=0)

    def views(self, positions: Positions) -> list[npt.NDArray[np.uint8]]:
        """Return what `take_wide` does without copying: views, which must not be written to.

        Raises ValueError for a picture that couldn't be read, IndexError outside the source.
        """
        return [self._pixels[row] for row in self._rows_of(positions).tolist()]

    def _rows_of(self, positions: Positions) -> npt.NDArray[np.signedinteger[Any]]:
        if not self._complete and self._missing[positions].any():
            lost = positions[self._missing[positions]][0]
            raise ValueError(f"The picture at position {lost} could not be read; leave it out.")
        return positions if self._rows is None else self._rows[positions]

    def close(self) -> None:
        """Let go of the pictures, which can't be taken any more; a file that isn't kept goes."""
        self._pixels = self._pixels[:0]
        self._room.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def store(
    source: Source,
    shape: Shape,
    *,
    threads: int = 2,
    progress: Progress | None = None,
    skip: Positions | None = None,
    max_pixels: int = MAX_PIXELS,
    keep: bool = False,
    cache: Path | None = None,
    say: Say | None = None,
) -> Store:
    """Decode every picture of a source and bring it to one size.

    What is kept for the next time lies in a file (docs/cache.md). Of the rest, up to 1 GiB of
    pixels stay in memory; more go to a file that is removed when the store is closed, or when
    Python ends.

    Args:
        source: N pictures. Where they lie in one array of the right shape (`Block`), that array
            is used as it is.
        shape: the size to bring them to.
        threads: that decode at once.
        progress: called now and then with (pictures done, N).
        skip: positions that are not to be read at all; like unreadable ones they can't be taken,
            but they are not counted in `Store.unreadable`.
        max_pixels: a file that declares more is refused before anything is decoded.
        keep: whether to take pictures from the cache and to put them there, where they lie in
            files. If the cache can't be used, `Store.notes` says why.
        cache: folder for files; None: STRIATE_CACHE, else the user's cache folder.
        say: told beforehand, in a sentence, of a file of 1 GiB or more.

    Raises:
        DiskError: the pictures neither fit in memory nor on the disk.
    """
    skipped = np.zeros(0, np.int64) if skip is None else np.asarray(skip, np.int64)
    pictures = source.pictures
    if isinstance(pictures, Block) and _has_shape(pictures.array, shape):
        pixels = pictures.array
        matrices = np.broadcast_to(np.eye(2, 3, dtype=np.float32), (len(pixels), 2, 3))
        return Store(
            Room(pixels),
            shape=shape,
            matrices=matrices,
            missing=skipped,
            digests=lambda: array_digests(pixels),
        )
    below = cache or cache_folder()
    wanted = Wanted(
        pictures=pictures,
        positions=np.setdiff1d(np.arange(len(pictures)), skipped),
        shape=shape,
        max_pixels=max_pixels,
        threads=threads,
        progress=progress,
        announce=lambda size, after: _announce(say, below, size, after),
    )
    stored, refusal = _stored(wanted, below, keep=keep)
    lost = [one.position for one in stored.unreadable]
    return Store(
        stored.room,
        shape=shape,
        matrices=stored.matrices,
        unreadable=stored.unreadable,
        missing=np.concatenate([skipped, np.array(lost, np.int64)]),
        rows=stored.rows,
        digests=stored.digests,
        notes=(*notes_in_words(stored.notes), *refusal),
        folder=stored.folder,
    )


def _stored(wanted: Wanted, below: Path, *, keep: bool) -> tuple[Stored, tuple[str, ...]]:
    """Return the pictures, and in a sentence why they aren't kept though they should be."""
    if not keep:
        return store_unkept(wanted, below), ()
    try:
        return open_kept(wanted, below), ()
    except NotKeptError as error:
        return store_unkept(wanted, below), error.sentences


def _announce(say: Say | None, below: Path, size: int, after: str) -> None:
    if say is not None and size >= _TOLD:
        say(f"Decoded pictures will take {size_in_words(size)} in {below}; {after}.")


def _has_shape(pixels: npt.NDArray[np.uint8], shape: Shape) -> bool:
    same = pixels.shape[1:] == (shape.height, shape.width, shape.channels)
    return same and not shape.margin
