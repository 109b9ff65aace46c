"""Hue, blur, noise and their order: against HSV, SciPy, torchvision and a table of the normal."""

import colorsys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from striate.data._augment import augment
from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Parameter
from striate.data._order import hash_ids
from striate.data._photometry import draw_colours
from striate.errors import UsageError

B, H, W = 12, 24, 31
IDS = hash_ids(8, ids=np.arange(B, dtype=np.uint64))
DRAWS = Draws(seed=0, epoch=0, ids=IDS)
# Pale colours, so that nothing is clipped.
PALE = np.random.default_rng(2).integers(95, 160, (B, H, W, 3), dtype=np.uint8)
Pixels = npt.NDArray[np.uint8]


def run(pictures: Pixels, augmentation: Augmentation, **options: Any) -> Pixels:
    return augment(pictures, augmentation, **{"seed": 0, "epoch": 0, "ids": IDS, **options})


def test_hue_is_a_rotation_about_the_greys() -> None:
    from scipy.spatial.transform import Rotation

    turns = DRAWS.around(0, Parameter.HUE, 0.5)
    maps = draw_colours(Augmentation(hue=0.5), DRAWS, 3)
    assert turns.min() < -0.2 and turns.max() > 0.2 and not maps.pull_B.any()
    for turn, linear in zip(turns, maps.linear_BCC):
        vector = 2 * np.pi * turn * np.ones(3) / np.sqrt(3)
        assert np.allclose(linear, Rotation.from_rotvec(vector).as_matrix())
    expected = np.einsum("bij,bhwj->bhwi", maps.linear_BCC, PALE)
    # OpenCV multiplies bytes by whole 1024ths.
    assert np.abs(run(PALE, Augmentation(hue=0.5)) - expected).max() <= 0.75


