"""Sentences about the pictures of a store and the cache."""

from collections.abc import Iterable, Mapping

from striate.data._words import count, some

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def notes_in_words(notes: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return a sentence for each phrase, with the names of the first pictures it is said about.

    >>> notes_in_words({"the colour profile is broken and was ignored": ["b.jpg", "a.jpg"]})
    ('2 pictures: the colour profile is broken and was ignored: a.jpg, b.jpg.',)
    """
    sentences = []
    for phrase in sorted(notes):
        names = sorted(notes[phrase])
        sentences.append(f"{count(len(names), 'picture')}: {phrase}: {some(names)}.")
    return tuple(sentences)


def size_in_words(size: int) -> str:
    """Return a number of bytes in the largest unit that it has one of.

    >>> size_in_words(500), size_in_words(3 << 20), size_in_words(20 << 30)
    ('500 bytes', '3.0 MiB', '20.0 GiB')
    """
    power = min((size.bit_length() - 1) // 10, len(_UNITS) - 1) if size else 0
    return f"{size / 1024**power:.1f} {_UNITS[power]}" if power else f"{size} bytes"
