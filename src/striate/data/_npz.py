"""Arrays of a .npz file: a zip of .npy files, read without ever unpickling.

NumPy's own reader takes memory for what a file declares, before anything shows that it is there;
here a member's header, its declared size and its place in the zip must fit together first.
"""

import stat
import struct
import zlib
from io import BytesIO, FileIO
from pathlib import Path, PurePosixPath
from tokenize import TokenError
from typing import IO, Any
from warnings import catch_warnings, simplefilter
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from striate.data._bounded import most_bytes
from striate.errors import SourceError

_MOST_DIRECTORY = 2**20
_MOST_HEADER = 10_000  # NumPy's own limit for files that aren't trusted
_ENCRYPTED = 1
_KNOWN_FLAGS = 0x080E  # the packing's strength, sizes behind the data, names in UTF-8
_PICKLED = "it holds Python objects, which are never read; save arrays of numbers or text"

# What zipfile and NumPy's parser of headers raise for bytes that they don't understand.
_NO_ZIP = (BadZipFile, OSError, ValueError, NotImplementedError, OverflowError, struct.error)
_NO_HEADER = (
    *(ValueError, TypeError, SyntaxError, TokenError),
    *(RecursionError, MemoryError, OverflowError),
)


def read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a `.npz` file by name; members that aren't arrays are left out.

    Raises SourceError for a file that is no `.npz`, is damaged, holds Python objects, or unpacks to
    more than `most_bytes`.
    """
    try:
        with _Directory(path) as file:
            try:
                zipped = ZipFile(file)
            except _NO_ZIP as error:
                raise SourceError(
                    f"{path.name} is not a whole .npz file. Copy it again, or write one with "
                    "numpy.savez."
                ) from error
            file.limit = None
            return _arrays(path, zipped)
    except (OSError, EOFError, BadZipFile, UnicodeDecodeError, zlib.error, MemoryError) as error:
        raise SourceError(f"{path.name} can't be read: {error}. Copy it again.") from None


class _Directory(FileIO):
    """A zip file whose directory, which zipfile reads at once, is refused where it is too long."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.limit: int | None = _MOST_DIRECTORY

    def read(self, size: int | None = -1) -> bytes:
        """Read as FileIO does, but never more than the limit while there is one."""
        if self.limit is not None and size is not None and size > self.limit:
            raise BadZipFile(f"its directory has {size:,} bytes")
        return super().read(size)


def _arrays(path: Path, zipped: ZipFile) -> dict[str, npt.NDArray[Any]]:
    members = zipped.infolist()
    _refuse(path, members)
    found = {}
    for member in members:
        with zipped.open(member) as file:
            array = _array(path, member, file)
        if array is not None:
            found[_name(member)] = array
    return found


def _name(member: ZipInfo) -> str:
    return member.filename.removesuffix(".npy")


def _refuse(path: Path, members: list[ZipInfo]) -> None:
    """Raise SourceError for what NumPy doesn't write, before anything is unpacked."""
    total, most = sum(member.file_size for member in members), most_bytes(path)
    if total > most:
        raise SourceError(
            f"{path.name} unpacks to {total:,} bytes, more than the limit of {most:,}. Write it "
            "with numpy.savez, which doesn't pack."
        )
    seen: set[str] = set()
    for member in members:
        if fault := _fault(member):
            raise SourceError(f"{path.name}: the member '{member.filename}' {fault}: refused.")
        if _name(member) in seen:
            raise SourceError(f"{path.name} holds '{_name(member)}' twice. Keep one of them.")
        seen.add(_name(member))


def _fault(member: ZipInfo) -> str | None:
    if member.filename.startswith("/") or ".." in PurePosixPath(member.filename).parts:
        return "leads elsewhere"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is no ordinary file"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    known = member.flag_bits & ~_KNOWN_FLAGS == 0
    if not known or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "is packed in a way that NumPy doesn't use"
    return None


def _array(path: Path, member: ZipInfo, file: IO[bytes]) -> npt.NDArray[Any] | None:
    """Return a member's array, or None where it isn't one."""
    start = file.read(npy.MAGIC_LEN)
    if start[: len(npy.MAGIC_PREFIX)] != npy.MAGIC_PREFIX or len(start) < npy.MAGIC_LEN:
        return None
    shape, fortran, dtype, taken = _header(path, member, start, file)
    # A shape may hold zeros beside numbers that no array may have.
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size != member.file_size - taken or max(shape, default=0) > member.file_size:
        raise _letter(
            path, f"'{_name(member)}' declares {shape} of {dtype}, but holds "
            f"{member.file_size - taken:,} bytes. Copy it again"
        )  # fmt: skip
    data = bytearray(size)
    if _fill(file, data) < size:
        raise _letter(path, f"'{_name(member)}' ends too early. Copy it again")
    file.read(1)  # the end, at which zipfile compares the checksum
    array = np.frombuffer(data, dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _fill(file: IO[bytes], data: bytearray) -> int:
    view, done = memoryview(data), 0
    while done < len(data) and (piece := file.read(min(2**20, len(data) - done))):
        view[done : done + len(piece)] = piece
        done += len(piece)
    return done


def _header(
    path: Path, member: ZipInfo, start: bytes, file: IO[bytes]
) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, whether it is in Fortran's order, dtype, and the bytes before the values."""
    version = npy.read_magic(BytesIO(start))
    width = 2 if version == (1, 0) else 4
    counted = file.read(width)
    length = int.from_bytes(counted, "little")
    if version not in ((1, 0), (2, 0), (3, 0)) or length > _MOST_HEADER:
        raise _letter(path, f"'{_name(member)}' has no header that NumPy writes")
    text = file.read(length)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    try:
        with catch_warnings():
            simplefilter("ignore")  # on headers that Python 2 wrote
            shape, fortran, dtype = read(BytesIO(counted + text))
    except _NO_HEADER as error:
        raise _letter(path, f"'{_name(member)}' has a damaged header. Copy it again") from error
    if dtype.hasobject:
        raise _letter(path, _PICKLED)
    if dtype.itemsize == 0 or dtype.subdtype is not None:
        raise _letter(path, f"'{_name(member)}' holds {dtype}. Expected numbers or text")
    if not all(isinstance(side, int) and side >= 0 for side in shape) or len(shape) > 32:
        raise _letter(path, f"'{_name(member)}' has the shape {shape}. Copy it again")
    return shape, fortran, dtype, npy.MAGIC_LEN + width + length


def _letter(path: Path, reason: str) -> SourceError:
    return SourceError(f"{path.name} can't be read: {reason}.")
