"""Bytes of a picture file; whatever stands in the way becomes a PictureError."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from striate.errors import PictureError

HEAD = 64


@contextmanager
def opened(data: bytes | Path, *, name: str) -> Iterator[BinaryIO]:
    """Open a picture's bytes for reading; `name` is what the user calls it.

    Raises PictureError where there is no such file, it is no regular file, it is empty, or the
    system refuses to read it.
    """
    if isinstance(data, bytes):
        if not data:
            raise PictureError(name, "the file is empty")
        yield BytesIO(data)
        return
    try:
        _refuse_odd(data, name)
        file = data.open("rb")
    except OSError as error:
        raise PictureError(name, _refused(error)) from error
    with file:
        yield file


def content(data: bytes | Path, *, name: str) -> bytes:
    """Return all bytes of a picture."""
    if isinstance(data, bytes) and data:
        return data
    with opened(data, name=name) as file:
        try:
            return file.read()
        except OSError as error:
            raise PictureError(name, _refused(error)) from error


def head(data: bytes | Path, *, name: str) -> bytes:
    """Return the first bytes of a picture, at most 64."""
    with opened(data, name=name) as file:
        try:
            return file.read(HEAD)
        except OSError as error:
            raise PictureError(name, _refused(error)) from error


def _refuse_odd(path: Path, name: str) -> None:
    # A pipe or a device would block or never end.
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise PictureError(name, "a folder, not a picture")
    if not stat.S_ISREG(found.st_mode):
        raise PictureError(name, "not a regular file")
    if not found.st_size:
        raise PictureError(name, "the file is empty")


def _refused(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return f"the system can't read it ({error.strerror or error})"
