"""Finding duplicates: planted copies, exact ones, and when near ones don't act."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps

from pictures import save
from striate.data import Store, open_source, store
from striate.data._duplicate import Duplicates
from striate.data._duplicates import find_duplicates, shortest_sides
from striate.data._room import Room
from striate.image import Shape, fit_matrix

Pixels = npt.NDArray[np.uint8]
Picture = Image.Image


def scene(seed: int, size: int = 96) -> Pixels:
    """Return a scene of coloured areas, shapes and grain, uint8 (size, size, 3)."""
    rng = np.random.default_rng((7, seed))
    picture = np.zeros((size, size, 3))
    for side, strength in ((3, 60), (6, 45), (12, 30), (32, 14)):
        noise = Image.fromarray(rng.integers(0, 256, (side, side, 3)).astype(np.uint8))
        smooth = np.asarray(noise.resize((size, size), Image.Resampling.BICUBIC), float)
        picture += (smooth - 128) * strength / 64
    y, x = np.mgrid[:size, :size] / size
    for _ in range(4):
        centre, radius = rng.uniform(0.1, 0.9, 2), rng.uniform(0.05, 0.25)
        inside = np.hypot(x - centre[0], y - centre[1]) < radius
        picture[inside] += rng.uniform(-70, 70, 3)
    return np.clip(128 + picture, 0, 255).astype(np.uint8)


def cropped(picture: Picture, share: float) -> Picture:
    cut = round(picture.width * share / 2)
    return picture.crop((cut, cut, picture.width - cut, picture.height - cut))


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "quality 50": lambda picture: picture,
    "half": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "cropped by 5 %": lambda picture: cropped(picture, 0.05),
    "a corner cropped by 5 %": lambda picture: picture.crop((5, 5, picture.width, picture.height)),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.1),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.9),
    "flipped": ImageOps.mirror,
    "flipped and cropped": lambda picture: cropped(ImageOps.mirror(picture), 0.05),
}


def copy(picture: Pixels, kind: str) -> Pixels:
    """Return a copy as a JPEG file would hold it, at the picture's size."""
    data = io.BytesIO()
    changed = COPIES[kind](Image.fromarray(picture))
    changed.save(data, "JPEG", quality=50 if kind == "quality 50" else 90)
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(Image.open(data).resize(size, Image.Resampling.BILINEAR))


def search(pictures: list[Pixels], **options: int) -> Duplicates:
    """Find the duplicates among pictures that are stored as they are."""
    pixels = np.stack(pictures)
    source = open_source((pixels, np.arange(len(pixels)) % 2))
    height, width, channels = pixels.shape[1:]
    with store(source, Shape(height=height, width=width, channels=channels)) as stored:
        return find_duplicates(stored, source, np.arange(len(pixels)), **options)


def found(duplicates: Duplicates) -> list[tuple[str, list[int]]]:
    return [(group.kind, group.positions.tolist()) for group in duplicates.groups]


def test_planted_copies_are_found_and_nothing_else() -> None:
    originals = [scene(seed) for seed in range(60)]
    copies = [copy(originals[place * 5], kind) for place, kind in enumerate(COPIES)]
    duplicates = search(originals + copies)
    planted = [("near", [place * 5, 60 + place]) for place in range(len(COPIES))]
    assert found(duplicates) == planted, list(COPIES)
    assert (duplicates.near_acted, duplicates.reason, duplicates.proposals) == (True, "", ())


def test_grey_pictures_have_near_duplicates_too() -> None:
    grey = [scene(seed)[..., :1] for seed in range(20)]
    lighter = np.clip(grey[3] * 1.1, 0, 255).astype(np.uint8)
    assert found(search([*grey, lighter])) == [("near", [3, 20])]


def test_every_copy_is_compared_with_the_first_of_its_group() -> None:
    originals = [scene(seed) for seed in range(10)]
    copies = [copy(originals[4], kind) for kind in ("quality 50", "brighter", "flipped")]
    duplicates = search(originals + copies)
    (group,) = duplicates.groups
    assert sorted(group.positions.tolist()) == [4, 10, 11, 12]
    assert group.names == tuple(f"row {p}" for p in group.positions)


def test_what_has_the_same_shape_in_other_colours_is_no_duplicate() -> None:
    pictures = [np.full((64, 64, 3), 40, np.uint8) for _ in range(3)]
    for channel, picture in enumerate(pictures):
        picture[20:44, 12:50, channel] = 220
    assert found(search(pictures)) == []


def test_pictures_of_one_colour_are_the_same_only_by_their_pixels() -> None:
    colours = [np.full((64, 64, 3), level, np.uint8) for level in (10, 200, 10, 90)]
    assert found(search(colours)) == [("pixels", [0, 2])]


def test_the_same_files_and_the_same_pixels(tmp_path: Path) -> None:
    for seed in range(6):
        save(scene(seed, 64), tmp_path / "a" / f"{seed}.png")
    save(scene(8, 64), tmp_path / "b" / "0.png")
    shutil.copy(tmp_path / "a" / "1.png", tmp_path / "b" / "same.png")
    save(scene(2, 64), tmp_path / "b" / "other.bmp")
    source = open_source(tmp_path)
    names = [source.pictures.name(position) for position in range(len(source))]
    with store(source, Shape(height=64, width=64, channels=3)) as stored:
        duplicates = find_duplicates(stored, source, np.arange(len(source)))
    assert [(group.kind, group.names) for group in duplicates.groups] == [
        ("bytes", ("a/1.png", "b/same.png")),
        ("pixels", ("a/2.png", "b/other.bmp")),
    ]
    assert duplicates.pairs.tolist() == [
        [names.index("a/1.png"), names.index("b/same.png")],
        [names.index("a/2.png"), names.index("b/other.bmp")],
    ]


