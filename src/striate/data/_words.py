"""Words for messages: lists cut short, names in natural order, parts by their usual names."""

import re
from collections.abc import Iterable, Sequence

from striate.data._source import TEST, TRAIN, VALIDATION

PART_WORDS = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
    "testing": TEST,
}
"""How folders, columns and arrays call the three parts, in lower case."""


def part_of(word: str) -> int | None:
    """Return TRAIN, VALIDATION or TEST for a part's usual name, None for any other word.

    >>> part_of("Valid") == VALIDATION, part_of("dev")
    (True, None)
    """
    return PART_WORDS.get(word.strip().casefold())


def natural_key(word: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a sort key in which numbers inside names count as numbers.

    >>> sorted(["10", "9", "b2", "B10"], key=natural_key)
    ['9', '10', 'b2', 'B10']
    """
    pieces = re.split(r"([0-9]+)", word.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces if p], word


def are_characters(names: Iterable[str]) -> bool:
    """Return True where every class is called by one letter or a number.

    Such pictures are taken for letters and digits, which a flip turns into something else.

    >>> are_characters(["A", "b"]), are_characters(["9", "10"]), are_characters(["ant", "bee"])
    (True, True, False)
    """
    return all(name.isdecimal() or (len(name) == 1 and name.isalnum()) for name in names)


def some(words: Iterable[object], limit: int = 3) -> str:
    """Return the first `limit` words of a list, and how many more there are.

    >>> some("abcde")
    'a, b, c and 2 more'
    """
    every = [str(word) for word in words]
    rest = len(every) - limit
    return ", ".join(every[:limit]) + (f" and {rest:,} more" if rest > 0 else "")


def ticked(names: Sequence[str], limit: int = 3) -> str:
    """Return column names for a sentence.

    >>> ticked(["a"]), ticked(["a", "b", "c"])
    ('`a`', '`a`, `b` and `c`')
    """
    marked = [f"`{name}`" for name in names]
    if len(marked) > limit:
        return some(marked, limit)
    return " and ".join([", ".join(marked[:-1]), marked[-1]] if len(marked) > 1 else marked)


def readable(name: str) -> str:
    """Return a file's name as text that UTF-8 can write.

    Bytes that aren't UTF-8 reach Python as lone surrogates, which no file or page could hold.

    >>> readable("caf\\udce9.png")
    'caf\\\\xe9.png'
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it has to be.

    >>> count(1, "picture"), count(2000, "picture"), count(2, "class")
    ('1 picture', '2,000 pictures', '2 classes')
    """
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
