"""Gaussian noise that depends on (seed, epoch, sample) alone."""

from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Parameter
from striate.data._geometry import Pixels, opencv
from striate.data._photometry import Change

_LEVELS = 1 << 16


def make_noise(augmentation: Augmentation, draws: Draws) -> Change:
    """Return what adds noise to every pixel and channel by itself.

    Its deviation is drawn evenly from 0 to 255 × `noise` for each picture. 16 random bits choose
    among the 65,536 equally likely parts of the normal distribution (its ends are 4.3 deviations
    out); the bits are those of the counter-based generator Philox with the sample's key (Salmon et
    al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
    """
    cv2 = opencv()
    deviations = draws.up_to(Parameter.NOISE, 255 * augmentation.noise).astype(np.float32)
    keys = draws.hashes_PB[Parameter.NOISE_PIXELS]

    def noise(index: int, picture: Pixels) -> None:
        words = np.random.Philox(key=keys[index]).random_raw(-(-picture.size // 4))
        bits = words.view(np.uint16)[: picture.size].reshape(len(picture), -1)
        # Pixels are whole numbers: noise may be rounded before it is added.
        table = np.rint(deviations[index] * _quantiles()).astype(np.int16)
        rows = picture.reshape(bits.shape)
        cv2.add(rows, cv2.LUT(bits, table), dst=rows, dtype=cv2.CV_8U)

    return noise


@cache
def _quantiles() -> npt.NDArray[np.float32]:
    """Return the middles of 65,536 equally likely parts of the standard normal distribution."""
    normal = NormalDist()
    upper = [normal.inv_cdf((k + 0.5) / _LEVELS) for k in range(_LEVELS // 2, _LEVELS)]
    return np.array([-q for q in reversed(upper)] + upper, np.float32)
