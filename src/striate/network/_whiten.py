"""A first convolution that sees the training pictures' own axes instead of random ones."""

import torch
from torch import Tensor, nn
from torch.nn.functional import unfold

from striate.errors import NetworkError

EPSILON = 5e-4
"""Added to the variances, in units of standardised pixels: axes that hardly vary are noise."""


def whiten(network: nn.Module, pictures_BCHW: Tensor) -> None:
    """Fill the network's first convolution from pictures, and freeze it.

    Its kernels become the principal axes of all k×k patches, each divided by the square root of
    its variance, and the same axes with the other sign: their outputs are uncorrelated and of
    about unit variance. The n axes of largest variance are taken, n half of the kernels. The bias
    becomes 0 and stays it. K. Jordan 2024, arXiv:2404.00498, section 3.2, where it learns for 3 of 8
    epochs; but then the second convolution needs its pictures' gradients, a tenth of a step's time,
    and on a held-out fifth of CIFAR-10, at half the width, 87.6 % were right with it and without.

    Args:
        network: its first convolution, in the order of `network.modules()`, is filled in place.
        pictures_BCHW: float, standardised as the network sees them.

    Raises:
        NetworkError: there is no convolution to fill, or it has more kernels than 2·C·k·k, or an
            odd number.
    """
    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
    if first is None or first.groups != 1:
        raise NetworkError(
            "initialisation.first = whitening fills a first convolution over all channels; this "
            "network has none. Leave it at 'default'."
        )
    kernels, channels, height, width = first.weight.shape
    axes = channels * height * width
    if kernels > 2 * axes or kernels % 2:
        raise NetworkError(
            f"initialisation.first = whitening fills an even number of kernels, at most "
            f"2·{channels}·{height}·{width} = {2 * axes}; the first convolution has {kernels}."
        )
    with torch.no_grad():
        patches_NP = unfold(pictures_BCHW.double(), (height, width)).mT.reshape(-1, axes)
        variances, vectors = torch.linalg.eigh(patches_NP.mT @ patches_NP / len(patches_NP))
        scaled = vectors.mT / (variances + EPSILON).sqrt()[:, None]
        # From the smallest variance to the largest.
        filters = scaled[-(kernels // 2) :].reshape(-1, channels, height, width)
        first.weight.copy_(torch.cat([filters, -filters]))
        if first.bias is not None:
            first.bias.zero_()
    first.requires_grad_(False)
