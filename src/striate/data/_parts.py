"""Random-resized crop: which part of a picture is brought back to its size."""

from math import log

import numpy as np

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Floats, Parameter

# Ratio of the sides, as in torchvision's RandomResizedCrop.
_WIDEST = 4 / 3


def part_matrices(
    augmentation: Augmentation, draws: Draws, height: int, width: int, margin: int
) -> Floats:
    """Return float64 (B, 2, 3): (x, y, 1) of the store's picture → (x, y) of its part at full size.

    Coordinates are those of `draw_matrices`.
    """
    left, top, part_width, part_height = draw_parts(augmentation, draws, height, width, margin).T
    scale_x, scale_y = width / part_width, height / part_height
    matrices = np.zeros((len(draws), 2, 3))
    # Edges lie half a pixel outside the centres of the outer pixels.
    matrices[:, 0, 0], matrices[:, 0, 2] = scale_x, (0.5 - left) * scale_x - 0.5
    matrices[:, 1, 1], matrices[:, 1, 2] = scale_y, (0.5 - top) * scale_y - 0.5
    return matrices


def draw_parts(
    augmentation: Augmentation, draws: Draws, height: int, width: int, margin: int
) -> Floats:
    """Return float64 (B, 4): left, top, width, height of every sample's part, in pixels.

    The part lies in the stored picture: 0 is the first edge after the margin, so that left may be
    as small as -margin. Its area is drawn evenly, then the ratio of its sides, evenly in the
    logarithm, from those among 3/4 to 4/3 times the picture's with which it fits. So it needs no
    second try, and areas stay evenly spread; torchvision tries ten times, then takes the centre.
    """
    smallest = augmentation.resized_crop
    area = smallest + (1 - smallest) * draws.unit(Parameter.PART_AREA)
    wide, high = width + 2 * margin, height + 2 * margin
    # Sides are counted in the stored picture's, so that a part fits where area × ratio and area /
    # ratio are at most 1. The picture's own ratio isn't quite the stored one's.
    own = log(width * high / (height * wide))
    least = np.maximum(min(0.0, own - log(_WIDEST)), np.log(area))
    most = np.minimum(max(0.0, own + log(_WIDEST)), -np.log(area))
    ratio = np.exp(least + (most - least) * draws.unit(Parameter.PART_RATIO))
    part_width, part_height = wide * np.sqrt(area * ratio), high * np.sqrt(area / ratio)
    left = (wide - part_width) * draws.unit(Parameter.PART_X) - margin
    top = (high - part_height) * draws.unit(Parameter.PART_Y) - margin
    return np.stack([left, top, part_width, part_height], axis=1)
