"""Pixel scaling: against torchvision's own steps and NumPy."""

import numpy as np
import torch
from torchvision.transforms.v2 import functional as reference

from striate.training._pixels import InputStage, channel_statistics


def pictures(channels: int) -> np.ndarray:
    rng = np.random.default_rng(channels)
    return rng.integers(0, 256, (5, 7, 9, channels), dtype=np.uint8)


def test_scaling_equals_torchvisions() -> None:
    mean, deviation = [0.48, 0.45, 0.4], [0.22, 0.23, 0.25]
    batch = torch.from_numpy(pictures(3))
    expected = reference.normalize(
        reference.to_dtype(batch.permute(0, 3, 1, 2), torch.float32, scale=True), mean, deviation
    )
    torch.testing.assert_close(InputStage(mean, deviation)(batch), expected, atol=2e-6, rtol=0)


def test_the_result_lies_in_channels_last_memory() -> None:
    result = InputStage([0.5] * 3, [0.5] * 3)(torch.from_numpy(pictures(3)))
    assert result.is_contiguous(memory_format=torch.channels_last)


def test_mnists_published_figures_scale_black_and_white() -> None:
    stage = InputStage([0.1307], [0.3081])
    ends = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 2, 1)
    torch.testing.assert_close(stage(ends).flatten(), torch.tensor([-0.42421296, 2.8214867]))


def test_statistics_equal_numpys() -> None:
    batch = pictures(3)
    mean, deviation = channel_statistics(batch)
    np.testing.assert_allclose(mean, (batch / 255).mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(deviation, (batch / 255).std((0, 1, 2)), rtol=1e-12)


def test_flat_pictures_are_not_divided_by_zero() -> None:
    _, deviation = channel_statistics(np.full((2, 3, 3, 1), 7, np.uint8))
    assert deviation == (1 / 255,)
