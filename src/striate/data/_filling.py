"""The threads that fill a store."""

from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from threading import Event
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from striate.data._blocks import block_length, fit_block, fits_whole
from striate.data._source import Pictures, Progress, Unreadable
from striate.errors import PictureError
from striate.image import Shape, fit_matrix


@runtime_checkable
class Block(Protocol):
    """Pictures that already lie in one array: uint8 (N, H, W, C), in the source's order."""

    @property
    def array(self) -> npt.NDArray[np.uint8]: ...


Positions = npt.NDArray[np.int64]

# Pictures that one thread takes at a time: large enough to cost nothing, small enough to stop.
_PIECE = 32


class Filling:
    """Threads that decode and fit pictures into the rows of one array."""

    def __init__(self, pictures: Pictures, shape: Shape, pixels: npt.NDArray[np.uint8]) -> None:
        self.pictures = pictures
        self.shape = shape
        self.pixels = pixels
        self.matrices = np.zeros((len(pixels), 2, 3), np.float32)
        self.unreadable: list[Unreadable] = []
        self._stop = Event()
        self._wide = shape.wide

    def run(self, positions: Positions, threads: int, progress: Progress | None) -> None:
        """Fill the rows at `positions`; the first error that isn't a PictureError comes out."""
        done = len(self.pixels) - len(positions)
        with ThreadPoolExecutor(max(1, threads), "striate-store") as pool:
            try:
                for piece in as_completed(self._submit(pool, positions)):
                    done += piece.result()
                    if progress is not None:
                        progress(done, len(self.pixels))
            except BaseException:
                # Ctrl-C too: each thread ends after the picture it is at.
                self._stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _submit(self, pool: ThreadPoolExecutor, positions: Positions) -> list[Future[int]]:
        fill, piece = self._fill, _PIECE
        if isinstance(self.pictures, Block) and len(positions):
            height, width = self.pictures.array.shape[1:3]
            if fits_whole(height, width, self._wide):
                fill, piece = self._fill_block, block_length(height, width, self._wide)
        starts = range(0, len(positions), piece)
        return [pool.submit(fill, positions[start : start + piece]) for start in starts]

    def _fill_block(self, positions: Positions) -> int:
        if isinstance(self.pictures, Block) and not self._stop.is_set():
            pictures = self.pictures.array[positions]
            self.pixels[positions] = fit_block(pictures, self._wide)
            height, width = pictures.shape[1:3]
            self.matrices[positions] = fit_matrix(height, width, self.shape)
        return len(positions)

    def _fill(self, positions: Positions) -> int:
        for position in positions.tolist():
            if self._stop.is_set():
                break
            self._fill_one(position)
        return len(positions)

    def _fill_one(self, position: int) -> None:
        try:
            fitted = self.pictures.load(position, self._wide)
        except PictureError as error:
            lost = Unreadable(position=position, name=error.name, reason=error.reason)
            self.unreadable.append(lost)
            return
        self.pixels[position] = fitted.picture_HWC
        self.matrices[position] = fitted.matrix
        self.matrices[position, :, 2] -= self.shape.margin
