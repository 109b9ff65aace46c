"""The accelerator's warp against OpenCV's and torchvision's separate operations, on the CPU."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from striate.data._augment import augment, matrices
from striate.data._augmentation import FILLS, Augmentation
from striate.data._deferred import defer
from striate.data._draws import Draws, Parameter
from striate.data._geometry import from_wide, warp
from striate.data._moves import matrices_of
from striate.data._order import hash_ids
from striate.training._warp import augment_on_device, warp_on_device

B, H, W, M = 8, 32, 40, 5
IDS = hash_ids(4, ids=np.arange(B, dtype=np.uint64))
MOVES = Augmentation(
    rotation=40, shift=0.2, shear=15, zoom=0.3, horizontal_flip=True, vertical_flip=True, crop=3
)
Pixels = npt.NDArray[np.uint8]


def smooth(channels: int = 3, margin: int = M) -> Pixels:
    y, x = np.mgrid[0 : H + 2 * margin, 0 : W + 2 * margin][..., None]
    phase = np.arange(B * channels).reshape(B, 1, 1, channels)
    pictures: Pixels = (128 + 100 * np.sin(0.2 * x + 0.15 * y + phase)).astype(np.uint8)
    return pictures


def drawn(augmentation: Augmentation) -> npt.NDArray[np.float64]:
    moved = matrices(augmentation, seed=0, epoch=0, ids=IDS, height=H, width=W, margin=M)
    return from_wide(moved, M)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("resized_crop", [0.0, 0.4])
def test_the_two_warps_agree_within_two_levels(
    fill: str, channels: int, resized_crop: float
) -> None:
    augmentation = replace(MOVES, fill=fill, fill_value=60, resized_crop=resized_crop)
    pictures = smooth(channels)
    expected = np.empty((B, H, W, channels), np.uint8)
    warp(pictures, drawn(augmentation), augmentation, expected)
    got = warp_on_device(
        torch.from_numpy(pictures), drawn(augmentation), (H, W), fill=fill, fill_value=60
    )
    assert got.dtype == torch.uint8 and got.shape == expected.shape
    difference = np.abs(got.numpy().astype(int) - expected)
    # "constant" and "wrap" put far values side by side at the edge: OpenCV rounds weights.
    assert difference.max() <= 2 and difference.mean() < 0.1
    floats = warp_on_device(
        torch.from_numpy(pictures).permute(0, 3, 1, 2).float(),
        drawn(augmentation),
        (H, W),
        fill=fill,
        fill_value=60,
    )
    assert torch.equal(floats.round().to(torch.uint8).permute(0, 2, 3, 1), got)


@pytest.mark.parametrize("fill", FILLS)
def test_whole_pixels_are_exact(fill: str) -> None:
    still = replace(MOVES, rotation=0, shift=0, shear=0, zoom=0, crop=12, fill=fill, fill_value=9)
    noise = np.random.default_rng(0).integers(0, 256, (B, H + 2 * M, W + 2 * M, 3), dtype=np.uint8)
    got = warp_on_device(torch.from_numpy(noise), drawn(still), (H, W), fill=fill, fill_value=9)
    expected = augment(noise, still, seed=0, epoch=0, ids=IDS, margin=M)
    assert np.array_equal(got.numpy(), expected)


def test_one_pixel() -> None:
    pixel = torch.full((2, 1, 1, 3), 200, dtype=torch.uint8)
    for fill in ("nearest", "reflect", "wrap"):
        moved = warp_on_device(
            pixel, matrices_of(height=1, width=1, shift=[[0, 0], [5, 3]]), (4, 4)
        )
        assert (moved == 200).all(), fill


Change = Callable[[Tensor], Tensor]


def affine(**change: Any) -> Change:
    options: dict[str, Any] = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0, 0]}
    return lambda picture: functional.affine(
        picture, **{**options, **change}, interpolation=InterpolationMode.BILINEAR
    )


@pytest.mark.parametrize(
    ("moves", "change"),
    [
        ({"rotation": 25.0}, affine(angle=-25.0)),
        ({"rotation": 25.0}, lambda p: functional.rotate(p, 25.0, InterpolationMode.BILINEAR)),
        ({"shear": 18.0}, affine(shear=[-18.0, 0])),
        ({"zoom": (1.3, 1.3)}, affine(scale=1.3)),
        ({"zoom": (0.7, 0.7)}, affine(scale=0.7)),
        ({"shift": (6, -4)}, affine(translate=[6, -4])),
        ({"zoom": (-1, 1)}, functional.horizontal_flip),
        ({"zoom": (1, -1)}, functional.vertical_flip),
        (
            {"rotation": -30.0, "zoom": (1.2, 1.2), "shift": (3, 2)},
            affine(angle=30.0, translate=[3, 2], scale=1.2),
        ),
    ],
)
def test_both_warps_against_torchvision_s_operations(moves: dict[str, Any], change: Change) -> None:
    pictures = smooth(margin=0)
    forward = np.broadcast_to(matrices_of(height=H, width=W, **moves), (B, 2, 3))
    ours = np.empty_like(pictures)
    warp(pictures, forward, Augmentation(fill="constant"), ours)
    twin = warp_on_device(torch.from_numpy(pictures), forward, (H, W), fill="constant")
    expected = change(torch.from_numpy(pictures).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    # Where torchvision sees the outside it shows a mixture with black that it masks differently.
    inner = (slice(None), slice(9, -9), slice(9, -9))
    for got in (ours, twin.numpy()):
        difference = np.abs(got.astype(int) - expected)[inner]
        assert difference.max() <= 2 and difference.mean() < 0.2


def test_resized_crop_against_torchvision() -> None:
    # Columns 4 to 27 and rows 3 to 20 of the picture brought to its size.
    left, top, wide, high = 4, 3, 24, 18
    matrix = np.array(
        [[W / wide, 0, (0.5 - left) * W / wide - 0.5], [0, H / high, (0.5 - top) * H / high - 0.5]]
    )
    pictures = smooth(margin=0)
    got = warp_on_device(torch.from_numpy(pictures), np.tile(matrix, (B, 1, 1)), (H, W))
    expected = functional.resized_crop(
        torch.from_numpy(pictures).permute(0, 3, 1, 2), top, left, high, wide, [H, W]
    )
    difference = got.int() - expected.permute(0, 2, 3, 1).int()
    assert difference[:, 2:-2, 2:-2].abs().max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("fill", FILLS)
def test_the_whole_augmentation_agrees_with_the_cpu_s(channels: int, fill: str) -> None:
    augmentation = replace(
        MOVES,
        resized_crop=0.5,
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=0.2,
        erase=0.2,
        fill=fill,
        fill_value=30,
    )
    assert augmentation.on_device
    pictures = smooth(channels)
    draws = Draws(seed=0, epoch=0, ids=IDS)
    deferred = defer(augmentation, draws, (H, W, channels), M)
    got = augment_on_device(torch.from_numpy(pictures), deferred)
    expected = augment(pictures, augmentation, seed=0, epoch=0, ids=IDS, margin=M)
    difference = np.abs(got.numpy().astype(int) - expected)
    assert got.is_contiguous() and got.dtype == torch.uint8
    assert difference.max() <= 3 and difference.mean() < 0.4


def coloured(pictures: Pixels, augmentation: Augmentation) -> Tensor:
    draws = Draws(seed=0, epoch=0, ids=IDS)
    deferred = defer(augmentation, draws, (H, W, 3), 0)
    return augment_on_device(torch.from_numpy(pictures), deferred)


@pytest.mark.parametrize("change", ["brightness", "contrast", "saturation"])
def test_colours_on_the_device_against_torchvision(change: str) -> None:
    # Away from 0 and 255, where torchvision clips between its steps.
    pictures = (smooth(margin=0) // 4 + 90).astype(np.uint8)
    options: dict[str, Any] = {change: 1 / 3}
    got = coloured(pictures, Augmentation(**options)).permute(0, 3, 1, 2)
    adjust = getattr(functional, f"adjust_{change}")
    for picture, result in zip(torch.from_numpy(pictures).permute(0, 3, 1, 2), got):
        factors = np.linspace(0.66, 1.34, 171)
        off = [(adjust(picture, f).int() - result.int()).abs().max().item() for f in factors]
        assert min(off) <= 1


def test_a_third_of_the_circle_against_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    def around(self: Draws, centre: float, parameter: Parameter, limit: float) -> Any:
        del limit
        return np.full(len(self), 1 / 3 if parameter is Parameter.HUE else centre)

    monkeypatch.setattr(Draws, "around", around)
    pictures = smooth(margin=0)
    got = coloured(pictures, Augmentation(hue=0.5)).permute(0, 3, 1, 2)
    expected = functional.adjust_hue(torch.from_numpy(pictures).permute(0, 3, 1, 2), 1 / 3)
    assert (got.int() - expected.int()).abs().max() <= 2
