"""Reading JSON that a stranger may have written: a surprise is a ModelError that names the key."""

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from striate.errors import ModelError, nearest

MOST_BYTES = 16 * 2**20
DEEPEST = 32


def parse(data: bytes, *, file: str) -> Any:
    """Return the JSON value in `data`; `file` is its name in messages.

    Raises ModelError where it is over 16 MB, not UTF-8, not JSON, nested deeper than 32, holds a
    key twice, or a number that isn't finite.
    """
    if len(data) > MOST_BYTES:
        raise ModelError(f"{file}: expected at most 16 MB, but it has {len(data):,} bytes.")

    def refuse(word: str) -> NoReturn:
        raise ModelError(f"{file}: every number must be finite and short, but it holds {word}.")

    def number(text: str) -> float:
        value = float(text)
        return value if math.isfinite(value) else refuse(text)

    def whole(text: str) -> int:
        # 64 bits are enough for all our keys; longer ones overflow a float, or take long to read.
        return int(text) if len(text) <= 20 else refuse(f"one of {len(text)} digits")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ModelError(f"{file}: the key '{key}' stands twice in one object.")
            found[key] = value
        return found

    try:
        value = json.loads(
            data.decode(),
            parse_constant=refuse,
            parse_float=number,
            parse_int=whole,
            object_pairs_hook=once,
        )
    except RecursionError:
        raise ModelError(f"{file}: nested deeper than {DEEPEST}.") from None
    except ValueError as error:
        raise ModelError(f"{file}: this is not valid JSON: {error}.") from None
    if _deeper(value, DEEPEST):
        raise ModelError(f"{file}: nested deeper than {DEEPEST}.")
    return value


def _deeper(value: Any, levels: int) -> bool:
    """Return True where lists and objects are nested deeper than `levels`."""
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in inside)


class Fields:
    """One JSON object whose keys are all known: missing and unknown ones are refused at once.

    Args:
        value: the parsed object.
        keys: the keys it must have, no more and no fewer.
        file: the file's name in messages.
        inside: the object's own key, "" for the outermost.
    """

    def __init__(self, value: Any, keys: tuple[str, ...], *, file: str, inside: str = "") -> None:
        self._file, self._inside = file, inside
        if not isinstance(value, dict):
            self._wrong(inside or "the content", "an object", value)
        for key in value:
            if key not in keys:
                raise ModelError(
                    f"{file}: unknown key '{self._name(key)}'.{nearest(key, keys)} "
                    f"Known: {', '.join(keys)}."
                )
        for key in keys:
            if key not in value:
                raise ModelError(f"{file}: the key '{self._name(key)}' is missing.")
        self._value: dict[str, Any] = value

    def whole(self, key: str, low: int, high: int) -> int:
        """Return the whole number under `key`, from `low` to `high`."""
        value = self._value[key]
        if type(value) is not int or not low <= value <= high:
            self._wrong(self._name(key), f"a whole number from {low:,} to {high:,}", value)
        return int(value)

    def word(self, key: str, choices: Iterable[str] = ()) -> str:
        """Return the text under `key`; where there are `choices` it must be one of them."""
        value, known = self._value[key], tuple(choices)
        if not isinstance(value, str):
            self._wrong(self._name(key), "text", value)
        if known and value not in known:
            self._wrong(self._name(key), " or ".join(known), value)
        return str(value)

    def numbers(self, key: str, count: int | None = None) -> tuple[float, ...]:
        """Return the numbers under `key`, `count` of them, or any number but zero of them."""
        value = self._value[key]
        good = isinstance(value, list) and all(type(item) in (int, float) for item in value)
        if not good or not value or (count is not None and len(value) != count):
            many = "numbers" if count is None else f"{count} numbers"
            self._wrong(self._name(key), f"a list of {many}", value)
        return tuple(float(item) for item in value)

    def mapping(self, key: str) -> dict[str, Any]:
        """Return the object under `key`, its content unchecked."""
        value = self._value[key]
        if not isinstance(value, dict):
            self._wrong(self._name(key), "an object", value)
        return dict(value)

    def words(self, key: str) -> dict[str, str]:
        """Return the object under `key`, whose values are all text."""
        found = self.mapping(key)
        for inner, value in found.items():
            if not isinstance(value, str):
                self._wrong(f"{self._name(key)}.{inner}", "text", value)
        return found

    def inner(self, key: str, keys: tuple[str, ...]) -> "Fields":
        """Return the object under `key`, which must have just these keys."""
        return Fields(self._value[key], keys, file=self._file, inside=self._name(key))

    def inners(self, key: str, keys: tuple[str, ...]) -> list["Fields"]:
        """Return the objects of the list under `key`, each with just these keys."""
        value = self._value[key]
        if not isinstance(value, list):
            self._wrong(self._name(key), "a list", value)
        return [
            Fields(item, keys, file=self._file, inside=f"{self._name(key)}[{position}]")
            for position, item in enumerate(value)
        ]

    def refuse(self, key: str, reason: str) -> NoReturn:
        """Raise ModelError about `key`."""
        raise ModelError(f"{self._file}: '{self._name(key)}' {reason}")

    def _name(self, key: str) -> str:
        return f"{self._inside}.{key}" if self._inside else key

    def _wrong(self, name: str, expected: str, got: Any) -> NoReturn:
        shown = json.dumps(got)
        shown = shown if len(shown) <= 40 else shown[:37] + "..."
        raise ModelError(f"{self._file}: '{name}' should be {expected}, but it is {shown}.")
