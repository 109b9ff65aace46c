"""What tells the class without a look at the picture: the file's name, its format, its size."""

import re
from collections.abc import Hashable, Iterable, Sequence
from pathlib import PurePath

import numpy as np
import numpy.typing as npt

from striate.answer import Classification
from striate.data._source import Finding, Source
from striate.data._words import some

# Share of pictures whose class is told. Below 1, so that one stray file doesn't hide the rest.
_TELLS = 0.99
# No class may be that common: guessing it would "tell" as much.
_COMMON = 0.9
_FEWEST = 10

_RUNS = re.compile(r"[^\W\d_]+|\d+")


def telling_findings(
    source: Source, sizes: npt.NDArray[np.int32], readable: npt.NDArray[np.bool_]
) -> tuple[Finding, ...]:
    """Return what tells the class of nearly every picture, and shouldn't.

    A name counts by its form: digits become "#", and a word that begins the class's name, or that
    the class's name begins with, is left out, so that `ants/ant_001.jpg` beside `bees/bee_001.jpg`
    tells nothing. Names are never shown to a network; but where those of one class are IMG_0001
    and those of another DSC_0001, the classes come from two cameras, and the network may learn
    to tell the cameras apart. A size or format per class does the same harm, and a network sees it.
    """
    answer = source.answer
    positions = np.flatnonzero(readable)
    files = [source.pictures.file(int(position)) for position in positions]
    targets = source.targets[positions]
    paths = [file for file in files if file is not None]
    if not isinstance(answer, Classification) or len(paths) < len(files):
        return ()
    classes = answer.classes
    words = [name.casefold() for name in classes]
    names = [name_form(path, words[target]) for path, target in zip(paths, targets.tolist())]
    features: dict[str, Sequence[Hashable]] = {
        "form of the file's name": names,
        "file's suffix": [path.suffix.lower() for path in paths],
        "picture's height and width": [f"{h} × {w}" for h, w, _ in sizes[positions].tolist()],
        "number of channels": ["grey" if c == 1 else "colour" for _, _, c in sizes[positions]],
    }
    return tuple(
        Finding(
            kind="telling",
            sentence=f"The {what} tells the class: {examples}. If the classes come from different "
            "sources, a network may learn the source in place of the class.",
            fault=False,
        )
        for what, values in features.items()
        if (examples := _told(values, targets, classes))
    )


def name_form(file: PurePath, label: str) -> str:
    """Return a file's name without its suffix, in a form that counts don't change.

    >>> name_form(PurePath("IMG_0412.jpg"), "cat"), name_form(PurePath("cat (3).jpg"), "cats")
    ('img_#', ' (#)')
    """

    def shorten(found: re.Match[str]) -> str:
        run = found[0]
        if run.isdecimal():
            return "#"
        return "" if label.startswith(run) or run.startswith(label) else run

    return _RUNS.sub(shorten, file.stem.casefold())


def _told(
    values: Sequence[Hashable], targets: npt.NDArray[np.int64], classes: Sequence[str]
) -> str:
    """Return an example for each class where values tell it; "" where they don't.

    They do where at most two values a class are common (each with 10 pictures or more), and the
    class that is most frequent for its value is right for 99 % of all pictures.
    """
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    codes = np.array([numbers[value] for value in values])
    present = np.unique(targets)
    if len(numbers) < 2 or len(numbers) > len(values) // _FEWEST:
        return ""
    table = np.zeros((len(numbers), len(classes)), np.int64)
    np.add.at(table, (codes, targets), 1)
    common = table[table.sum(axis=1) >= _FEWEST]
    told = common.max(axis=1, initial=0).sum() / len(values)
    largest = table.sum(axis=0).max() / len(values)
    if told < _TELLS or largest > _COMMON or len(common) > 2 * len(present):
        return ""
    usual = table.argmax(axis=0)
    every = list(numbers)
    if len({usual[target] for target in present}) < len(present):
        return ""
    return some(_examples(every, usual, present, classes))


def _examples(
    every: Sequence[Hashable],
    usual: npt.NDArray[np.int64],
    present: Iterable[int],
    classes: Sequence[str],
) -> Iterable[str]:
    return (f"'{every[usual[target]]}' for '{classes[target]}'" for target in present)
