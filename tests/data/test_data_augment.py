"""Augmentation against torchvision, `grid_sample` and NumPy's pad."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pictures import stripes
from striate.data._augment import augment, matrices
from striate.data._augmentation import FILLS, Augmentation
from striate.data._draws import Draws
from striate.data._geometry import flips, warp
from striate.data._order import hash_ids
from striate.errors import UsageError

B, H, W = 16, 20, 26
IDS = hash_ids(5, ids=np.arange(B, dtype=np.uint64))
EVERYTHING = Augmentation(
    rotation=25,
    shift=0.1,
    shear=10,
    zoom=0.2,
    horizontal_flip=True,
    vertical_flip=True,
    crop=2,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    erase=0.2,
)
GEOMETRY = replace(EVERYTHING, brightness=0, contrast=0, saturation=0, erase=0)
Pixels = npt.NDArray[np.uint8]


def smooth(count: int = B, channels: int = 3) -> Pixels:
    """Return pictures without sharp edges, so that interpolations can be compared."""
    y, x = np.mgrid[0:H, 0:W]
    rng = np.random.default_rng(0)
    waves = [
        128 + 90 * np.sin(x * rng.uniform(0.1, 0.4) + y * rng.uniform(0.1, 0.4) + rng.uniform(0, 6))
        for _ in range(count * channels)
    ]
    stacked = np.stack(waves).reshape(count, channels, H, W).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(stacked.astype(np.uint8))


def run(pictures: Pixels, augmentation: Augmentation, **options: Any) -> Pixels:
    return augment(pictures, augmentation, **{"seed": 0, "epoch": 0, "ids": IDS, **options})


def drawn(augmentation: Augmentation, ids: npt.NDArray[np.uint64] = IDS) -> npt.NDArray[np.float64]:
    return matrices(augmentation, seed=0, epoch=0, ids=ids, height=H, width=W)


def sampled(pictures: Pixels, forward: npt.NDArray[np.float64], padding: str) -> Pixels:
    """Warp by `torch.nn.functional.grid_sample`, align_corners=True: a second opinion."""
    import torch

    y, x = np.mgrid[0:H, 0:W]
    out = np.stack([x, y, np.ones_like(x)], -1).astype(float)
    full = np.concatenate([forward, np.tile([[[0.0, 0.0, 1.0]]], (len(forward), 1, 1))], 1)
    back = np.einsum("bij,hwj->bhwi", np.linalg.inv(full)[:, :2], out)
    grid = torch.from_numpy(back / [(W - 1) / 2, (H - 1) / 2] - 1)
    moved = torch.nn.functional.grid_sample(
        torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(float)),
        grid,
        padding_mode=padding,
        align_corners=True,
    )
    return np.rint(moved.numpy().transpose(0, 2, 3, 1)).astype(np.uint8)


@pytest.mark.parametrize(
    ("fill", "padding"), [("nearest", "border"), ("constant", "zeros"), ("reflect", "reflection")]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_one_warp_against_grid_sample(fill: str, padding: str, channels: int) -> None:
    augmentation = replace(GEOMETRY, fill=fill)
    pictures = smooth(channels=channels)
    expected = sampled(pictures, drawn(augmentation), padding)
    difference = np.abs(run(pictures, augmentation).astype(int) - expected)
    # OpenCV rounds to 1/32 pixel at the least; these waves rise up to 45 levels a pixel.
    assert np.percentile(difference, 99.5) <= 2 and difference.mean() < 0.5


def test_direction_and_size_of_each_change_against_torchvision() -> None:
    import torch
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional

    pictures = smooth()

    def affine(index: int, **change: Any) -> Pixels:
        options: dict[str, Any] = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0, 0]}
        moved = functional.affine(
            torch.from_numpy(pictures[index]).permute(2, 0, 1),
            **{**options, **change},
            interpolation=InterpolationMode.BILINEAR,
        )
        return moved.permute(1, 2, 0).numpy()

    def close(index: int, augmentation: Augmentation, **change: Any) -> None:
        got = run(pictures, augmentation)[index].astype(int)
        inner = (slice(6, -6), slice(6, -6))
        assert np.abs(got - affine(index, **change))[inner].max() <= 3
        assert np.abs(got - pictures[index])[inner].max() > 3

    turned = Augmentation(rotation=30)
    for index in range(4):
        # Ours is counter-clockwise as seen, `affine`'s angle clockwise.
        (cos, sin, _), _ = drawn(turned)[index]
        angle = np.degrees(np.arctan2(sin, cos))
        close(index, turned, angle=-angle)
    sheared = Augmentation(shear=20)
    for index in range(4):
        lean = np.degrees(np.arctan(drawn(sheared)[index, 0, 1]))
        # `affine` shears with the other sign: x' = x - tan(shear) y.
        close(index, sheared, shear=[-lean, 0])
    shifted = Augmentation(shift=0.2)
    for index in range(4):
        matrix = drawn(shifted)[index]
        rounded = [round(v) for v in matrix[:, 2]]
        exact = np.array([[[1.0, 0, rounded[0]], [0, 1, rounded[1]]]])
        out = np.empty_like(pictures[:1])
        warp(pictures[index : index + 1], exact, shifted, out)
        inner = (slice(6, -6), slice(6, -6))
        expected = affine(index, translate=rounded)
        assert np.array_equal(out[0][inner], expected[inner])


def test_limits_are_reached_evenly_to_both_sides() -> None:
    ids = hash_ids(1, ids=np.arange(4000, dtype=np.uint64))
    angles = np.degrees(np.arcsin(drawn(Augmentation(rotation=30), ids)[:, 0, 1]))
    factors = drawn(Augmentation(zoom=0.25), ids)[:, [0, 1], [0, 1]]
    leans = np.degrees(np.arctan(drawn(Augmentation(shear=12), ids)[:, 0, 1]))
    shifts = drawn(Augmentation(shift=0.1), ids)[:, :, 2] / [W, H]
    for numbers, low, high in [
        (angles, -30, 30),
        (factors[:, 0], 0.75, 1.25),
        (factors[:, 1], 0.75, 1.25),
        (leans, -12, 12),
        (shifts[:, 0], -0.1, 0.1),
        (shifts[:, 1], -0.1, 0.1),
    ]:
        counts, _ = np.histogram(numbers, 8, (low, high))
        assert counts.sum() == 4000 and np.abs(counts - 500).max() < 100
    assert abs(np.corrcoef(factors.T)[0, 1]) < 0.06
    crops = drawn(Augmentation(crop=2), ids)[:, 0, 2]
    assert np.unique(crops, return_counts=True)[0].tolist() == [-2, -1, 0, 1, 2]
    assert np.unique(crops, return_counts=True)[1].min() > 650


def test_the_centre_stays_where_nothing_shifts() -> None:
    centre = np.array([(W - 1) / 2, (H - 1) / 2, 1])
    still = replace(GEOMETRY, shift=0, crop=0)
    assert np.allclose(drawn(still) @ centre, centre[:2])


@pytest.mark.parametrize("axis", [1, 2])
def test_flips_are_exact(axis: int) -> None:
    pictures = smooth()
    augmentation = Augmentation(horizontal_flip=axis == 2, vertical_flip=axis == 1)
    flipped = drawn(augmentation)[:, 2 - axis, 2 - axis] < 0
    assert 3 < flipped.sum() < 13
    got = run(pictures, augmentation)
    assert np.array_equal(got[flipped], np.flip(pictures, axis)[flipped])
    assert np.array_equal(got[~flipped], pictures[~flipped])


def test_left_and_right_are_exchanged_in_every_other_epoch() -> None:
    ids = np.arange(400, dtype=np.uint64)
    mirrored = Augmentation(horizontal_flip=True, vertical_flip=True)
    signs = np.stack(
        [flips(mirrored, Draws(seed=3, epoch=epoch, ids=ids)) for epoch in range(1, 7)]
    )
    across, down = signs[:, :, 0], signs[:, :, 1]
    assert np.array_equal(across[1:], -across[:-1])
    assert 160 < (across[0] < 0).sum() < 240
    # Top and bottom go by themselves: all four pictures come up.
    assert 60 < ((across < 0) & (down < 0)).mean() * 400 < 140
    assert not np.array_equal(down[1:], -down[:-1])


def padded_window(picture: Pixels, x: int, y: int, fill: str, value: int) -> Pixels:
    """Return the picture moved by (x, y) whole pixels, by NumPy's pad."""
    mode: Any = {"nearest": "edge"}.get(fill, fill)
    options: dict[str, Any] = {"constant_values": value} if fill == "constant" else {}
    wide = np.pad(picture, ((9, 9), (9, 9), (0, 0)), mode, **options)
    return wide[9 - y : 9 - y + H, 9 - x : 9 - x + W]


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("channels", [1, 3])
def test_fill_against_numpy_pad(fill: str, channels: int) -> None:
    pictures = smooth(channels=channels)
    cropping = Augmentation(crop=6, fill=fill, fill_value=77)
    steps = drawn(cropping)[:, :, 2].astype(int).tolist()
    expected = np.stack(
        [padded_window(one, x, y, fill, 77) for one, (x, y) in zip(pictures, steps)]
    )
    assert np.array_equal(run(pictures, cropping), expected)
    # The warp, given the same whole pixels, shows the same.
    warped = np.empty_like(pictures)
    warp(pictures, drawn(cropping), cropping, warped)
    assert np.array_equal(warped, expected)


