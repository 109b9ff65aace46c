"""Pictures that lie in files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._words import readable
from striate.image import MAX_PIXELS, Fitted, Shape, decode, header, load


class FilePictures:
    """Pictures in files, decoded when they are asked for; see `Pictures`."""

    def __init__(self, names: Sequence[str], files: Sequence[str]) -> None:
        """Take each picture's name, as the user knows it, and the path of its file."""
        self._names = tuple(map(readable, names))
        self._files = tuple(files)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of all files, in the source's order."""
        return self._files

    def name(self, position: int) -> str:
        """Return the picture's name: its path relative to the source, or the table's cell."""
        return self._names[position]

    def file(self, position: int) -> Path:
        """Return the picture's file."""
        return Path(self._files[position])

    def size(self, position: int) -> tuple[int, int, int]:
        """Return (height, width, channels) from the header, upright; raise PictureError."""
        return header(self.file(position), name=self._names[position])

    def read(self, position: int, channels: int | None = None) -> npt.NDArray[np.uint8]:
        """Return the picture, uint8 (H, W, C), upright; raise PictureError."""
        return decode(self.file(position), name=self._names[position], channels=channels)

    def load(self, position: int, shape: Shape, max_pixels: int = MAX_PIXELS) -> Fitted:
        """Return the picture brought to a size; raise PictureError."""
        name = self._names[position]
        return load(self.file(position), shape, name=name, max_pixels=max_pixels)
