"""Writing one file: whole and on the disk, or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from striate.errors import DiskError


def write_file(path: Path, data: str | bytes) -> None:
    """Write `path` anew: beside it, flushed to the disk, then renamed over it.

    Text becomes UTF-8; bytes of a file's name that are no text are written as escapes, as in \\udcff.

    Raises:
        DiskError: no space, or no permission; what was there before is still there, whole.
    """
    content = data if isinstance(data, bytes) else data.encode("utf-8", "backslashreplace")
    written = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with written.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)
    except OSError as error:
        with suppress(OSError):
            written.unlink()
        raise DiskError(
            f"{path}: {len(content):,} bytes can't be written ({error.strerror}). "
            "Make room or permit writing there."
        ) from error
