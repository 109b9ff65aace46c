"""A source's pictures, decoded as they are needed."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from striate.data import Pictures, Unreadable
from striate.errors import PictureError
from striate.image import Shape, fit


class Decoded:
    """Pictures at the network's size, read from the source each time they are taken.

    Measuring reads every picture once, so nothing is stored. A picture that can't be read is
    black, and kept in `unreadable`; with `strict` it raises PictureError.
    """

    def __init__(self, pictures: Pictures, shape: Shape, *, threads: int, strict: bool) -> None:
        self.unreadable: list[Unreadable] = []
        self._pictures = pictures
        self._shape = shape
        self._threads = threads
        self._strict = strict

    def take(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return the pictures at `positions`, uint8 (N, H, W, C), decoded by several threads."""
        with ThreadPoolExecutor(self._threads) as pool:
            found = list(pool.map(self._read, positions.tolist()))
        shape = self._shape
        taken = np.zeros((len(found), shape.height, shape.width, shape.channels), np.uint8)
        for row, picture in enumerate(found):
            if isinstance(picture, Unreadable):
                self.unreadable.append(picture)
            else:
                taken[row] = picture
        return taken

    def _read(self, position: int) -> npt.NDArray[np.uint8] | Unreadable:
        try:
            return fit(self._pictures.read(position, self._shape.channels), self._shape)
        except PictureError as error:
            if self._strict:
                raise
            return Unreadable(position=position, name=error.name, reason=error.reason)