def test_small_pictures_are_compared_exactly() -> None:
    small = [scene(seed, 32) for seed in range(6)]
    duplicates = search([*small, copy(small[0], "quality 50"), small[1]])
    assert found(duplicates) == [("pixels", [1, 7])]
    assert not duplicates.near_acted
    assert duplicates.reason == (
        "Near duplicates were not looked for: 7 pictures have a side under 48 px, in the file or as "
        "stored, and different pictures of that size look too much alike. Exact duplicates count."
    )


def test_small_files_stay_small_in_a_larger_store(tmp_path: Path) -> None:
    for seed in range(5):
        save(scene(seed, 64), tmp_path / "a" / f"{seed}.png")
    save(scene(9, 40), tmp_path / "b" / "small.png")
    source = open_source(tmp_path)
    with store(source, Shape(height=56, width=56, channels=3, margin=4)) as stored:
        duplicates = find_duplicates(stored, source, np.arange(len(source)))
    assert duplicates.near_acted
    assert duplicates.reason == (
        "Near duplicates were not looked for everywhere: 1 picture has a side under 48 px, in the "
        "file or as stored."
    )


def test_where_too_many_match_only_exact_duplicates_act() -> None:
    originals = [scene(seed) for seed in range(16)]
    copies = [copy(picture, "brighter") for picture in originals]
    duplicates = search([*originals, *copies, originals[0]])
    assert found(duplicates) == [("pixels", [0, 32])]
    assert not duplicates.near_acted
    assert duplicates.reason == (
        "Near duplicates don't count: 32 of 33 pictures (97.0%) or more match another, and over 2% "
        "the match says little. Exact duplicates count."
    )
    assert [group.kind for group in duplicates.proposals] == ["near"] * 16


def test_among_too_many_pictures_only_exact_duplicates_count() -> None:
    originals = [scene(seed) for seed in range(8)]
    pictures = [*originals, originals[2], copy(originals[3], "quality 50")]
    duplicates = search(pictures, largest=8)
    assert found(duplicates) == [("pixels", [2, 8])]
    assert not duplicates.near_acted
    assert duplicates.reason == (
        "Near duplicates were not looked for: to compare every two of 9 pictures takes long; "
        "striate check does it. Exact duplicates count."
    )
    assert found(search(pictures, largest=9)) == [("pixels", [2, 8]), ("near", [3, 9])]


def test_only_the_positions_asked_for_are_compared() -> None:
    picture = scene(0)
    pixels = np.stack([picture, picture, scene(1), copy(picture, "half"), picture])
    source = open_source((pixels, np.arange(5) % 2))
    with store(source, Shape(height=96, width=96, channels=3), skip=np.array([0])) as stored:
        duplicates = find_duplicates(stored, source, np.array([1, 2, 3]))
    assert found(duplicates) == [("near", [1, 3])]


@pytest.mark.parametrize("count", [0, 1])
def test_there_must_be_two_pictures_to_be_the_same(count: int) -> None:
    pixels = np.stack([scene(0), scene(0)])
    source = open_source((pixels, np.arange(2)))
    with store(source, Shape(height=96, width=96, channels=3)) as stored:
        duplicates = find_duplicates(stored, source, np.arange(count))
    assert (duplicates.groups, duplicates.reason) == ((), "")


def test_threads_change_nothing_and_progress_is_told() -> None:
    pictures = [scene(seed) for seed in range(100)]
    pictures += [copy(pictures[3], "flipped"), copy(pictures[3], "half")]
    told: list[tuple[int, int]] = []
    one = search(pictures, threads=1)
    three = search(pictures, threads=3, progress=lambda *done: told.append(done))  # type: ignore[arg-type]
    assert one.to_json() == three.to_json()
    assert told[-1] == (102, 102)
    assert told == sorted(told)


def test_the_result_survives_json() -> None:
    pictures = [scene(seed) for seed in range(5)]
    duplicates = search([*pictures, pictures[0], copy(pictures[1], "half")])
    saved = json.loads(json.dumps(duplicates.to_json()))
    assert Duplicates.from_json(saved).to_json() == saved
    assert saved == {
        "groups": [
            {"kind": "pixels", "positions": [0, 5], "names": ["row 0", "row 5"]},
            {"kind": "near", "positions": [1, 6], "names": ["row 1", "row 6"]},
        ],
        "near_acted": True,
        "reason": "",
        "proposals": [],
    }


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(20, 500),
    width=st.integers(20, 500),
    rule=st.sampled_from(["crop", "squash", "pad"]),
    margin=st.integers(0, 9),
)
def test_the_shortest_side_follows_from_the_matrix(
    height: int, width: int, rule: str, margin: int
) -> None:
    shape = Shape(height=64, width=48, channels=1, rule=rule, margin=margin)
    matrices = fit_matrix(height, width, shape)[None].astype(np.float32)
    stored = Store(Room(np.zeros((1, 1, 1, 1), np.uint8)), shape=shape, matrices=matrices)
    side = shortest_sides(stored, np.array([0]))[0]
    # "pad" rounds to whole pixels of the store, and one more for what can't be centred.
    rounding = 1.5 / float(min(matrices[0, 0, 0], matrices[0, 1, 1])) if rule == "pad" else 0.01
    assert side == pytest.approx(min(height, width, 48 + 2 * margin), abs=rounding)
