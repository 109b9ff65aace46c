"""A first kernel made for RGB, for pictures of another number of channels.

Weights see pixels as (x - mean) / deviation of their own three channels. Written out for a grey
picture x, the same in all three, a convolution W with the weights' constants m and s is

    sum over c of W_c * (x - m_c) / s_c  =  A * x - B,   A = sum of W_c / s_c, B = sum of W_c m_c / s_c

at each of the kernel's places. One kernel V = S A on (x - M) / S gives A * (x - M); what is missing,
A M - B, is a constant where the whole kernel lies on the picture: it goes into the bias, or the mean
of the batch norm that follows. On padding, where the RGB network sees zeros after scaling, a part of
the constant is missing instead. So M is the number that makes A M - B least, in least squares over
kernels and places: zero, and all equal, where the weights' three means are equal.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array64 = npt.NDArray[np.float64]

RGB = 3

_NOTHING = 1e-6
"""Share of the first kernel's response that counts as none: float32 is as coarse."""


@dataclass(frozen=True)
class Adapted:
    """A first kernel for C channels, and the scaling of pixels that it expects.

    Attributes:
        kernel_KChw: float32 (K, C, h, w).
        mean, deviation: one number a channel, fractions of 255.
        constant_K: float64 (K,), to be added to the convolution's outputs.
        exact: whether a grey picture gives the same features as its RGB copy up to the border. If
            not, they are the same only where no kernel reaches padding.
    """

    kernel_KChw: npt.NDArray[np.float32]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    constant_K: Array64
    exact: bool


def adapt_kernel(
    kernel_K3hw: npt.NDArray[np.float32],
    mean: tuple[float, ...],
    deviation: tuple[float, ...],
    channels: int,
) -> Adapted:
    """Return an RGB kernel (K, 3, h, w) for pictures of 1, 2, 4 or more channels.

    One channel: summed, as above. More: repeated in the order RGBRGB... and multiplied by
    3 / channels, which is exact for a grey picture where `channels` is a multiple of 3.
    """
    kernel = kernel_K3hw.astype(np.float64)
    if channels == 1:
        return _summed(kernel, np.array(mean), np.array(deviation))
    from_channel = np.arange(channels) % RGB
    repeated = kernel[:, from_channel] * (RGB / channels)
    return Adapted(
        repeated.astype(np.float32),
        tuple(mean[one] for one in from_channel),
        tuple(deviation[one] for one in from_channel),
        np.zeros(len(kernel)),
        exact=channels % RGB == 0,
    )


def _summed(kernel_K3hw: Array64, mean_3: Array64, deviation_3: Array64) -> Adapted:
    slope_Khw = np.einsum("kchw,c->khw", kernel_K3hw, 1 / deviation_3)
    offset_Khw = np.einsum("kchw,c->khw", kernel_K3hw, mean_3 / deviation_3)
    scale = float(deviation_3.mean())
    steepness = float((slope_Khw**2).sum())
    middle = float((slope_Khw * offset_Khw).sum()) / steepness if steepness else mean_3.mean()
    missing_Khw = slope_Khw * middle - offset_Khw
    largest = float(np.abs(slope_Khw).sum(axis=(1, 2)).max())
    return Adapted(
        (slope_Khw * scale)[:, None].astype(np.float32),
        (float(middle),),
        (scale,),
        missing_Khw.sum(axis=(1, 2)),
        exact=bool(np.abs(missing_Khw).max() <= _NOTHING * largest),
    )
