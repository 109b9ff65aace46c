"""A tree of plain values as JSON that every reader accepts: NaN and infinities become text."""

import math
from typing import Any

KEY = "float"
"""The only key of the object that stands for a number that isn't finite: {"float": "nan"}."""


def encode(value: Any) -> Any:
    """Return `value` with every number that isn't finite as an object.

    Raises:
        TypeError: something that JSON hasn't, or an object's key that isn't text.
    """
    if isinstance(value, dict):
        return {_key(key): encode(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [encode(inner) for inner in value]
    if isinstance(value, float):
        # A NumPy float64 is a float too, and would come back as one.
        return float(value) if math.isfinite(value) else {KEY: repr(float(value))}
    if value is None or isinstance(value, str | bool | int):
        return value
    raise TypeError(f"A checkpoint's tree holds plain values; got {type(value).__name__}.")


def decode(value: Any) -> Any:
    """Return what `encode` was given, tuples as lists."""
    if isinstance(value, dict):
        if value.keys() == {KEY} and isinstance(value[KEY], str):
            return float(value[KEY])
        return {key: decode(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [decode(inner) for inner in value]
    return value


def _key(key: object) -> str:
    if not isinstance(key, str) or key == KEY:
        raise TypeError(f"A checkpoint's tree has text as keys, and never '{KEY}'; got {key!r}.")
    return key
