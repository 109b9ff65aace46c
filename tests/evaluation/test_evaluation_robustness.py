"""Figures against the strength of a change: which pictures, which figures, agreement."""

import json
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.data import TEST, TRAIN, Source, hash_ids
from striate.errors import CheckError, PictureError
from striate.evaluation._robustness import MOST, robustness, sample
from striate.evaluation._robustness_changes import FAMILIES
from striate.evaluation._robustness_curves import Curve, Robustness
from striate.image import MAX_PIXELS, Fitted, Shape, fit_array

SHAPE = Shape(height=4, width=4, channels=1, margin=1)
TWO = Classification(("dark", "bright"))
CHANGES = sum(len(family.strengths) for family in FAMILIES)


class Halves:
    """Pictures whose left half has a grey level and whose right half is black."""

    def __init__(self, levels: list[int]) -> None:
        self.levels = levels

    def __len__(self) -> int:
        return len(self.levels)

    def name(self, position: int) -> str:
        return f"{position:03d}.png"

    def load(self, position: int, shape: Shape, max_pixels: int = MAX_PIXELS) -> Fitted:  # noqa: ARG002
        if self.levels[position] < 0:
            raise PictureError(self.name(position), "the file is empty")
        picture = np.zeros((shape.height, shape.width, 1), np.uint8)
        picture[:, : shape.width // 2] = self.levels[position]
        return fit_array(picture, shape)


class Corner:
    """A network that answers by the upper left pixel."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.shape = SHAPE
        self.max_pixels = 1_000_000
        self.seen = 0

    def run(
        self, pictures_NHWC: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        assert pictures_NHWC.shape[1:] == (4, 4, 1)
        self.seen += len(pictures_NHWC)
        level = pictures_NHWC[:, 0, 0, :].astype(np.float32)
        if self.answer.task == "regression":
            return level, level
        bright = level / 255
        pair = np.hstack([1 - bright, bright]).astype(np.float32)
        return level, pair


def source(
    levels: list[int], targets: Any, answer: Answer = TWO, parts: list[int] | None = None
) -> Source:
    return Source(
        name="halves",
        kind="arrays",
        pictures=Halves(levels),  # type: ignore[arg-type]
        ids=hash_ids(7, ids=np.arange(len(levels), dtype=np.uint64)),
        answer=answer,
        targets=np.asarray(targets),
        parts=np.array(parts if parts else [TRAIN] * len(levels), np.int8),
    )


def at(found: Robustness, name: str) -> dict[Any, tuple[float, float]]:
    """Return strength → (figure, agreement) of a family."""
    (curve,) = [curve for curve in found.curves if curve.name == name]
    return {point.strength: (point.figure, point.agreement) for point in curve.points}


LEVELS = [40, 80, 140, 160, 200, 240]
TRUTH = [0, 1, 1, 1, 1, 1]  # the second is answered wrongly


def test_accuracy_and_agreement_by_hand() -> None:
    found = robustness(Corner(TWO), source(LEVELS, TRUTH))
    assert (found.samples, found.metric, found.agreement) == (6, "accuracy", "accuracy")
    brightness = at(found, "brightness")
    assert brightness[1.0] == (5 / 6, 1.0)
    # 40, 80, 140, 160, 200, 240 times 2: only 40 stays dark. Times 0.75: 140 and 160 darken too.
    assert brightness[2.0] == (1.0, 5 / 6)
    assert brightness[0.75] == (pytest.approx(3 / 6), pytest.approx(4 / 6))
    assert brightness[0.25] == (1 / 6, 2 / 6)
    # The right half is black, so a horizontal flip makes every answer dark.
    flips = at(found, "flip")
    assert flips["none"] == flips["vertical"] == (5 / 6, 1.0)
    assert flips["horizontal"] == flips["both"] == (1 / 6, 2 / 6)


def test_every_point_has_the_interval_of_its_accuracy() -> None:
    from striate.answer._interval import wilson

    found = robustness(Corner(TWO), source(LEVELS, TRUTH))
    points = [point for curve in found.curves for point in curve.points]
    assert len(points) == CHANGES + len(FAMILIES)
    for point in points:
        assert (point.low, point.high) == wilson(round(6 * point.figure), 6)


def test_every_family_has_the_unchanged_pictures_at_its_place() -> None:
    found = robustness(Corner(TWO), source(LEVELS, TRUTH))
    assert [curve.name for curve in found.curves] == [
        *("shift", "rotation", "scale", "flip", "brightness", "blur", "noise")
    ]
    for curve in found.curves:
        assert at(found, curve.name)[curve.unchanged] == (5 / 6, 1.0)


def test_labels_agree_where_all_are_the_same() -> None:
    labels = MultiLabel(("dark", "bright"))
    targets = np.array([[1, 0], [0, 1], [0, 1], [0, 1], [0, 1], [0, 1]], np.float32)
    found = robustness(Corner(labels), source(LEVELS, targets, labels))
    assert (found.metric, found.agreement) == ("f1", "exact_match")
    brightness = at(found, "brightness")
    assert brightness[2.0] == (1.0, 5 / 6)
    # dark: 1 of 4 answers is right; bright: both answers are, 3 are missed.
    assert brightness[0.75][0] == pytest.approx((2 / 5 + 4 / 7) / 2)
    assert all(point.low is None for curve in found.curves for point in curve.points)


def test_numbers_have_a_mean_absolute_change() -> None:
    answer = Regression(("level",))
    targets = np.array([[float(level)] for level in LEVELS])
    found = robustness(Corner(answer), source(LEVELS, targets, answer))
    assert (found.metric, found.agreement) == ("mae", "mae")
    brightness = at(found, "brightness")
    assert brightness[1.0] == (0, 0)
    halved = np.mean(np.array(LEVELS) / 2)
    assert brightness[0.5] == (pytest.approx(halved), pytest.approx(halved))
    off = robustness(Corner(answer), source(LEVELS, targets + 10, answer))
    assert at(off, "brightness")[1.0] == (10, 0)
    assert at(off, "brightness")[0.5] == (pytest.approx(halved + 10), pytest.approx(halved))


def test_at_most_a_thousand_pictures_chosen_by_identity() -> None:
    many = source([100] * 1300, [0] * 1300)
    chosen = sample(many, np.arange(1300))
    assert len(chosen) == MOST == 1000
    assert (np.diff(chosen) > 0).all()
    # Without the first hundred samples the others are chosen as before, and some more.
    rest = sample(many, np.arange(100, 1300))
    assert set(chosen[chosen >= 100]) <= set(rest)
    assert sample(many, np.arange(7)).tolist() == list(range(7))
    # Evenly, not from one end.
    assert 400 < np.sum(chosen < 650) < 600


def test_the_part_and_the_progress() -> None:
    told: list[tuple[int, int]] = []
    network = Corner(TWO)
    given = source([10] * 150, [0] * 150, parts=[TRAIN] * 70 + [TEST] * 80)
    found = robustness(network, given, progress=lambda done, total: told.append((done, total)))
    total = 80 * (CHANGES + 1)
    assert (found.part, found.samples, network.seen) == ("test", 80, total)
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert robustness(network, given, part="train").samples == 70


def test_unreadable_pictures_are_left_out() -> None:
    levels = [*LEVELS[:3], -1, *LEVELS[3:]]
    found = robustness(Corner(TWO), source(levels, [*TRUTH[:3], 0, *TRUTH[3:]]))
    assert [(left.name, left.reason) for left in found.unreadable] == [
        ("003.png", "the file is empty")
    ]
    whole = robustness(Corner(TWO), source(LEVELS, TRUTH))
    for name in ("brightness", "flip"):  # shifts and noise differ by identity
        assert at(found, name) == at(whole, name)
    with pytest.raises(CheckError, match="None of the 2 pictures can be read"):
        robustness(Corner(TWO), source([-1, -1], [0, 1]))
    with pytest.raises(CheckError, match=r"003\.png can't be read"):
        robustness(Corner(TWO), source(levels, [0] * 7), strict=True)


@pytest.mark.parametrize("threads", [1, 5])
def test_threads_change_nothing(threads: int) -> None:
    given = source([(31 * n) % 256 for n in range(200)], [n % 2 for n in range(200)])
    assert robustness(Corner(TWO), given, threads=threads) == robustness(Corner(TWO), given)


def test_the_document() -> None:
    found = robustness(Corner(TWO), source(LEVELS, TRUTH)).to_json()
    json.dumps(found, allow_nan=False)
    assert list(found) == ["part", "samples", "metric", "agreement", "fill", "families"]
    assert found["fill"] == "nearest"
    flip = found["families"][3]
    assert {key: flip[key] for key in ("name", "unit", "unchanged")} == {
        "name": "flip",
        "unit": "",
        "unchanged": "none",
    }
    assert list(flip["points"][0]) == [
        "strength",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "agreement",
    ]
    shift: Curve = robustness(Corner(TWO), source(LEVELS, TRUTH)).curves[0]
    assert [point["strength"] for point in found["families"][0]["points"]] == [
        point.strength for point in shift.points
    ]


def test_without_opencv_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    network = Corner(TWO)
    with pytest.raises(ModuleNotFoundError) as caught:
        robustness(network, source(LEVELS, TRUTH))
    assert caught.value.name == "cv2"
    assert network.seen == 0
