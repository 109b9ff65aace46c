"""One run folder, one writing process: the operating system's lock, which dies with its holder."""

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self, final

from striate.errors import DiskError, RunFolderError

FILE = ".lock"
PATIENCE = 1.0
"""Seconds to wait for the holder's number: it writes it right after taking the lock."""

if sys.platform == "win32":
    import msvcrt

    # Windows keeps others from reading what is locked: lock a byte far behind the number.
    _LOCKED_BYTE = 2**20

    def _take(file: int) -> bool:
        """Lock an open file for this process; return False where another has it."""
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _release(file: int) -> None:
        """Unlock an open file."""
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

    def _is_alive(process: int) -> bool:  # noqa: ARG001
        """Return True: what asks elsewhere, a signal, would end the process here."""
        return True

else:
    import fcntl

    def _take(file: int) -> bool:
        """Lock an open file for this process; return False where another has it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release(file: int) -> None:
        """Unlock an open file, also where a program being started has it open for a moment yet."""
        fcntl.flock(file, fcntl.LOCK_UN)

    def _is_alive(process: int) -> bool:
        """Return whether there is such a process."""
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


@final
class RunLock:
    """Holds a run folder for this process, as a context.

    The lock belongs to an open file: it goes when the process ends, by whatever end, so nothing
    ever needs cleaning up. The file `.lock` stays, with the number of the last process that held it.
    Whoever enters second is refused at once.

    Raises:
        RunFolderError: another process, or another `RunLock` of this one, holds the folder.
        DiskError: the file can't be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None

    def __enter__(self) -> Self:
        try:
            file = os.open(self._folder / FILE, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise DiskError(_letter(self._folder, error)) from error
        try:
            if not _take(file):
                raise RunFolderError(_busy(self._folder, file))
            os.ftruncate(file, 0)
            os.lseek(file, 0, os.SEEK_SET)
            os.write(file, f"{os.getpid()}\n".encode())
        except OSError as error:
            os.close(file)
            raise DiskError(_letter(self._folder, error)) from error
        except RunFolderError:
            os.close(file)
            raise
        self._file = file
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            _release(self._file)
            os.close(self._file)
            self._file = None


def _busy(folder: Path, file: int) -> str:
    holder = _holder(file)
    who = f"process {holder}" if holder else "another process"
    return (
        f"{folder}: {who} is writing to this run folder. Wait until it has ended, "
        "or choose another --name."
    )


def _holder(file: int) -> int | None:
    """Return the process that holds the lock; None where it hasn't said so in time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        os.lseek(file, 0, os.SEEK_SET)
        text = os.read(file, 32).strip()
        # The number of a killed holder stands there until the next has written its own.
        if text.isdigit() and _is_alive(int(text)):
            return int(text)
        time.sleep(0.005)
    return None


def _letter(folder: Path, error: OSError) -> str:
    return (
        f"{folder / FILE}: the run folder can't be locked ({error.strerror}). "
        "Make room or permit writing there."
    )
