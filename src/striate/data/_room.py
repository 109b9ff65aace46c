"""Room for a store's pixels: in memory where they are few, else in a file."""

import errno
import os
import shutil
import tempfile
import weakref
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.errors import DiskError

IN_MEMORY = 1 << 30
"""Bytes of pixels that are kept in memory, at most."""


class Room:
    """An array of uint8 and, where it lies in a file, the temporary folder that goes with it."""

    def __init__(self, array: npt.NDArray[np.uint8], folder: Path | None = None) -> None:
        self.array = array
        self.folder = folder
        # Runs when the room is forgotten and when Python ends, whichever is first.
        self._remove = weakref.finalize(self, _remove, folder) if folder else None

    def close(self) -> None:
        """Let go of the array and remove its folder."""
        self.array = self.array[:0]
        if self._remove is not None:
            self._remove()


def make_room(shape: tuple[int, ...], cache: Path | None) -> Room:
    """Return room for uint8 of this shape, all zeros.

    `cache` is the folder for the file; None: `cache_folder()`. Raises DiskError where it doesn't
    fit, or the folder can't be written to.
    """
    size = prod(shape)
    if size <= IN_MEMORY:
        return Room(np.zeros(shape, np.uint8))
    below = cache or cache_folder()
    folder = None
    try:
        below.mkdir(parents=True, exist_ok=True)
        _check_free(below, size)
        folder = Path(tempfile.mkdtemp(prefix="store-", dir=below))
        return Room(_mapped(folder / "pixels", shape), folder)
    except OSError as error:
        if folder is not None:
            _remove(folder)
        if error.errno == errno.ENOSPC:
            raise DiskError(_full(below, size)) from error
        raise DiskError(
            f"The pictures need a file of {size:,} bytes, but {below} can't be written to "
            f"({error.strerror}). Set STRIATE_CACHE to a folder that can."
        ) from error


def cache_folder() -> Path:
    """Return the folder for what can be made again: STRIATE_CACHE, else the user's cache's."""
    if chosen := os.environ.get("STRIATE_CACHE"):
        return Path(chosen).expanduser()
    users = os.environ.get("XDG_CACHE_HOME")
    return (Path(users) if users else Path.home() / ".cache") / "striate"


def _mapped(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    # All blocks are claimed now: a full disk met while writing to a mapping kills the process.
    size = prod(shape)
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            _write_zeros(file.fileno(), size)
    return np.asarray(np.memmap(path, np.uint8, "r+", shape=shape))


def _write_zeros(file: int, size: int) -> None:
    zeros = bytes(1 << 20)
    while size > 0:
        size -= os.write(file, zeros[: min(size, len(zeros))])


def _check_free(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size:
        raise DiskError(_full(folder, size))


def _full(folder: Path, size: int) -> str:
    free = shutil.disk_usage(folder).free
    return (
        f"The pictures need a file of {size:,} bytes, but {folder} has {free:,} bytes free. "
        "Free some space, or set STRIATE_CACHE to a folder on another disk."
    )


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
