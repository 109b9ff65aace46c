"""Augmentation on an accelerator: the twin of OpenCV's warp, and what follows it."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from striate.data._deferred import Deferred

# "wrap" is made by taking coordinates modulo the sides before anything is looked up.
_PADDING = {"nearest": "border", "reflect": "reflection", "constant": "zeros", "wrap": "zeros"}


def augment_on_device(pictures_BHWC: Tensor, deferred: Deferred) -> Tensor:
    """Return a batch's wide pictures, augmented: uint8 (B, H, W, C) on their device.

    Args:
        pictures_BHWC: uint8 (B, H + 2 margin, W + 2 margin, C), of a batch with `Batch.deferred`.
        deferred: that batch's.

    The same as `striate.data.augment` within 3 grey levels: on the CPU pixels are rounded after the
    warp and after the change of colours, here once, after both.
    """
    moved_BCHW = warp_on_device(
        pictures_BHWC.permute(0, 3, 1, 2).float(),
        deferred.matrices_B23,
        (deferred.height, deferred.width),
        fill=deferred.fill,
        fill_value=deferred.fill_value,
    )
    if deferred.colours is not None:
        moved_BCHW = _recoloured(moved_BCHW, *deferred.colours)
    if deferred.boxes_B4 is not None:
        moved_BCHW = _erased(moved_BCHW, deferred.boxes_B4, deferred.fill_value)
    return _to_bytes(moved_BCHW)


def warp_on_device(
    pictures: Tensor,
    matrices_B23: npt.NDArray[np.float64],
    size: tuple[int, int],
    *,
    fill: str = "nearest",
    fill_value: int = 0,
) -> Tensor:
    """Move every picture by its matrix with one bilinear interpolation, as `striate.data` does.

    Args:
        pictures: uint8 (B, H, W, C), or float32 (B, C, H, W), 0 to 255, on any device.
        matrices_B23: float64 (B, 2, 3), from (x, y, 1) in the picture to (x, y) in the moved one;
            whole numbers are the centres of pixels.
        size: height and width of what is returned.
        fill: what is seen beyond the edges: "nearest", "reflect", "wrap" or "constant".
        fill_value: grey level of "constant", 0 to 255.

    Returns:
        The same type, order of axes and device: uint8 (B, *size, C), rounded, or float32
        (B, C, *size). Within 1 grey level of OpenCV's `warpAffine` but where neighbours differ by
        more than 100: it rounds weights.
    """
    if pictures.dtype == torch.uint8:
        floats_BCHW = pictures.permute(0, 3, 1, 2).float()
        moved = warp_on_device(floats_BCHW, matrices_B23, size, fill=fill, fill_value=fill_value)
        return _to_bytes(moved)
    height, width = pictures.shape[2:]
    x_BHW, y_BHW = _sources(matrices_B23, size, pictures)
    if fill == "wrap":
        x_BHW, y_BHW = x_BHW.remainder(width), y_BHW.remainder(height)
        pictures = functional.pad(pictures, (0, 1, 0, 1), mode="circular")
        height, width = height + 1, width + 1
    if fill == "constant":
        pictures = pictures - fill_value
    # grid_sample counts from the centre of the first pixel, -1, to that of the last, 1.
    grid_BHW2 = torch.stack(
        [x_BHW * (2 / max(width - 1, 1)) - 1, y_BHW * (2 / max(height - 1, 1)) - 1], dim=3
    )
    moved_BCHW = functional.grid_sample(
        pictures, grid_BHW2, padding_mode=_PADDING[fill], align_corners=True
    )
    return moved_BCHW + fill_value if fill == "constant" else moved_BCHW


def _sources(
    matrices_B23: npt.NDArray[np.float64], size: tuple[int, int], like: Tensor
) -> tuple[Tensor, Tensor]:
    """Return float32 (B, *size) each: from where in the picture each pixel comes, x and y."""
    last = np.broadcast_to([0.0, 0.0, 1.0], (len(matrices_B23), 1, 3))
    back = np.linalg.inv(np.concatenate([matrices_B23, last], axis=1))[:, :2]
    back_B23 = _floats(back, like)
    x_W = torch.arange(size[1], dtype=torch.float32, device=like.device)
    y_H1 = torch.arange(size[0], dtype=torch.float32, device=like.device)[:, None]
    a, b, c, d, e, f = back_B23.reshape(-1, 6, 1, 1).unbind(1)
    return a * x_W + b * y_H1 + c, d * x_W + e * y_H1 + f


def _recoloured(
    pictures_BCHW: Tensor,
    linear_BCC: npt.NDArray[np.float64],
    pull_B: npt.NDArray[np.float64],
    luma_C: npt.NDArray[np.float64],
) -> Tensor:
    """Return the pictures after their colour maps; see `striate.data.ColourMaps`."""
    linear, pull, luma = (_floats(one, pictures_BCHW) for one in (linear_BCC, pull_B, luma_C))
    mean_B = pictures_BCHW.mean(dim=(2, 3)) @ luma
    mapped = torch.einsum("bij,bjhw->bihw", linear, pictures_BCHW)
    return mapped + (pull * mean_B)[:, None, None, None]


def _erased(pictures_BCHW: Tensor, boxes_B4: npt.NDArray[np.int64], value: int) -> Tensor:
    height, width = pictures_BCHW.shape[2:]
    boxes = torch.from_numpy(boxes_B4).to(pictures_BCHW.device)
    top, bottom, left, right = boxes.reshape(-1, 4, 1, 1, 1).unbind(1)
    y_H1 = torch.arange(height, device=boxes.device)[:, None]
    x_W = torch.arange(width, device=boxes.device)
    inside = (y_H1 >= top) & (y_H1 < bottom) & (x_W >= left) & (x_W < right)
    return pictures_BCHW.masked_fill(inside, value)


def _floats(numbers: npt.NDArray[np.float64], like: Tensor) -> Tensor:
    # Made float32 before they go: not every accelerator takes float64.
    return torch.from_numpy(numbers).float().to(like.device)


def _to_bytes(pictures_BCHW: Tensor) -> Tensor:
    return pictures_BCHW.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
