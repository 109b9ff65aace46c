"""MNIST-style IDX files, plain or gzipped: the format of yann.lecun.com/exdb/mnist.

A file begins with two zero bytes, a byte for the type of its values and a byte for the number of
its dimensions, then each dimension as a big-endian uint32, then the values, big-endian.
"""

import gzip
import hashlib
import math
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from striate.data._array_pictures import as_pictures
from striate.data._arrays import parts_source, refuse_table_options
from striate.data._bounded import most_bytes
from striate.data._source import PARTS, TEST, TRAIN, VALIDATION, Source, SourceOptions
from striate.data._words import part_of, some
from striate.errors import SourceError

LIMIT = 8 * 2**30
"""Largest number of bytes that a file's values may take; a gzipped one's see `most_bytes`."""

_CHUNK = 2**24
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_NAME = re.compile(
    r"(?P<start>.*?)(?P<part>train|t10k|test|valid|validation|val)[-_.]"
    r"(?P<kind>images?|labels?)[-_.]idx\d[-_.]ubyte(\.gz)?"
)


def read_idx(path: Path) -> npt.NDArray[Any]:
    """Return the array of an IDX file, plain or gzipped (by suffix `.gz`), in native byte order.

    Raises SourceError where the magic number, the dimensions or the length are wrong.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _read(file, path)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(f"{path} is not a whole gzip file: {error}. Copy it again.") from None
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror or error}.") from None


def _read(file: "IO[bytes] | gzip.GzipFile", path: Path) -> npt.NDArray[Any]:
    start = file.read(4)
    if not start:
        raise SourceError(f"{path} is empty. Copy it again.")
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or not 1 <= start[3] <= 4:
        raise SourceError(
            f"{path} is not an IDX file: it begins with the bytes {start.hex(' ')}. Copy "
            "it again, or take it away."
        )
    dimensions = file.read(4 * start[3])
    if len(dimensions) < 4 * start[3]:
        raise SourceError(f"{path} ends within its dimensions. Copy it again.")
    shape = struct.unpack(f">{start[3]}I", dimensions)
    dtype = np.dtype(_TYPES[start[2]])
    expected = math.prod(shape) * dtype.itemsize
    limit = min(LIMIT, most_bytes(path)) if path.suffix == ".gz" else LIMIT
    # No side counts as 0 here: NumPy refuses a shape such as (0, 2**32 - 1, 2**32 - 1, 2**32 - 1).
    declared = math.prod(max(side, 1) for side in shape) * dtype.itemsize
    if declared > limit:
        raise SourceError(f"{path} declares {declared:,} bytes, more than the limit of {limit:,}.")
    values = _values(file, expected)
    if len(values) < expected or file.read(1):
        found = f"{len(values):,}" if len(values) < expected else "more"
        raise SourceError(
            f"{path} declares {' × '.join(map(str, shape))} values, {expected:,} bytes, but holds "
            f"{found}. Copy it again."
        )
    array = np.frombuffer(values, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _values(file: "IO[bytes] | gzip.GzipFile", expected: int) -> bytearray:
    """Read up to `expected` bytes; memory grows with what is there, not with what is declared."""
    values = bytearray()
    while len(values) < expected:
        chunk = file.read(min(_CHUNK, expected - len(values)))
        if not chunk:
            break
        values += chunk
    return values


def idx_md5(array: npt.NDArray[np.uint8]) -> str:
    """Return the MD5 that the plain IDX file of a uint8 array has."""
    start = struct.pack(f">BBBB{array.ndim}I", 0, 0, 0x08, array.ndim, *array.shape)
    digest = hashlib.md5(start, usedforsecurity=False)
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def idx_files(folder: Path) -> dict[tuple[str, str], Path]:
    """Return (part, "images" or "labels") → file for the IDX files in a folder; {} for none.

    Names are those of MNIST (`train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte.gz`), also with
    `test` or `val`, with dots for hyphens, or with something in front, as in EMNIST. A plain file
    goes before a gzipped one. Raises SourceError where several sets lie in the folder.
    """
    found: dict[tuple[str, str], Path] = {}
    starts = set()
    for path, match in _matches(folder):
        starts.add(match["start"])
        number = TEST if match["part"].lower() == "t10k" else part_of(match["part"])
        part = PARTS[TRAIN if number is None else number]
        found.setdefault((part, "images" if match["kind"][0] in "iI" else "labels"), path)
    if len(starts) > 1:
        raise SourceError(
            f"The folder {folder} holds several sets of IDX files: "
            f"{some(f'{start}…' for start in sorted(starts))}. Put each into a folder of its own."
        )
    return found


def _matches(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    # Sorted so that "x" comes before "x.gz", and no listing decides.
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name.lower())
        if match and path.is_file():
            yield path, match


def open_idx(folder: Path, options: SourceOptions) -> Source:
    """Return the source in a folder of IDX files: pictures, labels, and a test part if there is.

    Raises SourceError for files that are missing, damaged or don't belong together.
    """
    refuse_table_options(options, "IDX files have no columns and no names")
    notes: list[str] = []
    pictures, labels = read_pairs(folder, notes)
    return parts_source(
        pictures,
        labels,
        classes=None,
        options=options,
        name=folder.resolve().name,
        kind="idx",
        notes=notes,
    )


def read_pairs(
    folder: Path, notes: list[str]
) -> tuple[dict[str, npt.NDArray[np.uint8]], dict[str, npt.NDArray[Any]]]:
    """Return pictures (N, H, W, C) and labels (N,) by part, in the order of PARTS."""
    files = idx_files(folder)
    parts = {part for part, _ in files}
    pictures, labels = {}, {}
    if PARTS[TRAIN] not in parts:
        raise SourceError(
            f"The folder {folder} holds IDX files, but none of a training part. Expected "
            "train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or with .gz."
        )
    for part in (PARTS[number] for number in (TRAIN, VALIDATION, TEST)):
        if part in parts:
            pictures[part], labels[part] = _pair(folder, files, part, notes)
    return pictures, labels


def _pair(
    folder: Path, files: dict[tuple[str, str], Path], part: str, notes: list[str]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]:
    for kind in ("images", "labels"):
        if (part, kind) not in files:
            raise SourceError(
                f"The folder {folder} holds no IDX file with the {kind} of the {part} part, though "
                "it holds the other one of the pair."
            )
    images, path = read_idx(files[part, "images"]), files[part, "images"]
    labels = read_idx(files[part, "labels"])
    if labels.ndim != 1 or len(images) != len(labels):
        raise SourceError(
            f"{path.name} has the shape {images.shape} and {files[part, 'labels'].name} the shape "
            f"{labels.shape}. Expected one label for every picture."
        )
    return as_pictures(images, f"The pictures in {path.name}", notes), labels
