"""Fingerprints, candidates and the comparison of pixels, against plain NumPy and SciPy."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn  # type: ignore[import-untyped]

from striate.data import _similar
from striate.data._fingerprint import Fingerprints, spectra, thumbnails, window
from striate.data._similar import candidates
from striate.data._similar_crops import WINDOWS, part_spectra, refined
from striate.data._similar_pixels import compare

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


def texture(seed: int, size: int = 64, channels: int = 3) -> Pixels:
    """Return smoothed noise, uint8 (size, size, channels)."""
    noise = np.random.default_rng(seed).normal(size=(size, size, channels))
    layers = [cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1, 3, 8)]
    smooth = np.sum(layers, axis=0)
    return pixels(128 + 45 * smooth / smooth.std()).reshape(noise.shape)


def pixels(values: npt.ArrayLike) -> Pixels:
    """Return values as uint8, those outside its range at its ends."""
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def prints_of(pictures: list[Pixels]) -> Fingerprints:
    small = thumbnails(np.stack(pictures))
    return Fingerprints(thumbnails=small, spectra=spectra(small))


def test_spectra_are_weighted_cosine_transforms() -> None:
    small = np.random.default_rng(0).integers(0, 256, (5, 16, 16)).astype(np.uint8)
    frequencies = np.arange(8)
    weight = np.sqrt(np.sqrt(frequencies[:, None] ** 2 + frequencies**2))
    for thumbnail, spectrum in zip(small, spectra(small), strict=True):
        expected = dctn(thumbnail.astype(float), norm="ortho")[:8, :8] * weight
        assert spectrum == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)


def test_thumbnails_are_means_of_grey() -> None:
    picture = texture(3)
    (small,) = thumbnails(picture[None])
    expected = (picture @ [0.299, 0.587, 0.114]).reshape(16, 4, 16, 4).mean((1, 3))
    assert np.abs(small - expected).max() <= 1
    (red,) = thumbnails(picture[None, ..., :1])
    assert np.abs(red - picture[..., 0].reshape(16, 4, 16, 4).mean((1, 3))).max() <= 1


def test_a_picture_of_one_colour_is_like_nothing() -> None:
    flat = np.full((1, 16, 16), 90, np.uint8)
    flat[0, 3, 3] = 95
    assert not spectra(flat).any()


@settings(deadline=None, max_examples=30)
@given(low=st.floats(0, 0.3), high=st.floats(0.7, 1))
def test_a_part_of_a_picture_does_not_see_brightness(low: float, high: float) -> None:
    rows = window(low, high)
    assert rows[1:].sum(axis=1) == pytest.approx(np.zeros(7), abs=1e-5)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(8), abs=1e-5)
    outside = np.arange(16) + 1 <= low * 16 - 1
    assert not rows[:, outside].any()


def test_the_first_part_is_the_whole() -> None:
    small = thumbnails(texture(5)[None])
    assert WINDOWS[0] == (0, 1)
    assert part_spectra(small)[0, 0] == pytest.approx(spectra(small).ravel(), abs=1e-5)


def brute(prints: Fingerprints, threshold: float) -> dict[tuple[int, int], tuple[float, bool]]:
    """Return likeness and whether mirrored by pair: spectra of the pictures and mirror images."""
    straight = prints.spectra.reshape(len(prints), -1).astype(float)
    mirrored = spectra(prints.thumbnails[:, :, ::-1]).reshape(len(prints), -1).astype(float)
    both = {
        (i, j): (straight[i] @ straight[j], straight[i] @ mirrored[j])
        for i in range(len(prints))
        for j in range(i + 1, len(prints))
    }
    return {p: (max(s, m), m > s) for p, (s, m) in both.items() if max(s, m) >= threshold}


def families() -> list[Pixels]:
    """Return 12 textures with 4 versions of each, growing apart, some mirrored."""
    rng = np.random.default_rng(1)
    versions = []
    for seed in range(12):
        for step in range(4):
            noisy = texture(seed) + rng.normal(0, 25 * step, (64, 64, 3))
            picture = pixels(noisy)
            versions.append(picture[:, ::-1] if (seed + step) % 3 == 0 else picture)
    return versions


def test_candidates_are_all_pairs_that_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    prints = prints_of(families())
    monkeypatch.setattr(_similar, "_ROWS", 7)
    proposed = candidates(prints)
    expected = brute(prints, _similar.ALIKE)
    assert len(expected) > 50
    assert list(map(tuple, proposed.pairs.tolist())) == sorted(expected)
    for pair, likeness, mirrored in zip(
        proposed.pairs, proposed.likeness, proposed.mirrored, strict=True
    ):
        one, other = pair.tolist()
        assert likeness == pytest.approx(expected[one, other][0], abs=1e-5)
        assert mirrored == expected[one, other][1]


def test_only_the_most_alike_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    prints = prints_of(families())
    monkeypatch.setattr(_similar, "_ROWS", 7)
    monkeypatch.setattr(_similar, "PER_PICTURE", 0.2)  # 20 in all
    proposed = candidates(prints)
    expected = brute(prints, _similar.ALIKE)
    best = sorted(expected, key=lambda pair: -expected[pair][0])[:20]
    assert list(map(tuple, proposed.pairs.tolist())) == sorted(best)


def test_a_second_look_keeps_crops_and_drops_others() -> None:
    pictures = [texture(seed, 100) for seed in range(40)]
    crops = [pixels(cv2.resize(picture[5:, 5:], (100, 100))) for picture in pictures[:10]]
    prints = prints_of(pictures + crops + [crop[:, ::-1] for crop in crops[:5]])
    kept = refined(candidates(prints), prints)
    assert {tuple(pair) for pair in kept.pairs.tolist()} >= {(i, 40 + i) for i in range(10)}
    assert {tuple(pair) for pair in kept.pairs.tolist()} >= {(i, 50 + i) for i in range(5)}
    assert len(kept) <= 20
    assert (np.diff(kept.likeness) <= 0).all()


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 1000),
    scale=st.floats(0.93, 1.07),
    shift=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    gain=st.floats(0.7, 1.1),
    mirrored=st.booleans(),
)
def test_a_moved_picture_is_the_same(
    seed: int, scale: float, shift: tuple[float, float], gain: float, mirrored: bool
) -> None:
    picture = texture(seed, 80)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    moved = cv2.warpAffine(picture, matrix, (80, 80), borderMode=cv2.BORDER_REFLECT)
    lit = pixels(moved * gain)[:, ::-1] if mirrored else pixels(moved * gain)
    comparison = compare(picture, lit, mirrored=mirrored)
    assert comparison.same
    assert comparison.overlap > 0.7
    assert not compare(picture, lit, mirrored=not mirrored).same


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000))
def test_other_pictures_are_not_the_same(seed: int) -> None:
    assert not compare(texture(seed), texture(seed + 1)).same
    assert not compare(texture(seed), 255 - texture(seed)).same
    blurred = pixels(cv2.GaussianBlur(texture(seed), (0, 0), 12))
    assert not compare(texture(seed), blurred).same


def test_identical_pictures_correlate_fully() -> None:
    comparison = compare(texture(0), texture(0))
    assert comparison.whole == pytest.approx(1, abs=1e-3)
    assert comparison.fine == pytest.approx(1, abs=1e-2)


def test_one_colour_has_no_place_anywhere() -> None:
    flat = np.full((64, 64, 3), 90, np.uint8)
    assert not compare(flat, flat).same
    assert not compare(texture(0), flat).same
