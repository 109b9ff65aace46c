"""Reading the files of a model folder: only from inside it, only with the hash it was given."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from striate.errors import ModelError

AGAIN = "Copy the whole model folder again from where it was made."


def read_checked(folder: Path, name: str, expected: str) -> bytes:
    """Return the bytes of the file `name` of `folder`, the very ones whose SHA-256 is `expected`.

    Raises ModelError where the file is missing, leads out of the folder or was changed.
    """
    with _opened(folder, name) as file:
        data = file.read()
    _compare(folder, name, hashlib.sha256(data).hexdigest(), expected)
    return data


def check_file(folder: Path, name: str, expected: str) -> None:
    """Raise what `read_checked` raises, without holding the file in memory."""
    with _opened(folder, name) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _compare(folder, name, digest, expected)


def extra_files(folder: Path, known: set[str]) -> tuple[str, ...]:
    """Return the files in `folder` that `known` doesn't name, sorted; symbolic links included."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = (path.relative_to(folder).as_posix() for path in found)
    return tuple(sorted(name for name in names if name not in known))


@contextmanager
def _opened(folder: Path, name: str) -> Iterator[BufferedReader]:
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ModelError(f"{folder}: the file '{name}' is a link that leads out of the folder.")
        # A pipe would wait for ever, a device would never end.
        if path.exists() and not path.is_file():
            raise ModelError(f"{folder}: '{name}' should be a file, but it isn't. {AGAIN}")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise ModelError(
            f"{folder}: the file '{name}' is missing, though model.json lists it. {AGAIN}"
        ) from None
    except OSError as error:
        raise ModelError(f"{folder}: '{name}' can't be read: {error.strerror}.") from error


def _compare(folder: Path, name: str, got: str, expected: str) -> None:
    if got != expected:
        raise ModelError(
            f"{folder}: the file '{name}' was changed after the model was written "
            f"(SHA-256 {got[:12]}…, expected {expected[:12]}…). {AGAIN}"
        )
