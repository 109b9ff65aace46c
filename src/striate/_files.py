"""Writing one file: whole and on the disk, or not at all."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from striate.errors import DiskError, UsageError

# Flushing a folder isn't there on every file system; the rename itself has been done by then.
_HEAD = 2_000  # bytes at the start of a file within which a mark must stand

_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP)


def write_file(path: Path, data: str | bytes) -> None:
    """Write `path` anew: beside it, flushed to the disk, then renamed over it.

    Text becomes UTF-8; bytes of a file's name that are no text are written as escapes, as in \\udcff.

    Raises:
        DiskError: no space, or no permission; a whole file is there, in all likelihood the old one.
    """
    content = data if isinstance(data, bytes) else data.encode("utf-8", "backslashreplace")
    write_pieces(path, [content], len(content))


def write_pieces(path: Path, pieces: Iterable[bytes | memoryview], size: int) -> None:
    """Write `path` as `write_file` does, piece after piece; `size` in bytes is said in a letter.

    The order is: write a hidden file in the same folder, flush it, rename it, flush the folder.
    Whatever stops it on the way, a killed process or a power cut, leaves the old file or the new
    one, and at most one hidden file named by `is_leftover`.

    Raises:
        DiskError: as `write_file`.
    """
    written = path.with_name(f".{path.name}.{os.getpid()}")
    with _letter(path, size):
        try:
            _write(written, pieces)
            os.replace(written, path)  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                os.unlink(written)  # noqa: PTH108
            raise
        sync_folder(path.parent)


def refuse_foreign(path: Path, *, mark: str, option: str, what: str) -> None:
    """Raise UsageError where a file that a user named holds anything but an older one of ours.

    Args:
        path: the file to be written; where there is none, nothing is wrong.
        mark: what stands in the first bytes of every file of this kind.
        option: that the file was named by.
        what: what may be replaced, as in "page of striate check".
    """
    try:
        with path.open("rb") as file:
            ours = mark.encode() in file.read(_HEAD)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"{option}: expected a file for the {what.partition(' ')[0]}, but {path} can't be "
            f"replaced ({error.strerror}). Choose another {option}."
        ) from error
    if not ours:
        raise UsageError(
            f"{option}: {path} exists and is no {what}, so it was left as it is. "
            f"Choose another {option}."
        )


def is_leftover(name: str) -> bool:
    """Return whether a killed `write_file` has left a file of that name: a dot, a name, a process."""
    return name.startswith(".") and name.rpartition(".")[2].isdigit()


def make_folder(path: Path) -> None:
    """Make `path` where it isn't there, and flush its entry in the folder above.

    Raises:
        DiskError: no space, or no permission.
    """
    try:
        if not path.is_dir():
            os.mkdir(path)  # noqa: PTH102
            sync_folder(path.parent)
    except OSError as error:
        raise DiskError(
            f"{path}: the folder can't be made ({error.strerror}). "
            "Make room or permit writing there."
        ) from error


def remove_file(path: Path) -> None:
    """Remove `path`; one that isn't there is no mistake.

    Raises:
        DiskError: no permission, or the disk fails.
    """
    try:
        os.unlink(path)  # noqa: PTH108
    except FileNotFoundError:
        return
    except OSError as error:
        raise DiskError(
            f"{path}: can't be removed ({error.strerror}). Permit writing there."
        ) from error


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk: until then a power cut may undo renames in it."""
    if os.name == "nt":  # Windows opens no folders, and writes renames through.
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(opened)


def _write(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write and flush a new file."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    opened = os.open(path, flags, 0o666)
    try:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(opened, rest) :]
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _letter(path: Path, size: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskError(
            f"{path}: {size:,} bytes can't be written ({error.strerror}). "
            "Make room or permit writing there."
        ) from error