@pytest.mark.parametrize("change", ["brightness", "contrast", "saturation"])
def test_colours_against_torchvision(change: str) -> None:
    import torch
    from torchvision.transforms.v2 import functional

    # Away from 0 and 255, where torchvision clips between its steps.
    pictures = (smooth() // 3 + 80).astype(np.uint8)
    adjust = getattr(functional, f"adjust_{change}")
    augmentation = Augmentation(**{change: 0.4})  # type: ignore[arg-type]
    got = run(pictures, augmentation)
    changed = 0
    for picture, result in zip(pictures, got):
        tensor = torch.from_numpy(picture).permute(2, 0, 1)
        factors = np.linspace(0.6, 1.4, 401)
        differences = [
            np.abs(adjust(tensor, f).permute(1, 2, 0).numpy().astype(int) - result).max()
            for f in factors
        ]
        assert min(differences) <= 1
        changed += abs(factors[int(np.argmin(differences))] - 1) > 0.05
    assert changed > B // 2


def test_grey_has_no_saturation() -> None:
    pictures = smooth(channels=1)
    assert np.array_equal(run(pictures, Augmentation(saturation=0.5)), pictures)


def test_erasing() -> None:
    pictures = np.full((B, H, W, 3), 200, np.uint8)
    erased = (run(pictures, Augmentation(erase=0.3, fill_value=9)) == 9).all(axis=3)
    areas = erased.mean(axis=(1, 2))
    assert 0 < areas.max() <= 0.34 and areas.mean() > 0.05
    for one in erased:
        rows, columns = np.nonzero(one)
        if len(rows):
            box = one[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert box.all()
            assert 0.35 < box.shape[0] / box.shape[1] < 2.9 or box.size < 30


@pytest.mark.parametrize("augmentation", [EVERYTHING, Augmentation(horizontal_flip=True, crop=3)])
def test_a_sample_depends_on_seed_epoch_and_id_alone(augmentation: Augmentation) -> None:
    pictures = smooth()
    before = pictures.copy()
    whole = run(pictures, augmentation)
    assert np.array_equal(pictures, before)
    assert np.array_equal(run(pictures, augmentation, threads=3), whole)
    for some in ([5], [9, 2, 15], list(range(B))[::-1]):
        assert np.array_equal(run(pictures[some], augmentation, ids=IDS[some]), whole[some])
    assert not np.array_equal(run(pictures, augmentation, epoch=1), whole)
    assert not np.array_equal(run(pictures, augmentation, seed=1), whole)
    assert run(pictures[:0], augmentation, ids=IDS[:0]).shape == (0, H, W, 3)


def test_every_picture_needs_an_id() -> None:
    with pytest.raises(ValueError) as caught:
        run(smooth(), EVERYTHING, ids=IDS[:4])
    assert str(caught.value) == "16 pictures, but 4 ids; expected one for each."


def test_active() -> None:
    assert not Augmentation().active
    assert not Augmentation(fill="wrap", fill_value=3).active
    for change in ({"crop": 1}, {"vertical_flip": True}, {"erase": 0.1}, {"rotation": 1.0}):
        assert Augmentation(**change).active  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"rotation": 200},
            "augmentation.rotation is 200; expected a number from 0 to 180 (degrees).",
        ),
        (
            {"shift": -0.1},
            "augmentation.shift is -0.1; expected a number from 0 to 1 "
            "(a fraction of height and width).",
        ),
        (
            {"zoom": 1.0},
            "augmentation.zoom is 1; expected a number from 0 to less than 1 "
            "(0.2 means 0.8 to 1.2 times the size).",
        ),
        (
            {"shear": float("nan")},
            "augmentation.shear is nan; expected a number from 0 to 80 (degrees).",
        ),
        ({"crop": -1}, "augmentation.crop is -1; expected 0 or more pixels."),
        (
            {"fill": "constat"},
            "There is no augmentation.fill called 'constat'. Did you mean 'constant'? "
            "Known: nearest, reflect, wrap, constant.",
        ),
        (
            {"fill_value": 256},
            "augmentation.fill_value is 256; expected a grey level, 0 to 255.",
        ),
    ],
)
def test_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        Augmentation(**change)
    assert str(caught.value) == sentence


def test_a_real_looking_picture_survives_everything() -> None:
    pictures = np.stack([stripes(1, i, size=20) for i in range(B)])
    out = run(pictures, EVERYTHING)
    assert out.shape == pictures.shape and out.dtype == np.uint8 and out.std() > 10
