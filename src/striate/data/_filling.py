"""The threads that fill a store."""

import math
from collections.abc import Callable, Iterator
from threading import Lock
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from striate.data._blocks import block_length, fit_block, fits_whole
from striate.data._cache_key import DIGEST, digest
from striate.data._crew import Crew
from striate.data._source import Pictures, Progress, Unreadable
from striate.errors import PictureError
from striate.image import MAX_PIXELS, Fitted, Shape, fit_matrix, load
from striate.image._file import content


@runtime_checkable
class Block(Protocol):
    """Pictures that already lie in one array: uint8 (N, H, W, C), in the source's order."""

    @property
    def array(self) -> npt.NDArray[np.uint8]: ...


Positions = npt.NDArray[np.int64]

# Pictures that one thread takes at a time: large enough to cost nothing, small enough to stop.
_PIECE = 32

# Seconds after which a picture is given up: what takes so long would never end, as a rule.
_LONGEST = 60.0


class Place(NamedTuple):
    """The row that a picture belongs in, and whether its pixels are there already."""

    row: int
    filled: bool


Places = Callable[[int, bytes], Place]
"""From a position and the digest of its file to its place; called by several threads."""


class Filling:
    """Threads that decode and fit pictures into the rows of one array.

    Attributes:
        rows: (N,) int32, the row of each position's picture; -1 where no bytes could be read.
        digests: (N, 16) uint8 of the bytes of the pictures' files; zeros where there are none.
        matrices: (N, 2, 3) float32, as in `Store`.
        unreadable: positions whose pictures can't be decoded.
        notes: positions by what is odd about them.
    """

    def __init__(
        self,
        pictures: Pictures,
        shape: Shape,
        pixels: npt.NDArray[np.uint8],
        *,
        max_pixels: int = MAX_PIXELS,
        places: Places = lambda position, _: Place(position, False),
    ) -> None:
        count = len(pictures)
        self.pictures = pictures
        self.shape = shape
        self.pixels = pixels
        self.max_pixels = max_pixels
        self.places = places
        self.rows = np.full(count, -1, np.int32)
        self.digests = np.zeros((count, DIGEST), np.uint8)
        self.matrices = np.zeros((count, 2, 3), np.float32)
        self.unreadable: list[Unreadable] = []
        self.notes: dict[str, list[int]] = {}
        self._given_up: set[int] = set()
        self._lock = Lock()
        self._wide = shape.wide

    def run(self, positions: Positions, threads: int, progress: Progress | None) -> None:
        """Fill the rows at `positions`; the first error that isn't a PictureError comes out.

        A picture that takes more than a minute is unreadable.
        """
        done = len(self.pictures) - len(positions)
        whole = self._takes_whole(positions)
        # A piece of a block is one item of work, and no picture of it can be stuck.
        lengths: Iterator[int]
        if whole:
            blocks = ([positions[at : at + whole]] for at in range(0, len(positions), whole))
            crew = Crew(self._fill_block, lambda _: None, threads=threads, longest=math.inf)
            lengths = crew.run(blocks)
        else:
            pieces = (
                positions[at : at + _PIECE].tolist() for at in range(0, len(positions), _PIECE)
            )
            lengths = Crew(self._fill, self._give_up, threads=threads, longest=_LONGEST).run(pieces)
        for filled in lengths:
            done += filled
            if progress is not None:
                progress(done, len(self.pictures))

    def _takes_whole(self, positions: Positions) -> int:
        """Return how many pictures of a block are fitted at once; 0: they come one by one."""
        if not isinstance(self.pictures, Block) or not len(positions):
            return 0
        height, width = self.pictures.array.shape[1:3]
        if not fits_whole(height, width, self._wide):
            return 0
        return block_length(height, width, self._wide)

    def _fill_block(self, positions: Positions) -> int:
        if isinstance(self.pictures, Block):
            pictures = self.pictures.array[positions]
            self.pixels[positions] = fit_block(pictures, self._wide)
            height, width = pictures.shape[1:3]
            self.matrices[positions] = fit_matrix(height, width, self.shape)
            self.rows[positions] = positions
        return len(positions)

    def _fill(self, position: int) -> int:
        try:
            self._fill_one(position)
        except PictureError as error:
            self._lose(position, error.name, error.reason)
        return 1

    def _lose(self, position: int, name: str, reason: str) -> None:
        with self._lock:
            if position not in self._given_up:
                self.unreadable.append(Unreadable(position=position, name=name, reason=reason))

    def _give_up(self, position: int) -> None:
        """Take a picture as unreadable, for this run: another time the disk may answer."""
        reason = f"reading it took more than {_LONGEST:g} seconds"
        self._lose(position, self.pictures.name(position), reason)
        with self._lock:
            self._given_up.add(position)
            self.rows[position] = -1

    def _fill_one(self, position: int) -> None:
        file = self.pictures.file(position)
        if file is None:
            fitted = self.pictures.load(position, self._wide, self.max_pixels)
            self._put(position, position, fitted)
            return
        name = self.pictures.name(position)
        data = content(file, name=name)
        found = digest(data)
        self.digests[position] = np.frombuffer(found, np.uint8)
        place = self.places(position, found)
        with self._lock:
            if position not in self._given_up:
                self.rows[position] = place.row
        if not place.filled:
            self._put(
                position, place.row, load(data, self._wide, name=name, max_pixels=self.max_pixels)
            )

    def _put(self, position: int, row: int, fitted: Fitted) -> None:
        with self._lock:
            if position in self._given_up:
                return
            self.rows[position] = row
            self.pixels[row] = fitted.picture_HWC
            self.matrices[position] = fitted.matrix
            self.matrices[position, :, 2] -= self.shape.margin
            for phrase in fitted.notes:
                self.notes.setdefault(phrase, []).append(position)
