"""Room for a store's pixels: in memory where they are few, else in a file."""

import errno
import os
import secrets
import shutil
import weakref
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._cache_lock import Lock, hold
from striate.errors import DiskError

IN_MEMORY = 1 << 30
"""Bytes of pixels that are kept in memory, at most."""

LOCK = ".lock"
"""Suffix of the file beside a folder whose lock says that the folder is in use."""

_TEMPORARY = "store-"


class Room:
    """An array of uint8 and, where it lies in a file, what is to be done when it is let go."""

    def __init__(
        self, array: npt.NDArray[np.uint8], let_go: Callable[[], None] | None = None
    ) -> None:
        self.array = array
        self.in_memory = let_go is None
        # Runs when the room is forgotten and when Python ends, whichever is first.
        self._let_go = weakref.finalize(self, let_go) if let_go else None

    def close(self) -> None:
        """Let go of the array, and of the file it lies in."""
        self.array = self.array[:0]
        if self._let_go is not None:
            self._let_go()


def make_room(shape: tuple[int, ...], cache: Path | None) -> Room:
    """Return room for uint8 of this shape, all zeros; a file is removed when it is let go.

    `cache` is the folder for the file; None: `cache_folder()`. Raises DiskError where it doesn't
    fit, or the folder can't be written to.
    """
    size = prod(shape)
    if size <= IN_MEMORY:
        return Room(np.zeros(shape, np.uint8))
    below = cache or cache_folder()
    try:
        below.mkdir(parents=True, exist_ok=True)
        sweep(below)
        _check_free(below, size)
        return _temporary(below, shape)
    except OSError as error:
        raise refusal(error, below, size) from error


def _temporary(below: Path, shape: tuple[int, ...]) -> Room:
    """Return room in a folder whose lock tells that it is in use."""
    folder, lock = _new_folder(below)
    try:
        folder.mkdir(mode=0o700)
        path = folder / "pixels"
        claim(path, prod(shape))
        return Room(mapped(path, shape), lambda: _remove(folder, lock))
    except BaseException:
        _remove(folder, lock)
        raise


def _new_folder(below: Path) -> tuple[Path, Lock]:
    """Return the path of a folder to be made, and its lock: held first, so that no one sweeps it."""
    while True:
        folder = below / f"{_TEMPORARY}{secrets.token_hex(8)}"
        lock = hold(folder.with_name(folder.name + LOCK))
        if lock is not None:
            return folder, lock


def sweep(below: Path) -> None:
    """Remove the temporary folders of processes that were killed."""
    for path in below.glob(f"{_TEMPORARY}*{LOCK}"):
        lock = hold(path)
        if lock is not None:
            _remove(path.with_suffix(""), lock)


def cache_folder() -> Path:
    """Return the folder for what can be made again: STRIATE_CACHE, else the user's cache's."""
    if chosen := os.environ.get("STRIATE_CACHE"):
        return Path(chosen).expanduser()
    users = os.environ.get("XDG_CACHE_HOME")
    return (Path(users) if users else Path.home() / ".cache") / "striate"


def claim(path: Path, size: int) -> None:
    """Make a file at least this large, its new part zeros; OSError where the disk is too small.

    All blocks are claimed now: a full disk met while writing to a mapping kills the process.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        there = os.fstat(file).st_size
        if size > there:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file, there, size - there)
            else:
                os.lseek(file, 0, os.SEEK_END)
                _write_zeros(file, size - there)
    finally:
        os.close(file)


def mapped(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return the beginning of a file as an array that writes go through."""
    return np.asarray(np.memmap(path, np.uint8, "r+", shape=shape))


def refusal(error: OSError, folder: Path, size: int) -> DiskError:
    """Return the letter for a file of `size` bytes that can't be made in the cache folder."""
    if error.errno == errno.ENOSPC:
        return DiskError(_full(folder, size))
    return DiskError(
        f"The pictures need a file of {size:,} bytes, but {folder} can't be "
        f"written to ({error.strerror}). Set STRIATE_CACHE to a folder that can."
    )


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


def _remove(folder: Path, lock: Lock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.remove()
