"""Files of the cache: JSON and arrays, and a SHA-256 of all of it at the end."""

import io
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate._files import write_file

_CHECKSUM = 32

Arrays = list[npt.NDArray[Any]]


def write_sealed(path: Path, words: Mapping[str, Any], arrays: Sequence[npt.NDArray[Any]]) -> None:
    """Write a file whole, or leave what was there. Raises DiskError."""
    file = io.BytesIO()
    np.save(file, np.frombuffer(json.dumps(words).encode(), np.uint8), allow_pickle=False)
    for array in arrays:
        np.save(file, array, allow_pickle=False)
    file.write(sha256(file.getbuffer()).digest())
    write_file(path, file.getvalue())


def read_sealed(path: Path, arrays: int) -> tuple[dict[str, Any], Arrays] | None:
    """Return words and so many arrays; None where there is no file, or it isn't as it was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if sha256(memoryview(data)[:-_CHECKSUM]).digest() != data[-_CHECKSUM:]:
        return None
    file = io.BytesIO(data)
    try:
        words = json.loads(np.load(file, allow_pickle=False).tobytes())
        found = [np.load(file, allow_pickle=False) for _ in range(arrays)]
    except (ValueError, EOFError):
        # Whole, but of another version.
        return None
    return (words, found) if isinstance(words, dict) else None
