"""Options that a named thing (loss, optimizer, schedule) takes: none is passed over in silence."""

import math
from collections.abc import Mapping

from striate.errors import UsageError


def settle(
    what: str, name: str, takes: Mapping[str, object], given: Mapping[str, object]
) -> dict[str, object]:
    """Return the options of `name`: its defaults in `takes`, overridden by what is `given`.

    A given value of None means that the option wasn't given. Raises UsageError for an option that
    `name` hasn't.
    """
    chosen = {option: value for option, value in given.items() if value is not None}
    for option in chosen:
        if option not in takes:
            has = f"Its options: {', '.join(takes)}." if takes else "It has none."
            raise UsageError(f"The {what} '{name}' has no option '{option}'. {has}")
    return {**takes, **chosen}


def number(
    option: str,
    value: object,
    *,
    least: float = 0.0,
    below: float = math.inf,
    above_least: bool = False,
) -> float:
    """Return `value` as a float with least ≤ value < below (`above_least`: least < value).

    Raises UsageError otherwise, and for what isn't a number.
    """
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if right and least <= float(value) < below and (float(value) > least or not above_least):  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    low = f"above {least:g}" if above_least else f"from {least:g}"
    high = "" if below == math.inf else f" and below {below:g}"
    raise UsageError(f"{option} must be a number {low}{high}; got {value!r}.")
