"""Pictures that lie in one array."""

from typing import Any

import numpy as np
import numpy.typing as npt

from striate.errors import SourceError
from striate.image import MAX_PIXELS, Fitted, Shape, fit_array, to_channels


class ArrayPictures:
    """Pictures in memory; see `Pictures`.

    `array` is uint8 (N, H, W, C), C-contiguous, so that a store can take it as it is.
    """

    def __init__(self, array_NHWC: npt.NDArray[np.uint8], names: "RowNames") -> None:
        self.array = np.ascontiguousarray(array_NHWC)
        self._names = names

    def __len__(self) -> int:
        return len(self.array)

    def name(self, position: int) -> str:
        """Return "row 17", or with parts "test row 17"; rows count from 0 as in NumPy."""
        return self._names.name(position)

    def file(self, position: int) -> None:
        """Return None: there is no file."""

    def size(self, position: int) -> tuple[int, int, int]:
        """Return (height, width, channels), the same for all."""
        height, width, channels = self.array[position].shape
        return height, width, channels

    def read(self, position: int, channels: int | None = None) -> npt.NDArray[np.uint8]:
        """Return one picture, uint8 (H, W, C)."""
        picture = self.array[position]
        return picture if channels in (None, picture.shape[2]) else to_channels(picture, channels)

    def load(
        self,
        position: int,
        shape: Shape,
        max_pixels: int = MAX_PIXELS,  # noqa: ARG002 - the protocol's
    ) -> Fitted:
        """Return one picture brought to a size; what lies in memory is never too large."""
        return fit_array(self.array[position], shape)


class RowNames:
    """Names of rows, counted from 0 within each part."""

    def __init__(self, lengths: dict[str, int]) -> None:
        """Take the number of rows of each part in order; a part called "" adds no word."""
        self._words = [f"{part} row" if part else "row" for part in lengths]
        self._starts = np.cumsum([0, *lengths.values()])

    def name(self, position: int) -> str:
        """Return the name of the row at a position of all parts one after the other."""
        part = int(np.searchsorted(self._starts, position, side="right")) - 1
        return f"{self._words[part]} {position - int(self._starts[part])}"


def as_pictures(array: npt.NDArray[Any], what: str, notes: list[str]) -> npt.NDArray[np.uint8]:
    """Return an array of pictures as uint8 (N, H, W, C), C = 1 or 3.

    Taken are (N, H, W), (N, H, W, C) and (N, C, H, W), uint8 or floating point from 0 to 1. The
    channels of a 4-D array are its last axis where that has length 1 or 3, else its second.
    `what` names the array in messages; a conversion goes to `notes`.

    Raises SourceError for any other shape, type or range.
    """
    shaped = _channels_last(array, what)
    if 0 in shaped.shape[1:]:
        raise SourceError(f"{what} have the shape {_shape(array)}: there are no pixels in them.")
    if shaped.dtype == np.uint8:
        return shaped
    if not np.issubdtype(shaped.dtype, np.floating):
        raise SourceError(
            f"{what} are of type {shaped.dtype}. Expected uint8 from 0 to 255, or floating point "
            "from 0 to 1. Convert them, for example with .astype(numpy.uint8)."
        )
    low, high = shaped.min(initial=0), shaped.max(initial=0)
    if np.isnan(low) or np.isnan(high):
        raise SourceError(
            f"{what} hold NaN. Expected floating point from 0 to 1, or uint8 from 0 to 255."
        )
    if not (low >= 0 and high <= 1):
        raise SourceError(
            f"{what} run from {low:g} to {high:g}. Expected floating point from 0 to 1, or uint8 "
            "from 0 to 255."
        )
    notes.append(f"{what} are {shaped.dtype}: they were multiplied by 255 and rounded to uint8.")
    rounded: npt.NDArray[np.uint8] = np.rint(shaped * 255).astype(np.uint8)
    return rounded


def _channels_last(array: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
    if array.ndim == 3:
        return array[..., None]
    if array.ndim == 4 and array.shape[3] in (1, 3):
        return array
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return array.transpose(0, 2, 3, 1)
    raise SourceError(
        f"{what} have the shape {_shape(array)}. Expected (N, height, width), or (N, height, "
        f"width, channels) or (N, channels, height, width) with 1 or 3 channels.{_side(array)}"
    )


def _side(array: npt.NDArray[Any]) -> str:
    """Return how flat rows would be brought into shape, where they are squares."""
    side = int(np.sqrt(array.shape[1])) if array.ndim == 2 else 0
    square = side > 0 and side**2 == array.shape[1]
    return f" Did you mean .reshape(-1, {side}, {side})?" if square else ""


def _shape(array: npt.NDArray[Any]) -> str:
    return "(" + ", ".join(map(str, array.shape)) + ")"


def joined(pictures: dict[str, npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Return the pictures of all parts one after the other; raise SourceError if sizes differ."""
    shapes = {part: array.shape[1:] for part, array in pictures.items()}
    if len(set(shapes.values())) > 1:
        each = "; ".join(f"{part}: {h} × {w} × {c}" for part, (h, w, c) in shapes.items())
        raise SourceError(
            f"The pictures of the parts differ in height, width or channels ({each}). Expected "
            "one size for all."
        )
    arrays = list(pictures.values())
    if not sum(map(len, arrays)):
        raise SourceError("The arrays hold no pictures.")
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
