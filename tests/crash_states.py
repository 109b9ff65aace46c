"""What a disk may hold after a crash: recorded file operations, replayed with some of them lost.

Nothing that wasn't flushed is sure to be on the disk, and nothing but a flush orders anything: any
subset of the writes, renames and deletions since the last flush may have reached it. Writes are
torn into pieces that are lost one by one.
"""

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate import _files

KINDS = ("open", "write", "fsync", "replace", "unlink")
PIECES = 3
MOST = 2**8  # subsets of one prefix


@dataclass(frozen=True)
class Write:
    """Bytes of a file: `file` is its number, for names change."""

    file: int
    start: int
    data: bytes


@dataclass(frozen=True)
class Entry:
    """A change of names: `file` is called `name` from now on, `gone` no longer."""

    file: int | None
    name: str | None
    gone: str | None


@dataclass(frozen=True)
class Sync:
    """A flush of a file; None: of the folder."""

    file: int | None


@dataclass(frozen=True)
class Done:
    """A save was back."""


Operation = Write | Entry | Sync | Done


class Recorder:
    """Stands in for `os` in striate._files: does everything, and keeps what was done."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._names: dict[str, int] = {}
        self._open: dict[int, tuple[int | None, int]] = {}
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        opened = os.open(path, flags, mode)
        number = None
        if flags & os.O_CREAT:
            self._count += 1
            number = self._names[Path(path).name] = self._count
            self.operations.append(Entry(number, Path(path).name, None))
        self._open[opened] = (number, 0)
        return opened

    def write(self, opened: int, data: memoryview) -> int:
        written = os.write(opened, data)
        number, start = self._open[opened]
        assert number is not None
        step = -(-written // PIECES)
        for at in range(0, written, step):
            piece = bytes(data[at : min(at + step, written)])
            self.operations.append(Write(number, start + at, piece))
        self._open[opened] = (number, start + written)
        return written

    def fsync(self, opened: int) -> None:
        os.fsync(opened)
        self.operations.append(Sync(self._open[opened][0]))

    def close(self, opened: int) -> None:
        os.close(opened)
        del self._open[opened]

    def replace(self, old: Path, new: Path) -> None:
        os.replace(old, new)  # noqa: PTH105
        number = self._names.pop(old.name)
        self._names[new.name] = number
        self.operations.append(Entry(number, new.name, old.name))

    def unlink(self, path: Path) -> None:
        os.unlink(path)  # noqa: PTH108
        del self._names[path.name]
        self.operations.append(Entry(None, None, path.name))


class Failing:
    """Stands in for `os` in striate._files: the operation number `at`, from 0, fails.

    A failing write has written half of its bytes, as on a full disk.
    """

    def __init__(self, at: int, number: int) -> None:
        self._left = at
        self._number = number
        self.happened = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in KINDS:
            return real

        def operation(*arguments: Any) -> Any:
            self._left -= 1
            if self._left == -1:
                self.happened = True
                if name == "write":
                    opened, data = arguments
                    os.write(opened, data[: len(data) // 2])
                raise OSError(self._number, os.strerror(self._number))
            return real(*arguments)

        return operation


@contextmanager
def standing_in(stand_in: Any) -> Iterator[None]:
    """Let `stand_in` be the `os` of striate._files."""
    real = _files.os
    _files.os = stand_in
    try:
        yield
    finally:
        _files.os = real


def crash_states(operations: Sequence[Operation]) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Yield (saves that were back, name → content) of every state a crash may leave.

    The folder was empty at the start. A state may come several times.
    """
    for stop in range(len(operations) + 1):
        before = operations[:stop]
        done = sum(isinstance(one, Done) for one in before)
        unsure = [at for at, one in enumerate(before) if not _is_sure(one, before[at + 1 :])]
        assert 2 ** len(unsure) <= MOST, unsure
        for kept in itertools.product((False, True), repeat=len(unsure)):
            lost = {at for at, keep in zip(unsure, kept, strict=True) if not keep}
            yield done, _replayed(one for at, one in enumerate(before) if at not in lost)


def _is_sure(one: Operation, later: Sequence[Operation]) -> bool:
    if isinstance(one, Write):
        return Sync(one.file) in later
    return not isinstance(one, Entry) or Sync(None) in later


def _replayed(operations: Iterator[Operation]) -> dict[str, bytes]:
    names: dict[str, int] = {}
    contents: dict[int, bytearray] = {}
    for one in operations:
        if isinstance(one, Entry):
            if one.gone is not None:
                names.pop(one.gone, None)
            if one.file is not None and one.name is not None:
                names[one.name] = one.file
        elif isinstance(one, Write):
            content = contents.setdefault(one.file, bytearray())
            content.extend(bytes(max(0, one.start + len(one.data) - len(content))))
            content[one.start : one.start + len(one.data)] = one.data
    return {name: bytes(contents.get(number, b"")) for name, number in names.items()}
