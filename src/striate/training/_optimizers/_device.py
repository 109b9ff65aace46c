"""Which devices have the fused kernels."""

import torch
from torch import Tensor

_KEYS = {"cpu": "CPU", "cuda": "CUDA", "mps": "MPS", "xpu": "XPU"}


def has_fused(kernel: str, parameter: Tensor) -> bool:
    """Return True where `torch.<kernel>` runs on the parameter's device.

    Asked of PyTorch's table of kernels: MPS has some of them, and more with newer versions.
    """
    key = _KEYS.get(parameter.device.type)
    return key is not None and torch._C._dispatch_has_kernel_for_dispatch_key(
        f"aten::{kernel}", key
    )
