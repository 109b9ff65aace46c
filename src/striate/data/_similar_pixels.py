"""Whether two pictures show the same: their pixels compared, after one is laid over the other."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.data._geometry import opencv

SIDE = 64
"""Side of the thumbnails that are compared, in pixels."""

_COARSE = 32  # side of the thumbnails in which a place is looked for
_PART = 22  # side of the middle that is looked for
_SCALES = (0.9, 0.95, 1.0, 1.05, 1.1)
_STEPS = 20  # of the iteration that finds the exact place
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601

COARSE = 0.8
"""Least correlation of the middle of one with any place of the other."""
WHOLE = 0.93
"""Least correlation of all colours, where both are laid over each other."""
FINE = 0.4
"""Least correlation of the fine structure there: what is left without the large areas."""
OVERLAP = 0.65
"""Least share of the picture that both have."""

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Correlations from -1 to 1 (Pearson's: brightness and contrast don't count), and the overlap."""

    whole: float
    fine: float
    overlap: float

    @property
    def same(self) -> bool:
        """Whether both are the same picture, but for a little crop, light or loss."""
        return self.whole >= WHOLE and self.fine >= FINE and self.overlap >= OVERLAP


_DIFFERENT = Comparison(whole=0, fine=0, overlap=0)


def compare(first_HWC: Pixels, second_HWC: Pixels, *, mirrored: bool = False) -> Comparison:
    """Lay two pictures over each other and compare what they share.

    The second is shifted, scaled and a little sheared until it fits: first the middle of the one is
    looked for in the other at five scales, then the place is refined by Evangelidis and Psarakis,
    "Parametric image alignment using enhanced correlation coefficient maximization" (2008).

    Args:
        first_HWC, second_HWC: uint8, the same number of channels, 1 or 3.
        mirrored: compare with the mirror image of the second.

    Returns:
        The comparison; zeros where no place was found.
    """
    first = _thumbnail(first_HWC)
    second = _thumbnail(second_HWC[:, ::-1] if mirrored else second_HWC)
    grey, other = _grey(first), _grey(second)
    matrix = _place(grey, other)
    if matrix is None:
        return _DIFFERENT
    cv2 = opencv()
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, _STEPS, 1e-3)
    try:
        _, matrix = cv2.findTransformECC(grey, other, matrix, cv2.MOTION_AFFINE, stop, None, 5)
    except cv2.error:
        return _DIFFERENT  # how OpenCV says that nothing fits
    return _correlations(first, second, matrix)


def _thumbnail(picture_HWC: Pixels) -> Floats:
    cv2 = opencv()
    small = cv2.resize(
        np.ascontiguousarray(picture_HWC), (SIDE, SIDE), interpolation=cv2.INTER_AREA
    )
    thumbnail: Floats = small.reshape(SIDE, SIDE, -1).astype(np.float32)
    return thumbnail


def _grey(picture_HWC: Floats) -> Floats:
    if picture_HWC.shape[2] == 1:
        return picture_HWC[..., 0]
    return np.ascontiguousarray(picture_HWC @ _LUMA)


def _place(first: Floats, second: Floats) -> Floats | None:
    """Return the matrix from `first` to `second`, (2, 3), as near as a shift and a scale come."""
    cv2 = opencv()
    size = (_COARSE, _COARSE)
    small, other = (cv2.resize(g, size, interpolation=cv2.INTER_AREA) for g in (first, second))
    edge = (_COARSE - _PART) // 2
    middle = small[edge : edge + _PART, edge : edge + _PART]
    best, matrix = COARSE, None
    for scale in _SCALES:
        side = round(_PART * scale)
        part = cv2.resize(middle, (side, side), interpolation=cv2.INTER_LINEAR)
        _, likeness, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(other, part, cv2.TM_CCOEFF_NORMED))
        if likeness > best:
            best = likeness
            matrix = _matrix(side / _PART, x, y, edge)
    return matrix


def _matrix(scale: float, x: int, y: int, edge: int) -> Floats:
    """Return the matrix that takes the middle's corner to (x, y); centres of pixels are whole."""
    enlarged = SIDE / _COARSE
    half = (scale - 1) / 2
    across, down = ((at - scale * edge) * enlarged + half for at in (x, y))
    return np.array([[scale, 0, across], [0, scale, down]], np.float32)


def _correlations(first: Floats, second: Floats, matrix: Floats) -> Comparison:
    cv2 = opencv()
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(second, matrix, (SIDE, SIDE), flags=flags).reshape(first.shape)
    cover = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), matrix, (SIDE, SIDE), flags=flags)
    shared = cover > 0.99
    if shared.mean() < OVERLAP:
        return _DIFFERENT
    return Comparison(
        whole=_correlation(first[shared], moved[shared]),
        fine=_correlation(_details(_grey(first))[shared], _details(_grey(moved))[shared]),
        overlap=float(shared.mean()),
    )


def _details(grey: Floats) -> Floats:
    """Return the structure of about 2 to 10 pixels: without noise and without large areas."""
    cv2 = opencv()
    details: Floats = cv2.GaussianBlur(grey, (0, 0), 0.8) - cv2.GaussianBlur(grey, (0, 0), 4)
    return details


def _correlation(first: Floats, second: Floats) -> float:
    """Return Pearson's correlation of all numbers, 0 where one of the pictures is constant."""
    a, b = first.ravel() - first.mean(), second.ravel() - second.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 1e-3 else 0.0
