"""Pictures that lie in files."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._texts import Texts
from striate.data._words import readable
from striate.image import MAX_PIXELS, Fitted, Shape, decode, header, load


class FilePictures:
    """Pictures in files, decoded when they are asked for; see `Pictures`."""

    def __init__(
        self, names: Sequence[str], files: Sequence[str] | None = None, *, folder: str | Path = ""
    ) -> None:
        """Take each picture's name, as the user knows it, and the path of its file.

        Without `files`, the names are the paths below the folder.
        """
        self._names = Texts(names)
        self._files = self._names if files is None else Texts(files)
        self._folder = os.path.join(folder, "") if folder else ""  # noqa: PTH118

    def __len__(self) -> int:
        return len(self._names)

    def name(self, position: int) -> str:
        """Return the picture's name: its path relative to the source, or the table's cell."""
        return readable(self._names[position])

    def path(self, position: int) -> str:
        """Return the path of the picture's file."""
        return self._folder + self._files[position]

    def file(self, position: int) -> Path:
        """Return the picture's file."""
        return Path(self.path(position))

    def size(self, position: int) -> tuple[int, int, int]:
        """Return (height, width, channels) from the header, upright; raise PictureError."""
        return header(self.file(position), name=self.name(position))

    def read(self, position: int, channels: int | None = None) -> npt.NDArray[np.uint8]:
        """Return the picture, uint8 (H, W, C), upright; raise PictureError."""
        return decode(self.file(position), name=self.name(position), channels=channels)

    def load(self, position: int, shape: Shape, max_pixels: int = MAX_PIXELS) -> Fitted:
        """Return the picture brought to a size; raise PictureError."""
        name = self.name(position)
        return load(self.file(position), shape, name=name, max_pixels=max_pixels)
