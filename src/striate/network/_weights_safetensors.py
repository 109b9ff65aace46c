"""Reading a safetensors file that a stranger may have written, strictly.

A file is: 8 bytes, the header's length, little-endian; the header, JSON, a type, a shape and two
offsets for every name; the numbers, without gap or overlap.
https://github.com/huggingface/safetensors#format
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.errors import ModelError, UsageError
from striate.model._strict import parse

Floats = npt.NDArray[np.float32]

ORDER = "order"
"""Key of the metadata under which names stand in the module's own order, a line each."""

_NOTES = "__metadata__"
_MOST_AXES = 8
_FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_WHOLE = {"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1}
_BYTES = _FLOATS | _WHOLE


@dataclass(frozen=True)
class Tensors:
    """Tensors by name.

    Attributes:
        by_name: float32 each; whole numbers (batch norm's counters) are left out.
        ordered: whether they stand in the module's own order. The safetensors library sorts by
            name, so that most of its files don't tell.
    """

    by_name: dict[str, Floats]
    ordered: bool


@dataclass(frozen=True)
class _Entry:
    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_safetensors(data: bytes, *, file: str) -> Tensors:
    """Return the tensors of a safetensors file; `file` is its name in messages.

    Raises:
        UsageError: not such a file, cut short, offsets with a gap or overlap, a shape that doesn't
            fit its bytes, or a type that isn't read.
    """
    header, start = _header(data, file)
    notes = header.pop(_NOTES, {})
    entries = sorted(
        (_entry(name, value, file) for name, value in header.items()),
        key=lambda one: (one.begin, one.end),
    )
    _check_offsets(entries, len(data) - start, file)
    found = {
        one.name: _array(data, start + one.begin, one) for one in entries if one.dtype in _FLOATS
    }
    names = _order(notes, found)
    return Tensors({name: found[name] for name in names}, _is_ordered(names, notes))


def _header(data: bytes, file: str) -> tuple[dict[str, Any], int]:
    """Return the header and the position of the first number."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise _bad(file, f"its header should have {length:,} bytes, but the file has {len(data):,}")
    try:
        header = parse(data[8 : 8 + length], file=file)
    except ModelError as error:
        raise UsageError(f"{error} Expected a safetensors file: fetch it again.") from None
    if not isinstance(header, dict):
        raise _bad(file, "its header is no JSON object")
    return header, 8 + length


def _entry(name: str, value: Any, file: str) -> _Entry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise _bad(file, f"'{name}' should have dtype, shape and data_offsets, no more and no less")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if dtype not in _BYTES:
        raise _bad(file, f"'{name}' is of type {dtype}; read are {', '.join(_BYTES)}")
    if not _sizes(shape) or len(shape) > _MOST_AXES:
        raise _bad(file, f"the shape of '{name}' should be at most {_MOST_AXES} whole numbers")
    if not _sizes(offsets) or len(offsets) != 2:
        raise _bad(file, f"the data_offsets of '{name}' should be two whole numbers")
    return _Entry(name, dtype, tuple(shape), *offsets)


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is int and one >= 0 for one in value)


def _check_offsets(entries: list[_Entry], size: int, file: str) -> None:
    """Raise where the entries, in order of their offsets, don't cover the bytes once."""
    position = 0
    for one in entries:
        expected = prod(one.shape) * _BYTES[one.dtype]
        if one.end - one.begin != expected:
            raise _bad(
                file,
                f"'{one.name}' of shape {one.shape} needs {expected:,} bytes, but its offsets "
                f"hold {one.end - one.begin:,}",
            )
        if one.begin != position:
            raise _bad(file, f"'{one.name}' should begin at byte {position:,}, not {one.begin:,}")
        position = one.end
    if position != size:
        raise _bad(file, f"its tensors need {position:,} bytes, but {size:,} are there")


def _array(data: bytes, start: int, entry: _Entry) -> Floats:
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
    flat = np.frombuffer(data, types[entry.dtype], prod(entry.shape), start)
    if entry.dtype == "BF16":  # the upper half of a float32
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.astype(np.float32).reshape(entry.shape)


def _order(notes: Any, found: Mapping[str, Floats]) -> list[str]:
    """Return the names in the order that the metadata tells, else in that of the bytes."""
    told = notes.get(ORDER) if isinstance(notes, dict) else None
    names = told.split("\n") if isinstance(told, str) else []
    return names if sorted(names) == sorted(found) else list(found)


def _is_ordered(names: list[str], notes: Any) -> bool:
    return names != sorted(names) or (isinstance(notes, dict) and ORDER in notes)


def _bad(file: str, reason: str) -> UsageError:
    return UsageError(f"{file} isn't a whole safetensors file: {reason}. Fetch it again.")
