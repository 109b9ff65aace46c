"""Several views of a picture, whose logits are averaged: part of the shipped model."""

from typing import Literal, final

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

Count = Literal[1, 2, 6]


@final
class Views(nn.Module):
    """A network that looks several times: what is shipped where `network.views` isn't 1.

    2: the picture and its mirror image. 6: these count half; the other half are the pictures and
    mirror images moved by a pixel, up and left and down and right, the edges reflected. K. Jordan
    2024, arXiv:2404.00498, section 3.5.
    """

    def __init__(self, network: nn.Module, views: Count) -> None:
        super().__init__()
        self.network = network
        self._views = views

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return logits, float (N, K), of pictures, float (N, C, H, W)."""
        logits = self._mirrored(pictures_NCHW)
        if self._views == 2:
            return logits
        height, width = pictures_NCHW.shape[2:]
        wide = pad(pictures_NCHW, (1, 1, 1, 1), mode="reflect")
        moved = self._mirrored(wide[:, :, :height, :width]) + self._mirrored(wide[:, :, 2:, 2:])
        return 0.5 * logits + 0.25 * moved

    def _mirrored(self, pictures_NCHW: Tensor) -> Tensor:
        both = self.network(pictures_NCHW) + self.network(pictures_NCHW.flip(-1))
        return torch.mul(both, 0.5)


def seen(network: nn.Module, views: Count) -> nn.Module:
    """Return what is shipped: the network itself where it looks once."""
    return network if views == 1 else Views(network, views)
