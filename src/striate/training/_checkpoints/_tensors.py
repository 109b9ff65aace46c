"""Tensors as a safetensors file, written in one pass and without a second copy in memory.

The library writes its files by itself, without flushing them, or builds them in memory; so the
writing is here (the format is a header of JSON before the bytes) and the reading is the library's.
https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.training._checkpoints._state import Array

PIECE = 2**20
"""Bytes hashed and written at a time: they are still in the cache for the second."""

_NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "complex64": "C64",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
STAND_INS = {"bfloat16": "uint16", "float8_e4m3fn": "uint8", "float8_e5m2": "uint8"}
"""Types that NumPy hasn't, and the type of the same bytes that they are read as."""

_TYPES = {short: STAND_INS.get(name, name) for name, short in _NAMES.items()}


@dataclass(frozen=True)
class Packed:
    """The content of a safetensors file: its pieces in order, and their bytes together."""

    header: bytes
    arrays: tuple[npt.NDArray[np.uint8], ...]
    bytes: int

    def pieces(self) -> Iterator[memoryview]:
        """Yield the content in pieces of `PIECE` bytes, but for the ends; small arrays together."""
        held = bytearray(self.header)
        for array in self.arrays:
            if array.nbytes < PIECE:
                held += array.data
                if len(held) >= PIECE:
                    yield memoryview(held)
                    held = bytearray()
                continue
            if held:
                yield memoryview(held)
                held = bytearray()
            for start in range(0, array.nbytes, PIECE):
                yield array[start : start + PIECE].data
        if held:
            yield memoryview(held)


def pack(tensors: Mapping[str, Array]) -> Packed:
    """Return tensors row-major as a safetensors file, equal for equal tensors in any order.

    CPU tensors that are row-major already are not copied.

    Raises:
        UsageError: a tensor of a type that safetensors hasn't.
    """
    plain = {name: _plain(name, tensor) for name, tensor in tensors.items()}
    # The format wants wide types first, so that every tensor is aligned.
    order = sorted(plain, key=lambda name: (-plain[name].item_bytes, name))
    entries: dict[str, Any] = {}
    start = 0
    for name in order:
        one = plain[name]
        stop = start + one.data.nbytes
        entries[name] = {"dtype": one.dtype, "shape": one.shape, "data_offsets": [start, stop]}
        start = stop
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    header = len(text).to_bytes(8, "little") + text
    return Packed(header, tuple(plain[name].data for name in order), len(header) + start)


def unpack(data: bytes) -> dict[str, npt.NDArray[np.generic]]:
    """Return the tensors of a safetensors file as writable NumPy arrays.

    Raises:
        ValueError: not such a file, or a type that `pack` doesn't write.
    """
    from safetensors import SafetensorError, deserialize

    try:
        found = deserialize(data)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ValueError(f"isn't a safetensors file ({error})") from error
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name, one in found:
        if one["dtype"] not in _TYPES:
            raise ValueError(f"holds '{name}' of the unknown type {one['dtype']}")
        arrays[name] = np.frombuffer(one["data"], _TYPES[one["dtype"]]).reshape(one["shape"])
    return arrays


@dataclass(frozen=True)
class _Plain:
    """One tensor's bytes, row-major, little-endian; its type by the format's name; its shape."""

    data: npt.NDArray[np.uint8]
    dtype: str
    item_bytes: int
    shape: list[int]


def _plain(name: str, tensor: Array) -> _Plain:
    dtype = str(tensor.dtype).removeprefix("torch.")
    shape = list(tensor.shape)
    if isinstance(tensor, np.ndarray):
        dtype = tensor.dtype.name
        little = tensor.astype(tensor.dtype.newbyteorder("<"), copy=False)
        data = np.ascontiguousarray(little).reshape(-1).view(np.uint8)
    else:
        import torch

        row_major = tensor.detach().to("cpu").contiguous().reshape(-1)
        data = row_major.view(torch.uint8).numpy()
    if dtype not in _NAMES:
        raise UsageError(
            f"The tensor '{name}' is of type {dtype}, which a checkpoint can't hold. "
            f"Make it one of: {', '.join(_NAMES)}."
        )
    return _Plain(data, _NAMES[dtype], int(tensor.dtype.itemsize), shape)
