"""How augmentation changes the pixels' values where they are: colour, blur and erasing."""

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Floats, Parameter
from striate.data._geometry import Pixels, opencv

# ITU-R 601-2, as Pillow's mode L.
LUMA = (0.299, 0.587, 0.114)

Change = Callable[[int, Pixels], None]
"""Called with a sample's number in the batch and its picture, which it changes in place."""


class ColourMaps(NamedTuple):
    """One affine map of a pixel's channels for every sample.

    A pixel p becomes `linear` p + `pull` m, m being the mean grey of the sample's picture: contrast
    draws every pixel towards it.

    Attributes:
        linear_BCC: float64.
        pull_B: float64.
        luma_C: float64, the weights of the channels in grey.
    """

    linear_BCC: Floats
    pull_B: Floats
    luma_C: Floats


def draw_colours(augmentation: Augmentation, draws: Draws, channels: int) -> ColourMaps:
    """Return brightness, then contrast, then saturation, then hue, as one map per sample.

    Brightness multiplies pixels, contrast their distance from the picture's mean grey, saturation
    that from their own grey. Hue turns them about the axis of greys (Rodrigues' rotation formula):
    by a third of the circle red becomes green, green blue and blue red; in between it turns the hue
    of HSV by the same angle within 2.3°, but keeps R + G + B and the distance from grey instead of
    HSV's value and saturation. Grey pictures have neither saturation nor hue.
    """
    brightness = draws.around(1, Parameter.BRIGHTNESS, augmentation.brightness)
    contrast = draws.around(1, Parameter.CONTRAST, augmentation.contrast)
    linear = np.multiply.outer(brightness * contrast, np.eye(channels))
    luma = np.array(LUMA) if channels == 3 else np.ones(1)
    if channels == 3:
        saturation = draws.around(1, Parameter.SATURATION, augmentation.saturation)[:, None, None]
        turns = draws.around(0, Parameter.HUE, augmentation.hue)
        linear = _hue(turns) @ (saturation * np.eye(3) + (1 - saturation) * luma) @ linear
    return ColourMaps(linear, brightness * (1 - contrast), luma)


def make_recolour(augmentation: Augmentation, draws: Draws, channels: int) -> Change:
    """Return what applies a picture's `draw_colours`, rounded and clipped once."""
    cv2 = opencv()
    linear_BCC, pull_B, luma_C = draw_colours(augmentation, draws, channels)
    maps = np.concatenate([linear_BCC, np.zeros((len(draws), channels, 1))], axis=2)

    def recolour(index: int, picture: Pixels) -> None:
        if augmentation.contrast:
            mean = float(luma_C @ cv2.mean(picture)[:channels])
            maps[index, :, channels] = pull_B[index] * mean
        cv2.transform(picture, maps[index], dst=picture)

    return recolour


def make_blur(augmentation: Augmentation, draws: Draws) -> Change:
    """Return what blurs a picture by a Gaussian, its deviation drawn evenly from 0 to `blur`.

    The kernel reaches three deviations to either side; beyond the edges the picture is mirrored.
    """
    cv2 = opencv()
    deviations = draws.up_to(Parameter.BLUR, augmentation.blur).tolist()

    def blur(index: int, picture: Pixels) -> None:
        side = 2 * ceil(3 * deviations[index]) + 1
        cv2.GaussianBlur(
            picture,
            (side, side),
            deviations[index],
            dst=picture,
            borderType=cv2.BORDER_REFLECT_101,
        )

    return blur


def make_erase(augmentation: Augmentation, draws: Draws, height: int, width: int) -> Change:
    """Return what fills one rectangle of a picture, drawn by `draw_boxes`, with `fill_value`."""
    boxes = draw_boxes(augmentation, draws, height, width).tolist()

    def erase(index: int, picture: Pixels) -> None:
        top, bottom, left, right = boxes[index]
        picture[top:bottom, left:right] = augmentation.fill_value

    return erase


def draw_boxes(
    augmentation: Augmentation, draws: Draws, height: int, width: int
) -> npt.NDArray[np.int64]:
    """Return int64 (B, 4): top, bottom, left, right of the rectangles, bottom and right excluded.

    The area is drawn evenly from 0 to `erase` of the picture's, the ratio of the sides from 1/2 to
    2 (evenly in the logarithm), the place evenly among those inside the picture.
    """
    heights, widths = _sides(augmentation, draws, height, width)
    tops = np.floor(draws.unit(Parameter.ERASE_Y) * (height - heights + 1)).astype(np.int64)
    lefts = np.floor(draws.unit(Parameter.ERASE_X) * (width - widths + 1)).astype(np.int64)
    bottoms, rights = tops + heights, lefts + widths
    return np.stack([tops, bottoms, lefts, rights], axis=1).astype(np.int64)


def _sides(
    augmentation: Augmentation, draws: Draws, height: int, width: int
) -> tuple[Floats, Floats]:
    area = augmentation.erase * height * width * draws.unit(Parameter.ERASE_AREA)
    ratio = 2 ** draws.around(0, Parameter.ERASE_ASPECT, 1)
    heights = np.minimum(np.rint(np.sqrt(area * ratio)), height)
    widths = np.minimum(np.rint(np.sqrt(area / ratio)), width)
    return heights, widths


def _hue(turns_B: Floats) -> Floats:
    """Return (B, 3, 3): the rotations of RGB about (1, 1, 1) by a fraction of the circle."""
    angle = 2 * np.pi * turns_B
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    # Crossing with the unit vector along the axis takes red to green minus blue.
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    rotations: Floats = cos * np.eye(3) + sin * across + (1 - cos) / 3
    return rotations