def test_a_third_of_the_circle_exchanges_the_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from torchvision.transforms.v2 import functional

    def around(self: Draws, centre: float, parameter: Parameter, limit: float) -> Any:
        del limit
        return np.full(len(self), 1 / 3 if parameter is Parameter.HUE else centre)

    monkeypatch.setattr(Draws, "around", around)
    linear = draw_colours(Augmentation(hue=0.5), DRAWS, 3).linear_BCC[0]
    assert np.allclose(linear, [[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    turned = run(PALE, Augmentation(hue=0.5))
    expected = functional.adjust_hue(torch.from_numpy(PALE).permute(0, 3, 1, 2), 1 / 3)
    assert np.abs(turned - expected.permute(0, 2, 3, 1).numpy().astype(int)).max() <= 2


def test_in_between_hue_turns_that_of_hsv_by_the_same_angle() -> None:
    turns = DRAWS.around(0, Parameter.HUE, 0.25)
    maps = draw_colours(Augmentation(hue=0.25), DRAWS, 3).linear_BCC
    rng = np.random.default_rng(3)
    for turn, linear in zip(turns, maps):
        for colour in rng.uniform(0.35, 0.65, (50, 3)):
            before, after = (
                colorsys.rgb_to_hsv(*colour)[0],
                colorsys.rgb_to_hsv(*linear @ colour)[0],
            )
            off = (after - before - turn + 0.5) % 1 - 0.5
            assert abs(off) * 360 < 2.3


def test_grey_has_no_hue() -> None:
    grey = PALE[..., :1]
    assert np.array_equal(run(grey, Augmentation(hue=0.5)), grey)
    same = np.repeat(grey, 3, axis=3)
    assert np.array_equal(run(same, Augmentation(hue=0.5)), same)


@pytest.mark.parametrize("channels", [1, 3])
def test_blur_against_torchvision(channels: int) -> None:
    import torch
    from torchvision.transforms.v2 import functional

    pictures = np.random.default_rng(4).integers(0, 256, (B, H, W, channels), dtype=np.uint8)
    blurred = run(pictures, Augmentation(blur=2.0))
    deviations = DRAWS.up_to(Parameter.BLUR, 2.0)
    assert deviations.max() > 1.2
    for picture, deviation, result in zip(pictures, deviations, blurred):
        side = 2 * int(np.ceil(3 * deviation)) + 1
        expected = functional.gaussian_blur(
            torch.from_numpy(picture).permute(2, 0, 1), [side, side], [float(deviation)] * 2
        )
        difference = result.astype(int) - expected.permute(1, 2, 0).numpy()
        assert np.abs(difference).max() <= 1


def test_noise_against_the_quantiles_of_scipy() -> None:
    from scipy.stats import norm

    pictures = np.random.default_rng(5).integers(0, 256, (B, H, W, 3), dtype=np.uint8)
    noisy = run(pictures, Augmentation(noise=0.1))
    deviations = DRAWS.up_to(Parameter.NOISE, 25.5)
    keys = DRAWS.hashes_PB[Parameter.NOISE_PIXELS]
    for picture, key, deviation, result in zip(pictures, keys, deviations, noisy):
        count = H * W * 3
        bits = np.random.Philox(key=key).random_raw(count // 4 + 1).view(np.uint16)[:count]
        added = np.rint(deviation * norm.ppf((bits + 0.5) / 65536)).reshape(picture.shape)
        assert np.abs(np.clip(picture + added, 0, 255) - result).max() <= 1
        assert (np.clip(picture + added, 0, 255) == result).mean() > 0.999


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_is_normal_and_independent(channels: int) -> None:
    flat = np.full((B, 60, 61, channels), 128, np.uint8)
    noise = run(flat, Augmentation(noise=0.12)).astype(float) - 128
    deviations = DRAWS.up_to(Parameter.NOISE, 0.12 * 255)
    pixels = noise[0].size
    for one, deviation in zip(noise, deviations):
        # Rounding adds a variance of 1/12.
        expected = np.sqrt(deviation**2 + 1 / 12)
        assert abs(one.std() / expected - 1) < 5 / np.sqrt(2 * pixels)
        assert abs(one.mean()) < 5 * expected / np.sqrt(pixels)
    widest = noise[int(np.argmax(deviations))]
    z = widest / widest.std()
    assert abs((z**3).mean()) < 0.2 and abs((z**4).mean() - 3) < 0.4
    for other in (
        np.roll(z, 1, 0),
        np.roll(z, 1, 1),
        *([np.roll(z, 1, 2)] if channels > 1 else []),
    ):
        assert abs((z * other).mean()) < 0.06
    again = run(flat, Augmentation(noise=0.12), epoch=1).astype(float) - 128
    assert abs(np.corrcoef(noise.ravel(), again.ravel())[0, 1]) < 0.03


def test_the_order_is_blur_colours_noise_erasing() -> None:
    pictures = np.random.default_rng(6).integers(0, 256, (B, H, W, 3), dtype=np.uint8)
    steps: list[dict[str, float]] = [
        {"rotation": 10},
        {"blur": 1.5},
        {"brightness": 0.3, "contrast": 0.3, "saturation": 0.3, "hue": 0.2},
        {"noise": 0.1},
        {"erase": 0.3},
    ]
    every: dict[str, Any] = {key: value for step in steps for key, value in step.items()}
    expected = pictures
    for step in steps:
        one: dict[str, Any] = step
        expected = run(expected, Augmentation(**one))
    assert np.array_equal(run(pictures, Augmentation(**every)), expected)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"hue": 0.6},
            "augmentation.hue is 0.6; expected a number from 0 to 0.5 "
            "(a fraction of the colour circle).",
        ),
        ({"blur": -1}, "augmentation.blur is -1; expected a number from 0 to 100 (pixels)."),
        (
            {"noise": 2},
            "augmentation.noise is 2; expected a number from 0 to 1 (a fraction of 255).",
        ),
        (
            {"resized_crop": 1},
            "augmentation.resized_crop is 1; expected a number from 0 to less than 1 "
            "(a fraction of the picture's area).",
        ),
    ],
)
def test_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        Augmentation(**change)
    assert str(caught.value) == sentence
