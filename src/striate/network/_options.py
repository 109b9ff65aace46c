"""Options of registered networks as data: name, default, meaning; and their check."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from striate.errors import NetworkError, unknown

Value = bool | int | float | str | tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a network.

    `default` also gives the type: a tuple takes whole numbers, a float any number. `choices`, where
    there are any, are all the words it takes; numbers lie from `low` to below `below`. With `empty`,
    a list may have no numbers.
    """

    name: str
    default: Value
    meaning: str
    choices: tuple[str, ...] = ()
    low: float = 1
    below: float = float("inf")
    empty: bool = False

    def read(self, network: str, value: object) -> Value:
        """Return `value` in the option's own type; raise NetworkError where it can't be."""
        found = self._convert(value)
        if found is None:
            raise NetworkError(
                f"Option '{self.name}' of network '{network}' takes {self.expected}, "
                f"got {value!r}. {self.meaning}"
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the option as in `striate networks --json`."""
        default = list(self.default) if isinstance(self.default, tuple) else self.default
        return {
            "name": self.name,
            "default": default,
            "takes": self.expected,
            "meaning": self.meaning,
        }

    @property
    def expected(self) -> str:
        """What the option takes, in words."""
        if isinstance(self.default, bool):
            return "true or false"
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if isinstance(self.default, tuple):
            return "a list of whole numbers of 1 or more" + (", or []" if self.empty else "")
        if isinstance(self.default, str):
            return "a name"
        if isinstance(self.default, int):
            return f"a whole number of {self.low:g} or more"
        return f"a number from {self.low:g} to below {self.below:g}"

    def _convert(self, value: object) -> Value | None:
        if isinstance(self.default, bool) or isinstance(value, bool):
            return value if isinstance(value, bool) and isinstance(self.default, bool) else None
        if isinstance(self.default, str):
            known = value in self.choices or not self.choices
            return value if isinstance(value, str) and known else None
        if isinstance(self.default, tuple):
            if self.empty and isinstance(value, list | tuple) and not value:
                return ()
            return _whole_numbers(value)
        if not isinstance(value, int if isinstance(self.default, int) else int | float):
            return None
        return type(self.default)(value) if self.low <= value < self.below else None


def _whole_numbers(value: object) -> tuple[int, ...] | None:
    """Return a tuple of whole numbers of 1 or more, or None where `value` isn't such a list."""
    if not isinstance(value, list | tuple) or not value:
        return None
    numbers = tuple(n for n in value if isinstance(n, int) and not isinstance(n, bool) and n >= 1)
    return numbers if len(numbers) == len(value) else None


def read_options(
    network: str, accepted: tuple[Option, ...], given: Mapping[str, object]
) -> dict[str, Value]:
    """Return every accepted option with the value given or its default.

    Raises NetworkError for an option that the network doesn't have, with the nearest right one.
    """
    known = {option.name: option for option in accepted}
    for name in given:
        if name not in known:
            if not known:
                raise NetworkError(
                    f"Network '{network}' takes no options, got '{name}'. Leave it out."
                )
            raise NetworkError(unknown(f"option of network '{network}'", name, known))
    return {
        name: option.read(network, given[name]) if name in given else option.default
        for name, option in known.items()
    }
