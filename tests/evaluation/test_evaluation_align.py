"""A source's targets in a model's order."""

from typing import Any

import numpy as np
import pytest

from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.data import UNDECIDED, Source
from striate.errors import SourceError
from striate.evaluation import align


class _NoPictures:
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count


def _source(answer: Answer, targets: Any) -> Source:
    count = len(targets)
    pictures: Any = _NoPictures(count)
    return Source(
        name="garden",
        kind="table",
        pictures=pictures,
        ids=np.arange(count, dtype=np.uint64),
        answer=answer,
        targets=np.asarray(targets),
        parts=np.full(count, UNDECIDED, np.int8),
    )


MODEL = Classification(("ant", "bee", "cat"))


def test_classes_are_matched_by_name() -> None:
    source = _source(Classification(("cat", "ant")), [0, 0, 1])
    assert align(source, MODEL).tolist() == [2, 2, 0]
    assert align(_source(MODEL, [0, 1, 2]), MODEL).tolist() == [0, 1, 2]


def test_an_unknown_class_is_named_with_the_nearest() -> None:
    with pytest.raises(SourceError) as caught:
        align(_source(Classification(("ant", "bees")), [0, 1]), MODEL)
    assert str(caught.value) == (
        "garden: the source has the class 'bees', which the model doesn't know. Did you mean 'bee'?"
        " The model knows: ant, bee, cat. Rename or leave out those pictures, or train on this "
        "source."
    )


def test_an_unknown_class_without_pictures_is_no_matter() -> None:
    source = _source(Classification(("cat", "ant", "dog")), [0, 1])
    assert align(source, MODEL).tolist() == [2, 0]


def test_many_names_are_cut_short() -> None:
    model = Classification(tuple(f"kind {k}" for k in range(25)))
    with pytest.raises(SourceError, match=r"kind 8, kind 9 and 15 more\. Rename"):
        align(_source(Classification(("zebra", "kind 1")), [0]), model)


def test_another_task_is_refused() -> None:
    with pytest.raises(SourceError) as caught:
        align(_source(Regression(("cells",)), [[1.0]]), MODEL)
    assert str(caught.value) == (
        "garden: this source is read as regression (cells), but the model was trained for "
        "classification (ant, bee, cat). Name a source of that task, or use a model for "
        "regression."
    )


def test_labels_are_matched_by_name_and_absent_ones_are_zero() -> None:
    model = MultiLabel(("red", "green", "blue"))
    source = _source(MultiLabel(("blue", "red")), np.array([[1, 0], [1, 1]], np.float32))
    targets = align(source, model)
    assert targets.tolist() == [[0, 0, 1], [1, 0, 1]]
    assert targets.dtype == np.float32
    grey = _source(MultiLabel(("grey", "red")), np.array([[1, 0]], np.float32))
    with pytest.raises(SourceError, match="has the label 'grey', which the model doesn't know"):
        align(grey, model)
    unused = _source(MultiLabel(("grey", "red")), np.array([[0, 1]], np.float32))
    assert align(unused, model).tolist() == [[1, 0, 0]]


def test_numbers_are_matched_by_name_and_others_left_out() -> None:
    source = _source(Regression(("width", "x", "y")), [[9.0, 1.0, 2.0], [8.0, 3.0, 4.0]])
    assert align(source, Regression(("y", "x"))).tolist() == [[2, 1], [4, 3]]
    with pytest.raises(SourceError) as caught:
        align(source, Regression(("widht",)))
    assert str(caught.value) == (
        "garden: the model answers 'widht', but the source has no target of that name. Did you mean "
        "'width'? Its targets: width, x, y."
    )


def test_targets_are_checked() -> None:
    with pytest.raises(SourceError, match="Sample 1 has nan for 'x'"):
        align(_source(Regression(("x",)), [[1.0], [np.nan]]), Regression(("x",)))
