"""Members of a .tar.gz, one after the other, in memory: the little of tar that data sets need.

A tar archive is a sequence of 512-byte headers, each followed by its member's bytes, padded to
512; zeros end it (POSIX.1-1988, "ustar"). Python's tarfile reads much more (long names, sparse
files, extensions that refer to extensions), and reads what a header declares into memory.
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from striate.errors import SourceError

_BLOCK = 512
_CHUNK = 2**20
_MOST_MEMBERS = 1000
_REGULAR, _FOLDER, _EXTENDED = (b"0", b"\0"), b"5", (b"x", b"g")
_KINDS = {b"1": "a link", b"2": "a link", b"3": "a device", b"4": "a device", b"6": "a pipe"}


class Member(NamedTuple):
    """A regular file in an archive; `name` has "/" between folders and no "./" before it."""

    name: str
    size: int


class TarReader:
    """A .tar.gz read from its beginning to its end; nothing is ever written.

    Args:
        path: the archive.
        most: bytes that it may unpack to.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        self._left = most
        self._most = most
        self._file = gzip.open(path)  # noqa: SIM115 - closed by `close`
        self._rest = 0

    def close(self) -> None:
        """Close the archive."""
        self._file.close()

    def members(self) -> Iterator[Member]:
        """Yield each regular file, whose bytes `read` returns until the next one is asked for.

        Raises SourceError for a member that is no regular file or folder, that is there twice,
        or whose name leads out of the archive, and for an archive that isn't whole or too large.
        """
        seen: set[str] = set()
        headers = 0
        while (header := self._header()) is not None:
            headers += 1
            if headers > _MOST_MEMBERS:
                raise SourceError(f"{self._path} holds more than {_MOST_MEMBERS:,} members.")
            kind = header[156:157]
            size = self._size(header)
            self._rest = size + -size % _BLOCK
            if kind not in _EXTENDED:
                member = Member(self._name(header), size)
                self._refuse(member.name, kind, seen)
                if kind != _FOLDER:
                    yield member
            self._skip()
        while self._some(_CHUNK):
            pass  # what follows the end is read for gzip's checksum

    def read(self, member: Member) -> bytearray:
        """Return the bytes of the member that `members` gave last."""
        data = bytearray()
        while len(data) < member.size:
            data += self._whole(min(_CHUNK, member.size - len(data)))
        self._rest -= member.size
        return data

    def _header(self) -> bytes | None:
        """Return the next header, or None at the end."""
        block = self._some(_BLOCK)
        if not block or block == bytes(_BLOCK):
            return None
        if len(block) < _BLOCK:
            raise self._fault("it ends within a header")
        said = self._number(block[148:156])
        if said != sum(block) - sum(block[148:156]) + 8 * ord(" "):
            raise self._fault("a header's checksum is wrong")
        return block

    def _name(self, header: bytes) -> str:
        name, prefix = _text(header[:100]), _text(header[345:500])
        # GNU tar keeps other things where ustar has the prefix.
        ustar = header[257:263] == b"ustar\0"
        whole = f"{prefix}/{name}" if ustar and prefix else name
        return whole.removeprefix("./")

    def _size(self, header: bytes) -> int:
        size = self._number(header[124:136])
        if size > self._left:
            raise self._too_large()
        return size

    def _number(self, field: bytes) -> int:
        digits = field.strip(b" \0")
        if not digits or digits.strip(b"01234567"):
            raise self._fault("a header holds no octal number where one should be")
        return int(digits, 8)

    def _refuse(self, name: str, kind: bytes, seen: set[str]) -> None:
        if kind not in (*_REGULAR, _FOLDER):
            what = _KINDS.get(kind, f"of a kind that isn't read ({kind!r})")
            raise SourceError(f"{self._path}: the member '{name}' is {what}, which is refused.")
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise SourceError(f"{self._path}: the member '{name}' leads elsewhere: refused.")
        if name.casefold() in seen:
            raise SourceError(f"{self._path} holds '{name}' twice.")
        seen.add(name.casefold())

    def _skip(self) -> None:
        while self._rest:
            self._rest -= len(self._whole(min(_CHUNK, self._rest)))

    def _whole(self, count: int) -> bytes:
        data = self._some(count)
        if len(data) < count:
            raise self._fault("it ends within a member")
        return data

    def _some(self, count: int) -> bytes:
        try:
            data = self._file.read(count)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self._fault(str(error)) from None
        self._left -= len(data)
        if self._left < 0:
            raise self._too_large()
        return data

    def _fault(self, reason: str) -> SourceError:
        return SourceError(
            f"{self._path} is not a whole .tar.gz archive: {reason.rstrip('.')}. Copy it again."
        )

    def _too_large(self) -> SourceError:
        return SourceError(
            f"{self._path} unpacks to more than {self._most:,} bytes, which is refused."
        )


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")
