"""Reading the files of a generation: only those whose size and SHA-256 are the manifest's."""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.errors import RunFolderError
from striate.training._checkpoints._manifest import Part
from striate.training._checkpoints._tensors import unpack


def read_part(folder: Path, part: Part) -> dict[str, npt.NDArray[np.generic]]:
    """Return the tensors of a file, from the very bytes that were hashed.

    Raises:
        RunFolderError: the file is missing, can't be read or was changed.
    """
    path = folder / part.file
    check_size(folder, part)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunFolderError(f"{path} can't be read ({error.strerror})") from error
    _compare(path, hashlib.sha256(data).hexdigest(), part)
    try:
        return unpack(data)
    except ValueError as error:
        raise RunFolderError(f"{path} {error}") from error


def check_part(folder: Path, part: Part) -> None:
    """Raise what `read_part` raises, without holding the file in memory."""
    path = folder / part.file
    check_size(folder, part)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunFolderError(f"{path} can't be read ({error.strerror})") from error
    _compare(path, digest, part)


def check_size(folder: Path, part: Part) -> None:
    """Raise RunFolderError where the file isn't there, or not of its size.

    It comes before reading: a pipe would wait for ever, a huge file fill the memory.
    """
    path = folder / part.file
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RunFolderError(f"{path} can't be read ({error.strerror})") from error
    if not path.is_file() or size != part.bytes:
        raise RunFolderError(f"{path} has {size:,} bytes and should have {part.bytes:,}")


def _compare(path: Path, digest: str, part: Part) -> None:
    if digest != part.sha256:
        raise RunFolderError(
            f"{path} was changed after it was written (SHA-256 {digest[:12]}…, "
            f"expected {part.sha256[:12]}…)"
        )
