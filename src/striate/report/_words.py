"""Numbers and names as the page writes them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

# Control characters and lone surrogates can't stand in HTML; marks that turn the writing direction
# around would let a file name rewrite the text beside it.
UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def plain(text: str) -> str:
    """Return `text` with line ends as ↵ and other characters that can't be printed as U+FFFD."""
    return UNPRINTABLE.sub(lambda found: "↵" if found[0] == "\n" else "\ufffd", text)


def figure(value: float) -> str:
    """Return a number with four significant digits; whole ones and large ones with all theirs.

    A number below 1 is never rounded up to 1: an area under a curve of 0.99998 is not perfect.

    >>> [figure(v) for v in (0.0288, 421642, 1234.56, 0.00001, -2.5, 3.0, 0.99998)]
    ['0.0288', '421,642', '1,235', '1e-05', '-2.5', '3', '0.99998']
    """
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e12 else f"{value:.3e}"
    digits = next((d for d in range(4, 9) if value > 1 or f"{value:.{d}g}" != "1"), 9)
    return f"{value:.{digits}g}"


def percent(fraction: float, total: float = 0) -> str:
    """Return a fraction as per cent, with one digit after the point, or two from 1,000 samples on.

    A fraction below 1 is never rounded up to 100 %, nor one above 0 down to 0 %.

    The space before the sign does not break.

    >>> [percent(0.9722), percent(0.9901, 10000), percent(0.99999), percent(1)]
    ['97.2\\xa0%', '99.01\\xa0%', '99.999\\xa0%', '100\\xa0%']
    """
    if fraction in (0, 1):
        return f"{fraction * 100:.0f}\N{NO-BREAK SPACE}%"
    digits = 2 if total >= 1000 else 1
    while digits < 6 and f"{fraction * 100:.{digits}f}" in (f"{p:.{digits}f}" for p in (0, 100)):
        digits += 1
    return f"{fraction * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def words(value: Any) -> str:
    """Return any JSON value in words: mappings as "name value, name value", lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return figure(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {words(part)}" for name, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(words(part) for part in value)
    return "" if value is None else str(value)


def size(value: Any) -> str:
    """Return a shape as 32×28×28; a single number as it is."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "×".join(words(part) for part in value)
    return words(value)


def width(text: str, size: float) -> float:
    """Return an estimate, on the large side, of a line's width; same unit as the font's `size`."""
    return size * sum(_em(character) for character in text)


def fit(text: str, space: float, size: float) -> str:
    """Return `text`, cut with an ellipsis where it would be wider than `space`."""
    if width(text, size) <= space:
        return text
    left = space - width("…", size)
    for end, character in enumerate(text):
        left -= size * _em(character)
        if left < 0:
            return text[:end].rstrip() + "…"
    return text


def _em(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF" or character in "mwMW@%…":
        return 1.05
    if not character.isascii():
        return 0.9
    if character in " .,:;!|'ijlIft":
        return 0.42
    return 0.8 if character.isupper() else 0.64
