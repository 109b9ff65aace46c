"""The margin comes into view where pixels move: against NumPy's pad, SciPy and torchvision."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data import _parts
from striate.data._augment import augment, matrices
from striate.data._augmentation import FILLS, Augmentation
from striate.data._draws import Draws
from striate.data._geometry import compose, from_wide, warp
from striate.data._order import hash_ids
from striate.data._parts import draw_parts, part_matrices

B, H, W, M = 8, 14, 18, 4
IDS = hash_ids(6, ids=np.arange(B, dtype=np.uint64))
MANY = hash_ids(7, ids=np.arange(4000, dtype=np.uint64))
NOISY = np.random.default_rng(1).integers(0, 256, (B, H + 2 * M, W + 2 * M, 3), dtype=np.uint8)
Pixels = npt.NDArray[np.uint8]


def smooth(channels: int = 3) -> Pixels:
    """Return wide pictures without sharp edges."""
    y, x = np.mgrid[0 : H + 2 * M, 0 : W + 2 * M]
    phase = np.arange(B * channels).reshape(B, 1, 1, channels)
    waves = 128 + 100 * np.sin(0.25 * x[..., None] + 0.2 * y[..., None] + phase)
    pictures: Pixels = waves.astype(np.uint8)
    return pictures


def run(pictures: Pixels, augmentation: Augmentation, **options: Any) -> Pixels:
    given = {"seed": 0, "epoch": 0, "ids": IDS, "margin": M, **options}
    return augment(pictures, augmentation, **given)


def drawn(augmentation: Augmentation, margin: int = M) -> npt.NDArray[np.float64]:
    return matrices(augmentation, seed=0, epoch=0, ids=IDS, height=H, width=W, margin=margin)


def test_an_inactive_augmentation_cuts_the_margin_off() -> None:
    assert np.array_equal(run(NOISY, Augmentation()), NOISY[:, M:-M, M:-M])
    assert np.array_equal(run(NOISY, Augmentation(), margin=0), NOISY)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("crop", [0, 3, 7])
def test_flips_and_crops_move_whole_pixels_of_the_wide_picture(
    fill: str, channels: int, crop: int
) -> None:
    pictures = NOISY[..., :channels]
    augmentation = Augmentation(
        crop=crop, horizontal_flip=True, vertical_flip=True, fill=fill, fill_value=99
    )
    got = run(pictures, augmentation)
    kinds = set()
    for picture, matrix, result in zip(pictures, drawn(augmentation), got):
        (a, _, c), (_, e, f) = matrix.round().astype(int).tolist()
        kinds.add((a, e))
        # From each pixel of the result back to the store's, then past the margin and the padding.
        x = (np.arange(W) - c) * a + M + 9
        y = (np.arange(H) - f) * e + M + 9
        mode: Any = {"nearest": "edge"}.get(fill, fill)
        options: dict[str, Any] = {"constant_values": 99} if fill == "constant" else {}
        padded = np.pad(picture, ((9, 9), (9, 9), (0, 0)), mode, **options)
        assert np.array_equal(result, padded[np.ix_(y, x)])
    assert len(kinds) == 4
    # The warp, given the same matrices, shows the same.
    warped = np.empty_like(got)
    warp(pictures, from_wide(drawn(augmentation), M), augmentation, warped)
    assert np.array_equal(warped, got)


@pytest.mark.parametrize("channels", [1, 3])
def test_warps_see_the_margin_s_pixels(channels: int) -> None:
    from scipy.ndimage import affine_transform

    augmentation = Augmentation(rotation=20, shift=0.1, zoom=0.1, horizontal_flip=True)
    pictures = smooth(channels)
    got = run(pictures, augmentation).astype(int)
    for picture, matrix, result in zip(pictures, drawn(augmentation), got):
        back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
        # SciPy counts rows first, and here from the wide picture's corner.
        swap = np.array([[0, 1], [1, 0]])
        linear, offset = swap @ back[:2, :2] @ swap, back[1::-1, 2] + M
        for channel in range(channels):
            expected = affine_transform(
                picture[..., channel].astype(float), linear, offset, (H, W), order=1, mode="nearest"
            )
            assert np.abs(result[..., channel] - expected).max() <= 2


def test_the_margin_keeps_the_fill_out() -> None:
    white = np.full((B, H + 2 * M, W + 2 * M, 3), 255, np.uint8)
    turned = Augmentation(rotation=12, fill="constant")
    assert (run(white[:, M:-M, M:-M], turned, margin=0) == 0).any()
    assert (run(white, turned) == 255).all()
    # What happens to a sample doesn't depend on the margin.
    assert np.array_equal(drawn(turned, 0), drawn(turned, M))


@pytest.mark.parametrize(("height", "width", "margin"), [(20, 20, 0), (20, 20, 3), (10, 40, 2)])
def test_parts_of_a_resized_crop(height: int, width: int, margin: int) -> None:
    draws = Draws(seed=0, epoch=0, ids=MANY)
    parts = draw_parts(Augmentation(resized_crop=0.2), draws, height, width, margin)
    left, top, wide, high = parts.T
    assert min(left.min(), top.min()) >= -margin - 1e-9
    assert (left + wide).max() <= width + margin + 1e-9
    assert (top + high).max() <= height + margin + 1e-9
    areas = wide * high / ((width + 2 * margin) * (height + 2 * margin))
    counts, _ = np.histogram(areas, 8, (0.2, 1.0))
    assert counts.sum() == 4000 and np.abs(counts - 500).max() < 100
    ratios = np.log(wide / high * height / width)
    assert np.abs(ratios).max() <= np.log(4 / 3) + 1e-9
    # Where every ratio fits, the logarithm is even; places are, too.
    counts, _ = np.histogram(ratios[areas < 0.7], 6, (-np.log(4 / 3), np.log(4 / 3)))
    assert counts.min() > 0.8 * counts.mean()
    for low, room in ((left, width + 2 * margin - wide), (top, height + 2 * margin - high)):
        places = ((low + margin) / room)[room > 1]
        counts, _ = np.histogram(places, 8, (0, 1))
        assert counts.sum() == len(places) and counts.min() > 0.7 * counts.mean()


def test_resized_crop_against_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from torchvision.transforms.v2 import functional

    # Whole pixels, which torchvision needs; in the wide picture they lie M further.
    boxes = np.array([[-4, -2, 9, 12], [0, 0, 18, 14], [3, 2, 10, 6], [-4, -4, 26, 22]])
    monkeypatch.setattr(_parts, "draw_parts", lambda *_: boxes.astype(float))
    cropping = Augmentation(resized_crop=0.5)
    draws = Draws(seed=0, epoch=0, ids=IDS[:4])
    forward = part_matrices(cropping, draws, H, W, M)
    out = np.empty((4, H, W, 3), np.uint8)
    pictures = smooth()[:4]
    warp(pictures, from_wide(forward, M), cropping, out)
    for picture, (left, top, wide, high), result in zip(pictures, boxes.tolist(), out):
        expected = functional.resized_crop(
            torch.from_numpy(picture).permute(2, 0, 1),
            *(top + M, left + M, high, wide),
            [H, W],
            antialias=False,
        )
        # At its edges torchvision repeats the part's pixels, where the warp sees its neighbours.
        inner = (slice(2, -2), slice(2, -2))
        difference = result.astype(int) - expected.permute(1, 2, 0).numpy()
        assert np.abs(difference[inner]).max() <= 2
        corners = np.array([[left - 0.5, top - 0.5, 1], [left + wide - 0.5, top + high - 0.5, 1]])
        matrix = forward[boxes.tolist().index([left, top, wide, high])]
        assert np.allclose(corners @ matrix.T, [[-0.5, -0.5], [W - 0.5, H - 0.5]])


def test_a_resized_crop_comes_before_the_other_moves() -> None:
    both = Augmentation(resized_crop=0.3, rotation=30, shift=0.1, horizontal_flip=True)
    moves = Augmentation(rotation=30, shift=0.1, horizontal_flip=True)
    parts = drawn(Augmentation(resized_crop=0.3))
    assert np.allclose(drawn(both), compose(drawn(moves), parts))
    assert np.allclose(parts[:, 0, 1], 0) and (parts[:, 0, 0] > W / (W + 2 * M) - 1e-9).all()


finite = st.floats(-3, 3)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(finite, min_size=12, max_size=12),
    st.lists(finite, min_size=2, max_size=2),
    st.integers(0, 9),
)
def test_composition(numbers: list[float], point: list[float], margin: int) -> None:
    first, second = np.array(numbers).reshape(2, 1, 2, 3)
    x, y = point
    once = first[0] @ [x, y, 1]
    assert np.allclose(compose(second, first)[0] @ [x, y, 1], second[0] @ [*once, 1])
    assert np.allclose(from_wide(first, margin)[0] @ [x + margin, y + margin, 1], once)


def test_refused_margins() -> None:
    with pytest.raises(ValueError) as caught:
        run(NOISY[:, :8], Augmentation())
    assert str(caught.value) == "A margin of 4 leaves nothing of 8x26 pixels."
