"""Locks between processes: shared by those who use a thing, exclusive for who changes or removes it."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

if sys.platform == "win32":
    import msvcrt
    import secrets

    # Regions of Windows' locks exclude each other: everyone who shares takes a byte of their own,
    # who wants the file alone takes all bytes.
    _ALL = (1 << 31) - 1

    def _take(file: int, shared: bool) -> None:
        os.lseek(file, secrets.randbelow(_ALL - 1) if shared else 0, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1 if shared else _ALL)

else:
    import fcntl

    def _take(file: int, shared: bool) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


class Lock:
    """A lock that is held until it is released; the system releases it when the process ends."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self._file: int | None = file

    def release(self) -> None:
        """Let go; a second time does nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Remove the lock's file, then let go; only who holds it exclusively may."""
        with suppress(OSError):
            self.path.unlink()
        self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def hold(path: Path, *, shared: bool = False) -> Lock | None:
    """Take the lock of a file, made where it is missing; None where another holds it.

    Never waits. Raises OSError where the file can't be made or locked at all.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _take(file, shared)
        except (BlockingIOError, PermissionError):
            os.close(file)
            return None
        except BaseException:
            os.close(file)
            raise
        if _is_at(file, path):
            return Lock(path, file)
        # Its last holder removed it in between: what we hold is nobody's file any more.
        os.close(file)


def _is_at(file: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file), there)
