"""Which arrays of a `.npz` are pictures, which are targets, and of which part."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from striate.data._source import PARTS, TEST, TRAIN, VALIDATION
from striate.data._targets import texts
from striate.data._words import part_of, some
from striate.errors import SourceError

_PICTURES = frozenset(["images", "image", "imgs", "x", "pictures", "picture", "data"])
_TARGETS = frozenset(["targets", "target", "y", "labels", "label"])
_CLASSES = frozenset(["classes", "class_names"])


@dataclass(frozen=True, kw_only=True)
class Named:
    """The arrays of one part, and what they are called."""

    pictures: npt.NDArray[Any]
    targets: npt.NDArray[Any]
    pictures_name: str
    targets_name: str


def by_part(arrays: Mapping[str, npt.NDArray[Any]], notes: list[str]) -> dict[str, Named]:
    """Return each part's pictures and targets by usual names, in the order of PARTS.

    Pictures are called images, x, pictures or data; targets are called targets, y or labels;
    either may begin or end with its part, as in `x_train` or `val_images`. The part "" means that
    no part was named. Raises SourceError where something is missing.
    """
    found: dict[tuple[str, str], str] = {}
    for name in arrays:
        part, kind = _meaning(name)
        if not kind:
            notes.append(f"The array '{name}' was left out: its name says no use.")
        elif kind != "classes":
            if (part, kind) in found:
                raise SourceError(
                    f"The arrays '{found[part, kind]}' and '{name}' both mean the {kind}"
                    f"{f' of the {part} part' if part else ''}. Keep one of them."
                )
            found[part, kind] = name
    parts = {part for part, _ in found}
    if not parts & {"", PARTS[TRAIN]}:
        raise SourceError(
            "Expected an array of pictures called 'images' or 'x' and one of targets called "
            f"'targets' or 'y', or 'x_train', 'y_train' and so on, but found {_names(arrays)}."
        )
    if {"", PARTS[TRAIN]} <= parts:
        raise SourceError(
            f"The arrays name a training part, but some name no part: {_names(arrays)}. Give each "
            "a part, such as 'x_train', or none."
        )
    order = ["", *(PARTS[part] for part in (TRAIN, VALIDATION, TEST))]
    return {part: _pair(arrays, found, part) for part in order if part in parts}


def class_names(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[str, ...] | None:
    """Return the names of the classes where an array called `classes` gives them."""
    for name, array in arrays.items():
        if _meaning(name)[1] == "classes":
            if array.ndim != 1 or array.dtype.kind not in "US":
                raise SourceError(
                    f"The array '{name}' should hold the classes' names, as text in one row, but "
                    f"it is {array.dtype} with {array.ndim} axes."
                )
            return tuple(texts(array))
    return None


def _meaning(name: str) -> tuple[str, str]:
    """Return (part or "", "pictures", "targets", "classes" or "") of an array's name."""
    words = name.casefold().replace("-", "_").split("_")
    part = ""
    for end in (0, -1):
        number = part_of(words[end]) if len(words) > 1 else None
        if number is not None:
            part = PARTS[number]
            words.pop(end)
            break
    noun = "_".join(words)
    kinds = {"pictures": _PICTURES, "targets": _TARGETS, "classes": _CLASSES}
    return part, next((kind for kind, nouns in kinds.items() if noun in nouns), "")


def _pair(
    arrays: Mapping[str, npt.NDArray[Any]], found: dict[tuple[str, str], str], part: str
) -> Named:
    missing = [kind for kind in ("pictures", "targets") if (part, kind) not in found]
    if missing:
        raise SourceError(
            f"There is no array of {missing[0]}{f' for the {part} part' if part else ''} among "
            f"{_names(arrays)}. Expected pairs such as 'x' and 'y', or 'x_train' and 'y_train'."
        )
    pictures, targets = found[part, "pictures"], found[part, "targets"]
    if arrays[pictures].shape[:1] != arrays[targets].shape[:1] or not arrays[targets].shape:
        raise SourceError(
            f"'{pictures}' has the shape {arrays[pictures].shape} and '{targets}' the shape "
            f"{arrays[targets].shape}. Expected one target for every picture."
        )
    return Named(
        pictures=arrays[pictures],
        targets=arrays[targets],
        pictures_name=pictures,
        targets_name=targets,
    )


def _names(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    return some((f"'{name}'" for name in arrays), 8) or "no arrays"
