"""The whitening start of a first convolution, against NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from striate.errors import NetworkError
from striate.network._whiten import EPSILON, whiten


def pictures(channels: int = 3) -> torch.Tensor:
    """Return smooth, correlated pictures (40, C, 12, 12)."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(40, channels, 14, 14, generator=generator)
    return (
        nn.functional.avg_pool2d(noise, 3, stride=1) + noise.mean(1, keepdim=True)[:, :, 1:-1, 1:-1]
    )


def outputs(layer: nn.Conv2d, seen: torch.Tensor) -> np.ndarray:
    """Return the layer's outputs (kernels, positions)."""
    with torch.no_grad():
        return layer(seen).transpose(0, 1).flatten(1).double().numpy()


def test_outputs_are_uncorrelated_and_of_unit_variance():
    layer = nn.Conv2d(3, 24, 2)
    whiten(nn.Sequential(layer, nn.ReLU()), pictures())
    got = outputs(layer, pictures())
    correlation = got[:12] @ got[:12].T / got.shape[1]
    expected = np.diag(np.diag(correlation))
    np.testing.assert_allclose(correlation, expected, atol=1e-4)
    assert np.all(np.diag(correlation) <= 1) and np.diag(correlation).min() > 0.9
    np.testing.assert_allclose(got[12:], -got[:12], rtol=1e-5, atol=1e-5)


def test_filters_are_numpys_principal_axes():
    layer = nn.Conv2d(1, 8, 3)
    whiten(layer, pictures(1))
    seen = pictures(1).double().numpy()[:, 0]
    patches = np.lib.stride_tricks.sliding_window_view(seen, (3, 3), axis=(1, 2)).reshape(-1, 9)
    _, sizes, axes = np.linalg.svd(patches, full_matrices=False)
    variances = sizes**2 / len(patches)
    for got, axis, variance in zip(
        layer.weight.detach().numpy()[:4].reshape(4, 9)[::-1], axes, variances, strict=False
    ):
        expected = axis / np.sqrt(variance + EPSILON)
        np.testing.assert_allclose(got * np.sign(got @ expected), expected, rtol=1e-4, atol=1e-6)


def test_kernels_and_bias_are_frozen():
    layer = nn.Conv2d(3, 24, 2)
    whiten(layer, pictures())
    assert not layer.weight.requires_grad
    assert not layer.bias.requires_grad and not layer.bias.any()


@pytest.mark.parametrize("kernels", [26, 7])
def test_a_convolution_that_cannot_be_filled_is_refused(kernels):
    with pytest.raises(NetworkError) as caught:
        whiten(nn.Conv2d(3, kernels, 2), pictures())
    assert str(caught.value) == (
        "initialisation.first = whitening fills an even number of kernels, at most 2·3·2·2 = 24; "
        f"the first convolution has {kernels}."
    )


def test_a_network_without_convolution_is_refused():
    with pytest.raises(NetworkError) as caught:
        whiten(nn.Linear(4, 2), pictures())
    assert str(caught.value) == (
        "initialisation.first = whitening fills a first convolution over all channels; this network "
        "has none. Leave it at 'default'."
    )
