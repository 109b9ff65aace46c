"""Where augmentation moves the pixels: one matrix per sample, and one warp that obeys it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Floats, Parameter

Pixels = npt.NDArray[np.uint8]

_PAD_MODES: dict[str, Any] = {
    "nearest": "edge",
    "reflect": "reflect",
    "wrap": "wrap",
    "constant": "constant",
}


def draw_matrices(augmentation: Augmentation, draws: Draws, height: int, width: int) -> Floats:
    """Return float64 (B, 2, 3): (x, y, 1) of the store's picture → (x, y) of the augmented one.

    x counts columns, y rows downward, whole numbers are the centres of pixels. About the
    picture's centre it is flipped, zoomed, sheared (a lean of `shear` moves what is below the
    centre to the right by tan(shear) per pixel), rotated (counter-clockwise as seen), then
    shifted, then moved by the crop.
    """
    linear = _linear(augmentation, draws)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    size = np.array([width, height])
    shift = np.stack(
        [
            draws.around(0, Parameter.SHIFT_X, augmentation.shift),
            draws.around(0, Parameter.SHIFT_Y, augmentation.shift),
        ],
        axis=1,
    )
    crop = _crop_steps(augmentation, draws)
    offset = centre + shift * size + crop - linear @ centre
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def warp(
    pictures_BHWC: Pixels, matrices: Floats, augmentation: Augmentation, out_BHWC: Pixels
) -> None:
    """Write every picture, moved by its matrix with one bilinear interpolation, to `out_BHWC`."""
    cv2 = opencv()
    borders = {
        "nearest": cv2.BORDER_REPLICATE,
        "reflect": cv2.BORDER_REFLECT_101,
        "wrap": cv2.BORDER_WRAP,
        "constant": cv2.BORDER_CONSTANT,
    }
    height, width, channels = pictures_BHWC.shape[1:]
    for picture, matrix, out in zip(pictures_BHWC, matrices, out_BHWC):
        cv2.warpAffine(
            picture,
            matrix,
            (width, height),
            dst=out,
            flags=cv2.INTER_LINEAR,
            borderMode=borders[augmentation.fill],
            borderValue=(augmentation.fill_value,) * channels,
        )


def move(pictures_BHWC: Pixels, augmentation: Augmentation, draws: Draws) -> Pixels:
    """Return the pictures flipped and cropped as their matrices say, without interpolation."""
    moved = pictures_BHWC.copy()
    for axis, parameter, wanted in (
        (2, Parameter.HORIZONTAL_FLIP, augmentation.horizontal_flip),
        (1, Parameter.VERTICAL_FLIP, augmentation.vertical_flip),
    ):
        flipped = draws.sign(parameter, wanted) < 0
        moved[flipped] = np.flip(moved[flipped], axis)
    return _cropped(moved, augmentation, draws) if augmentation.crop else moved


def opencv() -> Any:
    """Return cv2 with its own threads off: samples are spread over ours.

    The switch is OpenCV's own and holds for the whole process.
    """
    import cv2

    if cv2.getNumThreads() != 1:
        cv2.setNumThreads(1)
    return cv2


def _linear(augmentation: Augmentation, draws: Draws) -> Floats:
    angle = np.radians(draws.around(0, Parameter.ROTATION, augmentation.rotation))
    lean = np.tan(np.radians(draws.around(0, Parameter.SHEAR, augmentation.shear)))
    flip_x = draws.sign(Parameter.HORIZONTAL_FLIP, augmentation.horizontal_flip)
    flip_y = draws.sign(Parameter.VERTICAL_FLIP, augmentation.vertical_flip)
    zoom_x = flip_x * draws.around(1, Parameter.ZOOM_X, augmentation.zoom)
    zoom_y = flip_y * draws.around(1, Parameter.ZOOM_Y, augmentation.zoom)
    cos, sin = np.cos(angle), np.sin(angle)
    # Rotation [[cos, sin], [-sin, cos]] (y points down) times shear [[1, lean], [0, 1]] times
    # zoom [[zoom_x, 0], [0, zoom_y]].
    first = np.stack([cos * zoom_x, (cos * lean + sin) * zoom_y], axis=1)
    second = np.stack([-sin * zoom_x, (-sin * lean + cos) * zoom_y], axis=1)
    return np.stack([first, second], axis=1)


def _crop_steps(augmentation: Augmentation, draws: Draws) -> npt.NDArray[np.int64]:
    if not augmentation.crop:
        return np.zeros((len(draws), 2), np.int64)
    x = draws.step(Parameter.CROP_X, augmentation.crop)
    return np.stack([x, draws.step(Parameter.CROP_Y, augmentation.crop)], axis=1)


def _cropped(pictures_BHWC: Pixels, augmentation: Augmentation, draws: Draws) -> Pixels:
    by = augmentation.crop
    height, width = pictures_BHWC.shape[1:3]
    mode = _PAD_MODES[augmentation.fill]
    value = {"constant_values": augmentation.fill_value} if mode == "constant" else {}
    padded = np.pad(pictures_BHWC, ((0, 0), (by, by), (by, by), (0, 0)), mode, **value)
    cropped = np.empty_like(pictures_BHWC)
    starts = by - _crop_steps(augmentation, draws)
    for out, picture, (left, top) in zip(cropped, padded, starts.tolist()):
        out[...] = picture[top : top + height, left : left + width]
    return cropped
