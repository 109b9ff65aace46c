"""The threads that fill a store."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from striate.data._blocks import block_length, fit_block, fits_whole
from striate.data._cache_key import DIGEST, digest
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

# Pieces handed out but not done, for each thread.
_AHEAD = 2


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
        self._stop = Event()
        self._wide = shape.wide

    def run(self, positions: Positions, threads: int, progress: Progress | None) -> None:
        """Fill the rows at `positions`; the first error that isn't a PictureError comes out."""
        done = len(self.pictures) - len(positions)
        with ThreadPoolExecutor(max(1, threads), "striate-store") as pool:
            try:
                for filled in self._pieces(pool, positions, _AHEAD * max(1, threads)):
                    done += filled
                    if progress is not None:
                        progress(done, len(self.pictures))
            except BaseException:
                # Ctrl-C too: each thread ends after the picture it is at.
                self._stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _pieces(self, pool: ThreadPoolExecutor, positions: Positions, ahead: int) -> Iterator[int]:
        """Yield the length of each piece when it is done; never are many waiting in memory."""
        fill, piece = self._fill, _PIECE
        if isinstance(self.pictures, Block) and len(positions):
            height, width = self.pictures.array.shape[1:3]
            if fits_whole(height, width, self._wide):
                fill, piece = self._fill_block, block_length(height, width, self._wide)
        waiting: set[Future[int]] = set()
        for start in range(0, len(positions), piece):
            waiting.add(pool.submit(fill, positions[start : start + piece]))
            if len(waiting) == ahead:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        yield from (one.result() for one in waiting)

    def _fill_block(self, positions: Positions) -> int:
        if isinstance(self.pictures, Block) and not self._stop.is_set():
            pictures = self.pictures.array[positions]
            self.pixels[positions] = fit_block(pictures, self._wide)
            height, width = pictures.shape[1:3]
            self.matrices[positions] = fit_matrix(height, width, self.shape)
            self.rows[positions] = positions
        return len(positions)

    def _fill(self, positions: Positions) -> int:
        for position in positions.tolist():
            if self._stop.is_set():
                break
            try:
                self._fill_one(position)
            except PictureError as error:
                lost = Unreadable(position=position, name=error.name, reason=error.reason)
                self.unreadable.append(lost)
        return len(positions)

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
        self.rows[position] = place.row
        if not place.filled:
            self._put(
                position, place.row, load(data, self._wide, name=name, max_pixels=self.max_pixels)
            )

    def _put(self, position: int, row: int, fitted: Fitted) -> None:
        self.rows[position] = row
        self.pixels[row] = fitted.picture_HWC
        self.matrices[position] = fitted.matrix
        self.matrices[position, :, 2] -= self.shape.margin
        for phrase in fitted.notes:
            self.notes.setdefault(phrase, []).append(position)
