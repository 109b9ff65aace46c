"""How augmentation changes the pixels' values: brightness, contrast, saturation, erasing."""

import numpy as np

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Floats, Parameter
from striate.data._geometry import Pixels, opencv

# ITU-R 601-2, as Pillow's mode L.
_LUMA = np.array([0.299, 0.587, 0.114])


def recolour(pictures_BHWC: Pixels, augmentation: Augmentation, draws: Draws) -> None:
    """Change brightness, then contrast, then saturation of every picture, in place.

    The three are one affine map of a pixel's channels, rounded and clipped once. Saturation means
    nothing to grey pictures.
    """
    cv2 = opencv()
    channels = pictures_BHWC.shape[3]
    brightness = draws.around(1, Parameter.BRIGHTNESS, augmentation.brightness)
    contrast = draws.around(1, Parameter.CONTRAST, augmentation.contrast)
    saturation = draws.around(1, Parameter.SATURATION, augmentation.saturation)
    luma = _LUMA if channels == 3 else np.ones(1)
    for index, picture in enumerate(pictures_BHWC):
        grey = float(luma @ cv2.mean(picture)[:channels]) * brightness[index]
        map_ = np.empty((channels, channels + 1))
        map_[:, :channels] = saturation[index] * np.eye(channels) + (1 - saturation[index]) * luma
        map_[:, :channels] *= brightness[index] * contrast[index]
        map_[:, channels] = (1 - contrast[index]) * grey
        cv2.transform(picture, map_, dst=picture)


def erase(pictures_BHWC: Pixels, augmentation: Augmentation, draws: Draws) -> None:
    """Fill one rectangle of every picture with `fill_value`, in place.

    Its area is drawn evenly from 0 to `erase` of the picture's, the ratio of its sides from 1/2 to
    2 (evenly in the logarithm), its place evenly among those inside the picture.
    """
    height, width = pictures_BHWC.shape[1:3]
    heights, widths = _sides(augmentation, draws, height, width)
    tops = np.floor(draws.unit(Parameter.ERASE_Y) * (height - heights + 1)).astype(np.int64)
    lefts = np.floor(draws.unit(Parameter.ERASE_X) * (width - widths + 1)).astype(np.int64)
    bottoms, rights = tops + heights, lefts + widths
    boxes = np.stack([tops, bottoms, lefts, rights], axis=1).astype(np.int64)
    for picture, (top, bottom, left, right) in zip(pictures_BHWC, boxes.tolist()):
        picture[top:bottom, left:right] = augmentation.fill_value


def _sides(
    augmentation: Augmentation, draws: Draws, height: int, width: int
) -> tuple[Floats, Floats]:
    area = augmentation.erase * height * width * draws.unit(Parameter.ERASE_AREA)
    ratio = 2 ** draws.around(0, Parameter.ERASE_ASPECT, 1)
    heights = np.minimum(np.rint(np.sqrt(area * ratio)), height)
    widths = np.minimum(np.rint(np.sqrt(area / ratio)), width)
    return heights, widths
