"""Given moves as matrices: the arithmetic of augmentation's warp, without its random numbers."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def matrices_of(
    *,
    height: int,
    width: int,
    rotation: npt.ArrayLike = 0.0,
    shear: npt.ArrayLike = 0.0,
    zoom: npt.ArrayLike = (1.0, 1.0),
    shift: npt.ArrayLike = (0.0, 0.0),
) -> Floats:
    """Return float64 (B, 2, 3): (x, y, 1) of a picture → (x, y) of the moved one, for `warp`.

    x counts columns, y rows downward, whole numbers are the centres of pixels. About the picture's
    centre it is zoomed, sheared, rotated, then shifted.

    Args:
        height, width: of the picture, pixels.
        rotation: degrees, counter-clockwise as seen; a number, or (B,).
        shear: degrees by which upright lines lean: what is below the centre moves to the right by
            tan(shear) per pixel; a number, or (B,).
        zoom: factors for x and y; a negative one flips. (2,) or (B, 2).
        shift: pixels to the right and downward, (2,) or (B, 2).
    """
    zoom_x, zoom_y = _columns(zoom)
    shift_x, shift_y = _columns(shift)
    angle = np.radians(np.atleast_1d(np.asarray(rotation, np.float64)))
    lean = np.tan(np.radians(np.atleast_1d(np.asarray(shear, np.float64))))
    cos, sin = np.cos(angle), np.sin(angle)
    # Rotation [[cos, sin], [-sin, cos]] (y points down) times shear [[1, lean], [0, 1]] times
    # zoom [[zoom_x, 0], [0, zoom_y]].
    a, b = cos * zoom_x, (cos * lean + sin) * zoom_y
    c, d = -sin * zoom_x, (-sin * lean + cos) * zoom_y
    x, y = (width - 1) / 2, (height - 1) / 2
    rows = (a, b, x + shift_x - a * x - b * y, c, d, y + shift_y - c * x - d * y)
    return np.stack(np.broadcast_arrays(*rows), axis=1).reshape(-1, 2, 3)


def _columns(pairs: npt.ArrayLike) -> tuple[Floats, Floats]:
    both = np.atleast_2d(np.asarray(pairs, np.float64))
    return both[:, 0], both[:, 1]
