"""From stored pixels to the network's input: one module for training, evaluation and export."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


class InputStage(nn.Module):
    """Scale uint8 pixels to standardised floats: (pixel / 255 − mean) / deviation, per channel.

    Args:
        mean, deviation: (C,) fractions of 255, deviation > 0.

    Its `forward` takes uint8 (B, H, W, C) and returns float32 (B, C, H, W) in channels_last memory,
    which is what a permuted (B, H, W, C) array is: no copy beyond the conversion to float.
    """

    scale: Tensor
    offset: Tensor

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        m = torch.tensor(mean, dtype=torch.float64)
        s = torch.tensor(deviation, dtype=torch.float64)
        self.register_buffer("scale", (1 / (255 * s)).float().reshape(1, -1, 1, 1))
        self.register_buffer("offset", (-m / s).float().reshape(1, -1, 1, 1))

    def forward(self, pictures_BHWC: Tensor) -> Tensor:
        """Return float32 (B, C, H, W)."""
        return pictures_BHWC.permute(0, 3, 1, 2).float() * self.scale + self.offset


# A deviation this small means all pictures are one flat colour: dividing would only blow up noise.
FLATTEST = 1 / 255


def channel_statistics(
    pictures_NHWC: npt.NDArray[np.uint8],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and deviation per channel as fractions of 255, over all pixels.

    Exact: from the histogram of the 256 values, in integers and float64.
    """
    values = np.arange(256, dtype=np.float64)
    means, deviations = [], []
    for channel in range(pictures_NHWC.shape[3]):
        counts = np.bincount(pictures_NHWC[..., channel].reshape(-1), minlength=256)
        mean = float(counts @ values / counts.sum())
        variance = float(counts @ (values - mean) ** 2 / counts.sum())
        means.append(mean / 255)
        deviations.append(max(variance**0.5 / 255, FLATTEST))
    return tuple(means), tuple(deviations)
