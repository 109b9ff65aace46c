"""Where augmentation moves the pixels: one matrix per sample, and one warp that obeys it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Floats, Parameter
from striate.data._moves import matrices_of
from striate.data._parts import part_matrices

Pixels = npt.NDArray[np.uint8]

# Pixels from which on it pays to warp four channels instead of three.
_FOUR = 64 * 64

Place = Callable[[int, Pixels, Pixels], None]
"""Called with a sample's number in the batch, its wide picture, and where to write it, moved."""


def draw_matrices(
    augmentation: Augmentation, draws: Draws, height: int, width: int, margin: int = 0
) -> Floats:
    """Return float64 (B, 2, 3): (x, y, 1) of the store's picture → (x, y) of the augmented one.

    x counts columns, y rows downward, whole numbers are the centres of pixels; `height` and
    `width` are without the margin, and 0 is the first pixel after it. A random part is brought to
    the picture's size. About the centre it is flipped, zoomed, sheared (a lean of `shear` moves
    what is below the centre to the right by tan(shear) per pixel), rotated (counter-clockwise as
    seen), then shifted, then moved by the crop.
    """
    moves = matrices_of(
        height=height,
        width=width,
        rotation=draws.around(0, Parameter.ROTATION, augmentation.rotation),
        shear=draws.around(0, Parameter.SHEAR, augmentation.shear),
        zoom=_zooms(augmentation, draws),
        shift=_shifts(augmentation, draws, height, width),
    )
    matrices = np.broadcast_to(moves, (len(draws), 2, 3))
    if not augmentation.resized_crop:
        return matrices
    return compose(matrices, part_matrices(augmentation, draws, height, width, margin))


def compose(second_B23: Floats, first_B23: Floats) -> Floats:
    """Return the matrices (B, 2, 3) that do what `first_B23` does, then `second_B23`."""
    linear = second_B23[:, :, :2] @ first_B23
    linear[:, :, 2] += second_B23[:, :, 2]
    return linear


def from_wide(matrices_B23: Floats, margin: int) -> Floats:
    """Return the matrices for pictures with a margin at every side; see `Store.take_wide`."""
    if not margin:
        return matrices_B23
    wide = matrices_B23.copy()
    wide[:, :, 2] -= margin * (wide[:, :, 0] + wide[:, :, 1])
    return wide


def warp(
    pictures: Sequence[Pixels] | Pixels,
    matrices: Floats,
    augmentation: Augmentation,
    out_BHWC: Pixels,
) -> None:
    """Write every picture, moved by its matrix with one bilinear interpolation, to `out_BHWC`.

    The pictures may be larger than those written: a matrix goes from one to the other.
    """
    place = make_warp(matrices, augmentation, out_BHWC.shape)
    for index, (picture, out_HWC) in enumerate(zip(pictures, out_BHWC)):
        place(index, picture, out_HWC)


def make_warp(matrices_B23: Floats, augmentation: Augmentation, shape: tuple[int, ...]) -> Place:
    """Return what warps one picture; `shape` is (B, H, W, C) of what is written.

    What is returned must not be called by two threads at once.
    """
    cv2 = opencv()
    _, height, width, channels = shape
    mode, value = border(augmentation.fill), (augmentation.fill_value,) * 4

    def warp_affine(picture: Pixels, matrix: Floats, out: Pixels) -> None:
        # By default it interpolates among the four nearest pixels, however far a picture shrinks,
        # so that it would alias. Zooms out are mild, and a random part is at most the stored
        # picture, which shrinks by the margin's share: it magnifies, or is near 1:1.
        cv2.warpAffine(
            picture, matrix, (width, height), dst=out, borderMode=mode, borderValue=value
        )

    if channels == 1 or height * width < _FOUR:
        return lambda index, picture, out_HWC: warp_affine(picture, matrices_B23[index], out_HWC)

    # Four channels a pixel are warped in 60 % of the time of three, to the same values.
    before, after = np.empty((1, 1, 4), np.uint8), np.empty((height, width, 4), np.uint8)

    def place(index: int, picture: Pixels, out_HWC: Pixels) -> None:
        nonlocal before
        before = cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA, dst=before)
        warp_affine(before, matrices_B23[index], after)
        cv2.cvtColor(after, cv2.COLOR_RGBA2RGB, dst=out_HWC)

    return place


def border(fill: str) -> int:
    """Return OpenCV's number of a fill."""
    cv2 = opencv()
    borders: dict[str, int] = {
        "nearest": cv2.BORDER_REPLICATE,
        "reflect": cv2.BORDER_REFLECT_101,
        "wrap": cv2.BORDER_WRAP,
        "constant": cv2.BORDER_CONSTANT,
    }
    return borders[fill]


def opencv() -> Any:
    """Return cv2 with its own threads off: samples are spread over ours.

    The switch is OpenCV's own and holds for the whole process.
    """
    import cv2

    if cv2.getNumThreads() != 1:
        cv2.setNumThreads(1)
    return cv2


def crop_steps(augmentation: Augmentation, draws: Draws) -> npt.NDArray[np.int64]:
    """Return (B, 2): whole pixels to the right and downward by which the crop moves a picture."""
    if not augmentation.crop:
        return np.zeros((len(draws), 2), np.int64)
    x = draws.step(Parameter.CROP_X, augmentation.crop)
    return np.stack([x, draws.step(Parameter.CROP_Y, augmentation.crop)], axis=1)


def flips(augmentation: Augmentation, draws: Draws) -> Floats:
    """Return (B, 2): -1 where left and right, or top and bottom, are exchanged, else 1.

    Only one of them may alternate: two would always come together, or never.
    """
    return np.stack(
        [
            draws.every_other(Parameter.HORIZONTAL_FLIP, augmentation.horizontal_flip),
            draws.sign(Parameter.VERTICAL_FLIP, augmentation.vertical_flip),
        ],
        axis=1,
    )


def _zooms(augmentation: Augmentation, draws: Draws) -> Floats:
    x = draws.around(1, Parameter.ZOOM_X, augmentation.zoom)
    y = draws.around(1, Parameter.ZOOM_Y, augmentation.zoom)
    return flips(augmentation, draws) * np.stack([x, y], axis=1)


def _shifts(augmentation: Augmentation, draws: Draws, height: int, width: int) -> Floats:
    x = draws.around(0, Parameter.SHIFT_X, augmentation.shift)
    y = draws.around(0, Parameter.SHIFT_Y, augmentation.shift)
    return np.stack([x * width, y * height], axis=1) + crop_steps(augmentation, draws)
