"""Flips and crops by themselves: windows of a picture, pixel for pixel."""

import numpy as np

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws
from striate.data._geometry import Pixels, Place, border, crop_steps, flips, opencv

# What cv2.flip calls: both sides, top and bottom, left and right; by (x flipped, y flipped).
_CODES = {(True, True): -1, (False, True): 0, (True, False): 1}


def make_windows(augmentation: Augmentation, draws: Draws, margin: int) -> Place:
    """Return what writes each picture flipped and cropped as its matrix says, without interpolation.

    A crop shows the margin's pixels first, and the fill only beyond them.
    """
    signs = flips(augmentation, draws).astype(np.int64)
    # What moves right after the flip came from the right before it.
    starts = (margin - signs * crop_steps(augmentation, draws)).tolist()
    turned = (signs < 0).tolist()

    def place(index: int, wide: Pixels, out_HWC: Pixels) -> None:
        window = _window(wide, starts[index], out_HWC.shape, augmentation)
        code = _CODES.get((turned[index][0], turned[index][1]))
        if code is None:
            out_HWC[...] = window
        else:
            opencv().flip(window, code, dst=out_HWC)

    return place


def _window(
    wide: Pixels, start: list[int], shape: tuple[int, ...], augmentation: Augmentation
) -> Pixels:
    left, top = start
    height, width, channels = shape
    before_x, before_y = max(0, -left), max(0, -top)
    after_x = max(0, left + width - wide.shape[1])
    after_y = max(0, top + height - wide.shape[0])
    if before_x or before_y or after_x or after_y:
        wide = opencv().copyMakeBorder(
            wide,
            before_y,
            after_y,
            before_x,
            after_x,
            border(augmentation.fill),
            value=(augmentation.fill_value,) * channels,
        )
        left, top = left + before_x, top + before_y
    return wide[top : top + height, left : left + width].reshape(shape)
