"""Every picture decoded once, brought to one size, and kept as uint8."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from striate.data._filling import Block, Filling, Positions
from striate.data._room import Room, make_room
from striate.data._source import Progress, Source, Unreadable
from striate.image import Shape


class Store:
    """The pictures of a source at one size; axis names in striate.answer._base.

    Attributes:
        shape: the size, and how the pictures were brought to it.
        unreadable: pictures that couldn't be decoded; they can't be taken.
        matrices: (N, 2, 3) float32, from pixel coordinates in the upright file to those in what
            `take` returns (`striate.image.fit_matrix`); zeros where there is no picture.
    """

    def __init__(
        self,
        room: Room,
        *,
        shape: Shape,
        matrices: npt.NDArray[np.float32],
        unreadable: Sequence[Unreadable] = (),
        missing: Positions | None = None,
    ) -> None:
        """Keep what `store` has made; `missing` are all positions that hold no picture."""
        self.shape = shape
        self.matrices = matrices
        self.unreadable = tuple(unreadable)
        self._room = room
        self._pixels = room.array
        side = shape.margin
        self._centre = slice(side, -side) if side else slice(None)
        self._missing = np.zeros(len(room.array), bool)
        if missing is not None:
            self._missing[missing] = True
        self._complete = not self._missing.any()

    @property
    def in_memory(self) -> bool:
        """Whether the pictures lie in memory, not in a file."""
        return self._room.folder is None

    def __len__(self) -> int:
        return len(self._pixels)

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
        if not self._complete and self._missing[positions].any():
            lost = positions[self._missing[positions]][0]
            raise ValueError(f"The picture at position {lost} could not be read; leave it out.")
        return np.take(self._pixels, positions, axis=0)

    def close(self) -> None:
        """Remove the store's file, if it has one; pictures can't be taken any more."""
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
    cache: Path | None = None,
) -> Store:
    """Decode every picture of a source and bring it to one size.

    Up to 1 GiB of pixels stay in memory; more go to a file that is removed when the store is
    closed, or when Python ends.

    Args:
        source: N pictures. Where they lie in one array of the right shape (`Block`), that array
            is used as it is.
        shape: the size to bring them to.
        threads: that decode at once.
        progress: called now and then with (pictures done, N).
        skip: positions that are not to be read at all; like unreadable ones they can't be taken,
            but they are not counted in `Store.unreadable`.
        cache: folder for the file; None: STRIATE_CACHE, else the user's cache folder.

    Raises:
        DiskError: the file doesn't fit on the disk.
    """
    skipped = np.zeros(0, np.int64) if skip is None else np.asarray(skip, np.int64)
    if isinstance(source.pictures, Block) and _has_shape(source.pictures.array, shape):
        pixels = source.pictures.array
        matrices = np.broadcast_to(np.eye(2, 3, dtype=np.float32), (len(pixels), 2, 3))
        return Store(Room(pixels), shape=shape, matrices=matrices, missing=skipped)
    wide = shape.wide
    room = make_room((len(source), wide.height, wide.width, wide.channels), cache)
    try:
        filling = Filling(source.pictures, shape, room.array)
        filling.run(np.setdiff1d(np.arange(len(source)), skipped), threads, progress)
    except BaseException:
        room.close()
        raise
    lost = sorted(filling.unreadable, key=lambda one: one.position)
    missing = np.concatenate([skipped, np.array([one.position for one in lost], np.int64)])
    return Store(room, shape=shape, matrices=filling.matrices, unreadable=lost, missing=missing)


def _has_shape(pixels: npt.NDArray[np.uint8], shape: Shape) -> bool:
    same = pixels.shape[1:] == (shape.height, shape.width, shape.channels)
    return same and not shape.margin
