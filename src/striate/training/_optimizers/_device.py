"""Which devices have the fused kernels."""

import torch
from torch import Tensor


def has_fused(kernel: str, parameter: Tensor) -> bool:
    """Return True where `torch.<kernel>` runs on the parameter's device.

    Asked of PyTorch's table of kernels: MPS has some of them, and more with newer versions.
    """
    key = "PrivateUse1" if parameter.device.type == "privateuseone" else parameter.device.type
    return torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{kernel}", key.upper())
