"""The child process that reads a foreign PyTorch file: weights in, safetensors out, nothing else.

`python -m striate.network._weights_child < weights.pth > weights.safetensors`, both regular files.
A refusal is one line on the error channel, and exit code 1.
"""

import os
import re
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

SPARE = 2**30
"""Bytes of memory that reading may take, beside four times the file's size."""

MOST_SECONDS = 120
"""Seconds of the processor that reading may take."""

LONGEST_WAIT = 600
"""Seconds of the clock that reading may take: many, for a machine busy with other work."""

_MOST_ENTRIES = 100_000
_WRAPPERS = ("state_dict", "model", "model_state_dict")


class RefusedError(Exception):
    """The file isn't what it should be; the text says why."""


def main() -> None:
    """Read the weights on standard input, and write them on standard output."""
    # Imported before the limits: what it takes isn't the file's fault.
    import torch
    from safetensors.numpy import save

    from striate.network._weights_safetensors import ORDER

    file = sys.stdin.buffer
    size = os.fstat(file.fileno()).st_size
    limit(size)
    try:
        check_archive(file, size)
        found = torch.load(file, map_location="cpu", weights_only=True)
        tensors = plain_tensors(found, size)
    except RefusedError as error:
        sys.exit(str(error))
    except UnpicklingError as error:
        sys.exit(reason(error))
    sys.stdout.buffer.write(save(tensors, {ORDER: "\n".join(tensors)}))


def limit(size: int) -> None:
    """Limit this process where the system can: its memory, its processor time, what it writes."""
    try:
        import resource
    except ImportError:  # Windows
        return
    memory = Path("/proc/self/statm")
    if memory.exists():
        taken = int(memory.read_text().split()[5]) * resource.getpagesize()
        most = taken + SPARE + 4 * size
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    largest = 5 * size + 2**20  # half precision becomes twice as long
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def check_archive(file: BinaryIO, size: int) -> None:
    """Raise RefusedError for a zip that PyTorch didn't write: it stores everything once, as it is."""
    begins = file.read(4)
    file.seek(0)
    if not begins.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise RefusedError(f"it is a damaged zip ({error})") from error
    if len(entries) > _MOST_ENTRIES or len({one.filename for one in entries}) < len(entries):
        raise RefusedError("its zip holds names twice, or too many")
    packed = any(one.compress_type or one.compress_size != one.file_size for one in entries)
    if packed or any(one.flag_bits & 1 for one in entries):
        raise RefusedError("its zip is compressed or encrypted, which PyTorch's never is")
    if sum(one.file_size for one in entries) > size:
        raise RefusedError("its zip declares more bytes than the file has")
    file.seek(0)


def plain_tensors(found: Any, size: int) -> dict[str, Any]:
    """Return a state dict as float32 arrays in its own order; whole numbers are left out."""
    import torch

    found = unwrapped(found)
    if not isinstance(found, Mapping) or not found:
        raise RefusedError(f"expected tensors by name, came {type(found).__name__}")
    tensors: dict[str, Any] = {}
    left = 2 * size
    for name, one in found.items():
        if not isinstance(name, str) or not isinstance(one, torch.Tensor):
            raise RefusedError(f"expected tensors by name, but {str(name)[:80]!r} is no tensor")
        if one.layout is not torch.strided or one.is_quantized or one.device.type != "cpu":
            raise RefusedError(f"'{name[:80]}' is sparse, quantised or without numbers")
        if not one.is_floating_point():
            continue
        # A tensor may repeat a few stored numbers without end; it is counted before it is written out.
        left -= one.numel() * one.element_size()
        if left < 0:
            raise RefusedError(
                f"up to '{name[:80]}' its tensors hold more than twice the file's bytes"
            )
        tensors[name] = one.detach().to(torch.float32).contiguous().numpy()
    return tensors


def unwrapped(found: Any) -> Any:
    """Return the state dict inside a training checkpoint, or what came."""
    if isinstance(found, Mapping):
        for key in _WRAPPERS:
            if isinstance(found.get(key), Mapping):
                return found[key]
    return found


def reason(error: UnpicklingError) -> str:
    """Return in a few words why PyTorch refused to unpickle."""
    text = str(error)
    if found := re.search(r"GLOBAL ([\w.]+)", text):
        return f"it asks for {found[1]}, which weights don't need"
    return "it is no state dict that PyTorch reads with weights_only"


if __name__ == "__main__":
    main()
