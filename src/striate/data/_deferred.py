"""What is left to do with a batch whose pictures an accelerator augments."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Floats
from striate.data._geometry import draw_matrices, from_wide
from striate.data._photometry import ColourMaps, draw_boxes, draw_colours


@dataclass(frozen=True, kw_only=True, eq=False)
class Deferred:
    """The drawn changes of B pictures, to be made in this order: moves, colours, erasing.

    Attributes:
        height, width: of the augmented pictures.
        matrices_B23: float64, (x, y, 1) of the picture with its margin → (x, y) of the augmented
            one; whole numbers are the centres of pixels.
        fill, fill_value: what is seen beyond the edges, and in erased rectangles.
        colours: maps of the pixels' channels, or None.
        boxes_B4: int64 top, bottom, left, right of the erased rectangles, or None.
    """

    height: int
    width: int
    matrices_B23: Floats
    fill: str
    fill_value: int
    colours: ColourMaps | None = None
    boxes_B4: npt.NDArray[np.int64] | None = None


def defer(
    augmentation: Augmentation, draws: Draws, shape: tuple[int, int, int], margin: int
) -> Deferred:
    """Draw what `augment` would do, for pictures of `shape` (H, W, C) without the margin.

    The augmentation must be one with `on_device`: blur and noise can't be deferred.
    """
    height, width, channels = shape
    matrices_B23 = draw_matrices(augmentation, draws, height, width, margin)
    return Deferred(
        height=height,
        width=width,
        matrices_B23=from_wide(matrices_B23, margin),
        fill=augmentation.fill,
        fill_value=augmentation.fill_value,
        colours=draw_colours(augmentation, draws, channels) if augmentation.recolours else None,
        boxes_B4=draw_boxes(augmentation, draws, height, width) if augmentation.erase else None,
    )
