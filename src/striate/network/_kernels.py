"""The first layer's kernels, for pictures of them."""

import numpy as np
import numpy.typing as npt
from torch import nn


def first_kernels(module: nn.Module) -> tuple[str, npt.NDArray[np.float32]] | None:
    """Return the name and the weights (K, C, h, w) of the first 2-D convolution, or None.

    First in the order of `module.named_modules()`, that of their definition.
    """
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d):
            kernels: npt.NDArray[np.float32] = layer.weight.detach().cpu().float().numpy().copy()
            return name.removeprefix("layers."), kernels
    return None
