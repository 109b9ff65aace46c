"""A source's pictures, decoded as they are needed."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from striate.data import Pictures, Unreadable, unreadable_limit
from striate.errors import PictureError
from striate.image import Shape

Positions = npt.NDArray[np.int64]


class Decoded:
    """Pictures at the network's size, read from the source each time they are taken.

    Measuring reads every picture once, so nothing is stored. A picture that can't be read is
    black, and kept in `unreadable`; with `strict` it raises CheckError.
    """

    def __init__(
        self,
        pictures: Pictures,
        shape: Shape,
        *,
        max_pixels: int,
        threads: int,
        strict: bool,
    ) -> None:
        self.unreadable: list[Unreadable] = []
        self._pictures = pictures
        self._shape = shape
        self._max_pixels = max_pixels
        self._threads = threads
        self._strict = strict

    def take(self, positions: Positions) -> npt.NDArray[np.uint8]:
        """Return the pictures at `positions`, uint8 (N, H, W, C), decoded by several threads."""
        shape = self._shape
        taken = np.zeros((len(positions), shape.height, shape.width, shape.channels), np.uint8)
        # One piece a thread: handing over single pictures costs more than reading small ones.
        rows = np.array_split(np.arange(len(positions)), self._threads)
        with ThreadPoolExecutor(self._threads) as pool:
            lost = pool.map(lambda piece: self._fill(taken, positions, piece), rows)
            self.unreadable += [picture for piece in lost for picture in piece]
        if self._strict:
            unreadable_limit(self.unreadable, len(self._pictures), strict=True, allow=False)
        return taken

    def _fill(
        self, taken: npt.NDArray[np.uint8], positions: Positions, rows: Positions
    ) -> list[Unreadable]:
        """Read the pictures of some rows, and return those that can't be read."""
        lost = []
        for row, position in zip(rows.tolist(), positions[rows].tolist()):
            try:
                fitted = self._pictures.load(position, self._shape, self._max_pixels)
            except PictureError as error:
                lost.append(Unreadable(position=position, name=error.name, reason=error.reason))
            else:
                taken[row] = fitted.picture_HWC
        return lost
