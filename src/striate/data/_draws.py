"""The random numbers of augmentation: one for each seed, epoch, sample and parameter."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from striate.data._order import AUGMENTATION, Ids, mix_keys, mix_with, to_unit

Floats = npt.NDArray[np.float64]


class Parameter(IntEnum):
    """Numbers of the parameters; a new one goes to the end, so that the others keep theirs."""

    ROTATION = 0
    SHIFT_X = 1
    SHIFT_Y = 2
    SHEAR = 3
    ZOOM_X = 4
    ZOOM_Y = 5
    HORIZONTAL_FLIP = 6
    VERTICAL_FLIP = 7
    CROP_X = 8
    CROP_Y = 9
    BRIGHTNESS = 10
    CONTRAST = 11
    SATURATION = 12
    ERASE_AREA = 13
    ERASE_ASPECT = 14
    ERASE_X = 15
    ERASE_Y = 16
    PART_AREA = 17
    PART_RATIO = 18
    PART_X = 19
    PART_Y = 20
    HUE = 21
    BLUR = 22
    NOISE = 23
    NOISE_PIXELS = 24


@dataclass(frozen=True, kw_only=True)
class Draws:
    """The random numbers of B samples in one epoch."""

    seed: int
    epoch: int
    ids: Ids

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def hashes_PB(self) -> Ids:
        """A 64-bit hash for every parameter and sample: for few samples one pass costs least."""
        return mix_with(_keys(self.seed, self.epoch)[:, None], self.ids)

    def unit(self, parameter: Parameter) -> Floats:
        """Return (B,) numbers in [0, 1)."""
        return to_unit(self.hashes_PB[parameter])

    def around(self, centre: float, parameter: Parameter, limit: float) -> Floats:
        """Return (B,) numbers from `centre - limit` to `centre + limit`."""
        if not limit:
            return np.full(len(self), centre)
        return centre + (2 * self.unit(parameter) - 1) * limit

    def up_to(self, parameter: Parameter, limit: float) -> Floats:
        """Return (B,) numbers from 0 to less than `limit`."""
        return self.unit(parameter) * limit

    def sign(self, parameter: Parameter, wanted: bool) -> Floats:
        """Return (B,) -1 or 1, evenly; only 1 where the change isn't wanted."""
        if not wanted:
            return np.ones(len(self))
        return np.where(self.unit(parameter) < 0.5, -1.0, 1.0)

    def every_other(self, parameter: Parameter, wanted: bool) -> Floats:
        """Return (B,) -1 or 1, each sample's other one every epoch; only 1 where it isn't wanted.

        Which comes first is drawn. Each sample is so seen equally often both ways: K. Jordan 2024,
        arXiv:2404.00498, section 3.6.
        """
        if not wanted:
            return np.ones(len(self))
        key = mix_keys(AUGMENTATION, self.seed, 0, int(parameter))
        first = np.where(to_unit(mix_with(np.uint64(key), self.ids)) < 0.5, -1.0, 1.0)
        return first if self.epoch % 2 else -first

    def step(self, parameter: Parameter, limit: int) -> npt.NDArray[np.int64]:
        """Return (B,) whole numbers from `-limit` to `limit`, evenly."""
        return np.floor(self.unit(parameter) * (2 * limit + 1)).astype(np.int64) - limit


@lru_cache(maxsize=64)
def _keys(seed: int, epoch: int) -> Ids:
    keys = [mix_keys(AUGMENTATION, seed, epoch, int(parameter)) for parameter in Parameter]
    return np.array(keys, np.uint64)
