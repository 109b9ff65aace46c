"""What one word of a written network means: numbers, sizes, paddings, switches."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from striate.errors import nearest
from striate.network._size import Padding, Sides, Size

_NUMBER = "[0-9]{1,9}"
_SIZE = re.compile(rf"{_NUMBER}([x×]{_NUMBER})*")
_SIDE = rf"{_NUMBER}(\+{_NUMBER})?"
_PADDING = re.compile(rf"{_SIDE}([x×]{_SIDE})*")
_SHARE = re.compile(r"[0-9]{0,9}\.?[0-9]{0,30}(e-?[0-9]{1,3})?")


@dataclass(frozen=True)
class Word:
    """A word of a text and where it stands there."""

    text: str
    start: int
    end: int


class MisreadError(Exception):
    """Words that aren't understood; `word` is None where something is missing at the end.

    Caught by the parser, which adds the place.
    """

    def __init__(self, why: str, word: Word | None) -> None:
        super().__init__(why)
        self.why, self.word = why, word


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of value: how it is read (None where it can't be), what is expected, known words."""

    read: Callable[[str], Any]
    expected: str
    choices: tuple[str, ...] = ()


def choice(words: Iterable[str]) -> Kind:
    """Return the kind of one of these words."""
    known = tuple(words)
    return Kind(
        read=lambda text: text if text in known else None,
        expected=", ".join(known[:-1]) + f" or {known[-1]}",
        choices=known,
    )


def _size(text: str) -> Size | None:
    if not _SIZE.fullmatch(text):
        return None
    numbers = tuple(int(part) for part in re.split("[x×]", text))
    return numbers[0] if len(numbers) == 1 else numbers


def _padding(text: str) -> Padding | None:
    if text == "same":
        return "same"
    if text == "valid":
        return 0
    if not _PADDING.fullmatch(text):
        return None
    parts = tuple(_side(part) for part in re.split("[x×]", text))
    return parts[0] if len(parts) == 1 else parts


def _side(text: str) -> int | Sides:
    before, plus, after = text.partition("+")
    return Sides(int(before), int(after)) if plus else int(before)


def _share(text: str) -> float | None:
    has_digit = any(digit in text for digit in "0123456789")
    return float(text) if has_digit and _SHARE.fullmatch(text) and text[0] != "e" else None


WHOLE = Kind(
    read=lambda text: int(text) if re.fullmatch(_NUMBER, text) else None,
    expected="a whole number",
)
SIZE = Kind(read=_size, expected="a number, or one for each axis as in 3x5")
PADDING = Kind(
    read=_padding,
    expected="same, valid or a number; 1x2 for each axis, 0+1 for before and after",
    choices=("same", "valid"),
)
SHARE = Kind(read=_share, expected="a number from 0 to below 1")
SWITCH = Kind(
    read=lambda text: {"on": True, "off": False}.get(text),
    expected="on or off",
    choices=("on", "off"),
)
FLAG = Kind(read=bool, expected="nothing")
"""An option that stands alone."""


class Reader:
    """The words of one layer, read one after the other."""

    def __init__(self, words: list[Word], layers: Iterable[str]) -> None:
        self.layer = words[0].text
        self.layers = tuple(layers)
        self._words = words
        self._at = 1

    def take(self, what: str, kind: Kind) -> Any:
        """Return the value of the next word; `what` it is goes into the message."""
        if self._at == len(self._words):
            last = self._words[-1].text
            raise MisreadError(
                f"expected {what} ({kind.expected}) after '{last}', but the layer ends there.", None
            )
        word = self._words[self._at]
        value = kind.read(word.text)
        if value is None:
            near = nearest(word.text, kind.choices)
            raise MisreadError(f"expected {what} ({kind.expected}), got '{word.text}'.{near}", word)
        self._at += 1
        return value

    def options(self, known: dict[str, Kind]) -> dict[str, Any]:
        """Return all further words as options by name."""
        found: dict[str, Any] = {}
        while self._at < len(self._words):
            word = self._words[self._at]
            if word.text not in known:
                raise MisreadError(self._unknown(word.text, known), word)
            if word.text in found:
                raise MisreadError(f"'{word.text}' is given twice.", word)
            self._at += 1
            kind = known[word.text]
            found[word.text] = True if kind is FLAG else self.take(word.text, kind)
        return found

    def _unknown(self, text: str, known: dict[str, Kind]) -> str:
        if text in self.layers and text not in known:
            return f"'{text}' is a layer of its own. Put '|' before it."
        if not known:
            return f"{self.layer} takes nothing more, got '{text}'."
        takes = f"It takes {', '.join(known)}."
        return f"{self.layer} has no option '{text}'.{nearest(text, known)} {takes}"
