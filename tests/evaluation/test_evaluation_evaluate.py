"""Measuring a network on a source: decoding, parts, figures, mistakes."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.data import TEST, TRAIN, UNDECIDED, VALIDATION, Source
from striate.errors import CheckError, PictureError, SourceError, UsageError
from striate.evaluation import answers, evaluate, measure
from striate.image import MAX_PIXELS, Fitted, Shape, fit_array

SHAPE = Shape(height=2, width=2, channels=1)


class Plain:
    """Pictures of one grey level each; a negative level can't be read."""

    def __init__(self, levels: list[int], size: int = 2) -> None:
        self.levels = levels
        self.size = size

    def __len__(self) -> int:
        return len(self.levels)

    def name(self, position: int) -> str:
        return f"{position:02d}.png"

    def load(self, position: int, shape: Shape, max_pixels: int = MAX_PIXELS) -> Fitted:  # noqa: ARG002
        if self.levels[position] < 0:
            raise PictureError(self.name(position), "the file ends too early")
        picture = np.full((self.size, self.size, 3), self.levels[position], np.uint8)
        return fit_array(picture, shape)


class Grey:
    """A network that answers by the first pixel."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.shape = SHAPE
        self.max_pixels = 1_000_000
        self.batches: list[int] = []

    def run(
        self, pictures_NHWC: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        assert pictures_NHWC.shape[1:] == (2, 2, 1)
        self.batches.append(len(pictures_NHWC))
        level = pictures_NHWC[:, 0, 0, :].astype(np.float32)
        if self.answer.task == "regression":
            return level / 10, level
        bright = level / 255
        return level, np.hstack([1 - bright, bright]).astype(np.float32)


TWO = Classification(("dark", "bright"))


def _source(levels: list[int], targets: Any, answer: Answer = TWO, parts: Any = None) -> Source:
    pictures: Any = Plain(levels)
    return Source(
        name="greys",
        kind="arrays",
        pictures=pictures,
        ids=np.arange(len(levels), dtype=np.uint64),
        answer=answer,
        targets=np.asarray(targets),
        parts=np.array(parts or [UNDECIDED] * len(levels), np.int8),
    )


class Kept:
    """Pictures that lie in one array."""

    def __init__(self, pixels: npt.NDArray[np.uint8]) -> None:
        self.pixels = pixels

    def take(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        return self.pixels[positions]


def test_answers_come_in_order_batch_by_batch() -> None:
    pixels = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((2, 2, 1), np.uint8)
    network = Grey(Regression(("level",)))
    told: list[tuple[int, int]] = []
    logits, answer = answers(
        network,
        Kept(pixels),
        np.array([3, 1, 9, 9, 0]),
        batch_size=2,
        progress=lambda done, total: told.append((done, total)),
    )
    assert answer.tolist() == [[3], [1], [9], [9], [0]]
    assert logits == pytest.approx(answer / 10)
    assert network.batches == [2, 2, 1]
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_no_positions_are_refused() -> None:
    with pytest.raises(SourceError) as caught:
        answers(Grey(TWO), Kept(np.zeros((1, 2, 2, 1), np.uint8)), np.array([], np.int64))
    assert str(caught.value) == "There are no pictures to answer: the part is empty."


def test_measure_counts_samples_and_gives_the_metrics() -> None:
    answer_NK = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    targets = np.array([0, 1, 0])
    found = measure(TWO, answer_NK, targets)
    assert found == {"samples": 3, **TWO.metrics(answer_NK, targets)}
    assert list(found)[:2] == ["samples", "loss"]


def test_figures_mistakes_and_details() -> None:
    found = evaluate(Grey(TWO), _source([0, 255, 200, 130, 10], [0, 1, 0, 0, 1]))
    assert (found.part, found.samples, found.metrics["correct"]) == ("all", 5, 2)
    assert [(row["name"], row["target"]) for row in found.worst] == [
        ("04.png", "bright"),
        ("02.png", "dark"),
        ("03.png", "dark"),
    ]
    assert found.worst[1]["answer"]["label"] == "bright"
    assert found.worst[1]["answer"]["probability"] == float(np.float32(200) / np.float32(255))
    assert found.details["confusion"] == [[1, 2], [1, 1]]
    assert found.sentence == TWO.sentence(found.metrics)
    assert found.sentence.startswith("average loss ")
    assert (found.unreadable, found.notes) == ((), ())


def test_it_is_json() -> None:
    found = evaluate(Grey(TWO), _source([0, 255, -1, 0, 0, 0], [0, 1, 0, 0, 0, 1]))
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert list(written) == [
        *("part", "samples", "metrics", "details", "worst", "unreadable", "sentence", "notes")
    ]
    assert written["unreadable"] == [{"name": "02.png", "reason": "the file ends too early"}]
    assert written["metrics"] == found.metrics


def test_pictures_are_brought_to_the_networks_size() -> None:
    source = _source([40, 200], [[40.0], [190.0]], Regression(("level",)))
    large: Any = Plain([40, 200], size=17)
    found = evaluate(Grey(Regression(("level",))), replace(source, pictures=large))
    assert found.metrics["mae"] == 5


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_change_nothing(threads: int) -> None:
    levels = [(37 * i) % 256 for i in range(600)]
    source = _source(levels, np.array(levels, np.float64)[:, None], Regression(("level",)))
    found = evaluate(Grey(Regression(("level",))), source, threads=threads)
    assert (found.samples, found.metrics["loss"], found.worst) == (600, 0, ())


def test_classes_in_another_order_are_the_same_source() -> None:
    usual = evaluate(Grey(TWO), _source([0, 255, 200, 10], [0, 1, 0, 1]))
    swapped = _source([0, 255, 200, 10], [1, 0, 1, 0], Classification(("bright", "dark")))
    assert evaluate(Grey(TWO), swapped) == usual


def test_names_that_the_source_lacks_are_noted() -> None:
    model = MultiLabel(("dark", "bright"))
    source = _source([0, 255], np.array([[0], [1]], np.float32), MultiLabel(("bright",)))
    found = evaluate(Grey(model), source)
    assert found.notes == (
        "The source doesn't have dark: counted as never there, though the model may answer so.",
    )
    assert found.metrics["accuracy"] == 0.75


PARTS = [TRAIN, TRAIN, VALIDATION, VALIDATION, TEST]


@pytest.mark.parametrize(
    ("parts", "asked", "part", "samples"),
    [
        (PARTS, None, "test", 1),
        ([*PARTS[:4], TRAIN], None, "validation", 2),
        ([TRAIN] * 5, None, "all", 5),
        ([UNDECIDED] * 5, None, "all", 5),
        (PARTS, "train", "train", 2),
        (PARTS, "all", "all", 5),
    ],
)
def test_the_part_that_is_measured(parts: Any, asked: Any, part: str, samples: int) -> None:
    source = _source([0, 1, 2, 3, 4], [0, 0, 0, 0, 0], parts=parts)
    found = evaluate(Grey(TWO), source, part=asked)
    assert (found.part, found.samples) == (part, samples)


def test_mistakes_of_a_part_keep_their_names() -> None:
    found = evaluate(Grey(TWO), _source([0, 0, 0, 0, 250], [0, 1, 0, 1, 0], parts=PARTS))
    assert [row["name"] for row in found.worst] == ["04.png"]


def test_parts_that_are_not_there() -> None:
    source = _source([0, 1], [0, 0], parts=[TRAIN, TEST])
    with pytest.raises(SourceError) as caught:
        evaluate(Grey(TWO), source, part="validation")
    assert str(caught.value) == (
        "greys: the source has no validation part; it has train, test. Leave out the part, or ask "
        "for all."
    )
    with pytest.raises(SourceError, match="it has train"):
        evaluate(Grey(TWO), _source([0, 1], [0, 0]), part="test")
    with pytest.raises(UsageError) as usage:
        evaluate(Grey(TWO), source, part="tests")
    assert str(usage.value) == (
        "There is no part called 'tests'. Did you mean 'test'? Known: train, validation, test, all."
    )


def test_unreadable_pictures_are_left_out_and_named() -> None:
    found = evaluate(Grey(TWO), _source([0, -1, 255, 0, 0, 0], [0, 0, 1, 0, 0, 0]))
    assert (found.samples, found.metrics["accuracy"]) == (5, 1)
    assert [(left.position, left.name, left.reason) for left in found.unreadable] == [
        (1, "01.png", "the file ends too early")
    ]


def test_too_many_unreadable_pictures_stop_it() -> None:
    source = _source([-1, -1, 255, 0], [0, 0, 1, 0])
    with pytest.raises(CheckError, match="2 of 4 pictures can't be read"):
        evaluate(Grey(TWO), source)
    assert evaluate(Grey(TWO), source, allow_unreadable=True).samples == 2
    with pytest.raises(CheckError, match="None of the 2 pictures can be read"):
        evaluate(Grey(TWO), _source([-1, -1], [0, 0]), allow_unreadable=True)


def test_strict_stops_at_the_first_batch_with_one() -> None:
    network = Grey(TWO)
    source = _source([0] * 100 + [-1] + [0] * 900, [0] * 1001)
    with pytest.raises(CheckError, match=r"100\.png can't be read: the file ends too early"):
        evaluate(network, source, strict=True)
    assert network.batches == []
