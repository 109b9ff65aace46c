"""The embedded digits: 1,797 handwritten digits of 8×8 pixels (see `scripts/make_digits`)."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._source import PARTS, TEST, TRAIN

Arrays = dict[str, npt.NDArray[Any]]


def digits() -> tuple[Arrays, Arrays]:
    """Return pictures uint8 (N, 8, 8, 1) and digits int64 (N,), each by part.

    The fixed test part has 36 pictures of each digit. Pixels are scikit-learn's `load_digits`,
    0 to 16, times 255 / 16, rounded.
    """
    with files("striate.data").joinpath("digits.npz").open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        pictures, targets, parts = loaded["images"], loaded["targets"], loaded["parts"]
    inside = {PARTS[part]: parts == part for part in (TRAIN, TEST)}
    return (
        {part: pictures[mask][..., None] for part, mask in inside.items()},
        {part: targets[mask].astype(np.int64) for part, mask in inside.items()},
    )


def write_digits(folder: Path, size: int | None = None) -> None:
    """Write the digits as PNG files: `train/<digit>/0000.png` and so on, and `test/` likewise.

    Args:
        folder: made where it is missing; files of the same name are replaced.
        size: side in pixels to which pictures are enlarged (bicubic); None keeps 8.
    """
    from PIL import Image

    pictures, targets = digits()
    for part in pictures:
        for number, (picture, digit) in enumerate(zip(pictures[part], targets[part], strict=True)):
            below = folder / part / str(digit)
            below.mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(picture[..., 0])
            if size is not None:
                image = image.resize((size, size), Image.Resampling.BICUBIC)
            image.save(below / f"{number:04d}.png")
