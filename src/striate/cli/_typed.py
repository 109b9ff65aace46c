"""Sizes, places, paddings and pictures as `striate arithmetic` takes them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from striate.errors import UsageError, nearest

if TYPE_CHECKING:
    from striate.network._calculator_numbers import Maps
    from striate.network._size import Padding, Size

_NUMBER = "[0-9]{1,4}"
_PAIR = re.compile(f"{_NUMBER}([x×]{_NUMBER})?")
_PLACE = re.compile(f"{_NUMBER},{_NUMBER}")
_FILE = re.compile(r"\.(?!e[0-9])[a-z][a-z0-9]*$", re.IGNORECASE)
_SIDES = re.compile(f"{_NUMBER}(,{_NUMBER}){{3}}")


def read_pair(text: str, option: str) -> tuple[int, int]:
    """Return (height, width) from "3" or "3x5"; raise UsageError for anything else and for 0."""
    pair = _pair(text)
    if pair is None or min(pair) < 1:
        raise UsageError(
            f"{option} takes a number from 1 to 9999, or height and width as 3x5, got '{text}'."
        )
    return pair


def read_size(text: str, option: str) -> "Size":
    """Return what `read_pair` does, a pair of equal numbers as one."""
    return _one(read_pair(text, option))


def read_padding(text: str) -> "Padding":
    """Return padding from "1", "1x2", "0,1,0,1" (top, bottom, left, right), "valid" or "same".

    Raises UsageError for anything else.
    """
    from striate.network._size import Sides

    if text in ("valid", "same"):
        return "same" if text == "same" else 0
    pair = _pair(text)
    if pair is not None:
        return _one(pair)
    if _SIDES.fullmatch(text):
        top, bottom, left, right = map(int, text.split(","))
        return Sides(top, bottom), Sides(left, right)
    raise UsageError(
        "--padding takes a number, height and width as 1x2, the four sides top,bottom,left,right "
        f"as 0,1,0,1, 'valid' or 'same', got '{text}'.{nearest(text, ('valid', 'same'))}"
    )


def names_file(text: str) -> bool:
    """Return whether a text ends as a file's name does, so that it can't be numbers."""
    return _FILE.search(text) is not None


def read_picture(name: str, *, at: str | None, crop: str | None) -> "Maps":
    """Return a picture's pixels, 0 to 255, channel by channel; the part that --at and --crop mean.

    Raises PictureError where it can't be read, and UsageError where the part isn't inside it.
    """
    from striate.image import decode

    pixels_HWC = decode(Path(name), name=name)
    height, width = pixels_HWC.shape[:2]
    rows, columns = (height, width) if crop is None else read_pair(crop, "--crop")
    top, left = _place(at)
    if top + rows > height or left + columns > width:
        raise UsageError(
            f"{name} has {height}×{width} pixels; the part of {rows}×{columns} at {top},{left} "
            "isn't inside it. Give another --at or --crop."
        )
    part_CHW = pixels_HWC[top : top + rows, left : left + columns].transpose(2, 0, 1)
    return tuple(tuple(map(tuple, channel)) for channel in part_CHW.tolist())


def _place(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 0
    if not _PLACE.fullmatch(text):
        raise UsageError(f"--at takes row and column, as 0,0 or 10,4, got '{text}'.")
    row, column = map(int, text.split(","))
    return row, column


def _one(pair: tuple[int, int]) -> "Size":
    return pair[0] if pair[0] == pair[1] else pair


def _pair(text: str) -> tuple[int, int] | None:
    if not _PAIR.fullmatch(text):
        return None
    numbers = [int(number) for number in re.split("[x×]", text)]
    return numbers[0], numbers[-1]
