"""Fetching a published file once, checked by its hash."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from striate.data._registry import NamedFile
from striate.errors import SourceError

_CHUNK = 2**20
_TIMEOUT = 10.0

Opener = Callable[[str], BinaryIO]
"""Opens a URL for reading; raises OSError where it can't."""


def from_net(url: str) -> BinaryIO:
    """Open a URL; a connection that says nothing for 10 seconds is given up."""
    from urllib.request import urlopen  # 0.05 s that only a download is worth

    opened: BinaryIO = urlopen(url, timeout=_TIMEOUT)
    return opened


def fetch(url: str, file: NamedFile, folder: Path, opener: Opener = from_net) -> Path:
    """Download `url` to `folder`, and return the file; it appears only whole and checked.

    Raises:
        OSError: the net or the disk refused.
        SourceError: what came is not the published file.
    """
    with opener(url) as answer:
        return _keep(answer, url, file, folder)


def _keep(answer: BinaryIO, url: str, file: NamedFile, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=folder)
    try:
        with os.fdopen(handle, "wb") as target:
            found = _copy(answer, target, file.size, url)
        if found != file.md5:
            raise SourceError(
                f"What {url} sent is not the published file: its MD5 is {found}, expected "
                f"{file.md5}. Nothing was kept."
            )
        Path(partial).replace(folder / file.name)
    finally:
        Path(partial).unlink(missing_ok=True)
    return folder / file.name


def _copy(answer: BinaryIO, target: BinaryIO, most: int, url: str) -> str:
    """Copy at most `most` bytes, and return their MD5."""
    digest = hashlib.md5(usedforsecurity=False)
    total = 0
    while chunk := answer.read(_CHUNK):
        total += len(chunk)
        if total > most:
            raise SourceError(f"{url} sent more than {most:,} bytes. Nothing was kept.")
        digest.update(chunk)
        target.write(chunk)
    target.flush()
    os.fsync(target.fileno())
    return digest.hexdigest()


def md5_of(path: Path) -> str:
    """Return the MD5 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
