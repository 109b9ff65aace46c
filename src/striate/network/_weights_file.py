"""Reading a file of weights: safetensors here, PyTorch's pickles here only where they are known."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from striate.errors import UsageError
from striate.network._weights_child import LONGEST_WAIT
from striate.network._weights_known import package_with
from striate.network._weights_safetensors import Tensors, read_safetensors

MOST_BYTES = 4 * 2**30
"""Bytes of the largest file that is read."""

SUFFIXES = (".safetensors", ".pth", ".pt")

_CHILD = "striate.network._weights_child"


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file of weights.

    Raises:
        UsageError: it isn't there, isn't a file, is too large or can't be read, or its name
            doesn't end as a file of weights does.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{path}: expected a file of weights that ends in {', '.join(SUFFIXES)}. "
            "Name one, or save the network's state dict as one."
        )
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file of weights. Check its name.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UsageError(
            f"{path}: expected weights of at most {MOST_BYTES:,} bytes, but it has {size:,}."
        )
    with _readable(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_file(path: Path, sha256: str) -> Tensors:
    """Return the tensors of a file whose hash was taken before.

    A PyTorch file is unpickled in this process (`weights_only`) only where its hash is one that we
    know, else in a child process with limits, which hands back safetensors.

    Raises:
        UsageError: the file has changed since, or isn't what its name says.
    """
    with _readable(path):
        data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UsageError(f"{path}: the file changed while it was read. Try again.")
    if path.suffix.lower() == ".safetensors":
        return read_safetensors(data, file=str(path))
    if package_with(sha256) is not None:
        return _read_known(data)
    return _read_foreign(data, path)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror}). Permit reading it.") from error


def _read_known(data: bytes) -> Tensors:
    import torch

    found = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    floats = {name: one.numpy() for name, one in found.items() if one.is_floating_point()}
    return Tensors(floats, ordered=True)


def _read_foreign(data: bytes, path: Path) -> Tensors:
    # -P: no module of the working folder may stand in for one of the child's.
    words = [sys.executable, "-P", "-m", _CHILD]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as made:
        given.write(data)
        given.seek(0)
        try:
            done = subprocess.run(
                words,
                stdin=given,
                stdout=made,
                stderr=subprocess.PIPE,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                timeout=LONGEST_WAIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _refused(path, f"reading it took over {LONGEST_WAIT} seconds") from None
        if done.returncode:
            raise _refused(path, _last_line(done.stderr, done.returncode))
        made.seek(0)
        return read_safetensors(made.read(), file=str(path))


def _last_line(said: bytes, code: int) -> str:
    """Return what the child said last, as one short line."""
    lines = said.decode(errors="replace").strip().splitlines() or [f"its reader ended with {code}"]
    shown = "".join(letter if letter.isprintable() else "?" for letter in lines[-1])
    return shown[:200].rstrip(".")


def _refused(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"{path}: expected a state dict saved by torch.save, but {reason}. "
        "Save the network's state dict as safetensors, and name that file."
    )
