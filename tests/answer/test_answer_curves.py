"""Curves and areas against scikit-learn, with ties."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from striate.answer import Classification
from striate.answer._curves import areas, precision_recall_curve, roc_curve

scores_and_truth = st.lists(
    st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=60
).map(lambda rows: (np.array([r[0] for r in rows]) / 12, np.array([r[1] for r in rows])))


@settings(deadline=None, max_examples=100)
@given(scores_and_truth)
def test_areas_are_those_of_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, truth = case
    assume(truth.any() and not truth.all())
    found = areas(scores[:, None], [np.flatnonzero(truth)])
    assert found.roc_K[0] == pytest.approx(sk.roc_auc_score(truth, scores))
    assert found.precision_recall_K[0] == pytest.approx(sk.average_precision_score(truth, scores))


@settings(deadline=None, max_examples=100)
@given(scores_and_truth)
def test_curves_are_those_of_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, truth = case
    assume(truth.any() and not truth.all())
    false_rate, true_rate, _ = sk.roc_curve(truth, scores, drop_intermediate=False)
    x, y = roc_curve(scores, truth)
    assert x == pytest.approx(false_rate)
    assert y == pytest.approx(true_rate)
    precision, recall, _ = sk.precision_recall_curve(truth, scores)
    x, y = precision_recall_curve(scores, truth)
    assert x == pytest.approx(recall[::-1])
    assert y == pytest.approx(precision[::-1])


def test_a_curve_worked_by_hand() -> None:
    scores, truth = np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, True, False, False])
    assert [axis.tolist() for axis in roc_curve(scores, truth)] == [
        [0, 0, 0.5, 1],
        [0, 0.5, 1, 1],
    ]
    recall, precision = precision_recall_curve(scores, truth)
    assert recall.tolist() == [0, 0.5, 1, 1]
    assert precision.tolist() == pytest.approx([1, 1, 2 / 3, 1 / 2])
    # One pair of four is tied; average precision is ½·1 + ½·⅔.
    found = areas(scores[:, None], [np.array([0, 1])])
    assert found.means() == pytest.approx({"roc_auc": 3.5 / 4, "average_precision": 5 / 6})


def test_areas_do_not_depend_on_the_column_block() -> None:
    rng = np.random.default_rng(0)
    scores, truth = rng.random((90, 70)), rng.random((90, 70)) < 0.3
    found = areas(scores, [np.flatnonzero(column) for column in truth.T])
    assert found.roc_K == pytest.approx(sk.roc_auc_score(truth, scores, average=None))


def test_drawn_curves_are_thinned_but_keep_their_ends_and_areas() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(20_000) < 0.1
    score = rng.normal(truth * 1.5, 1)
    answer_NK = np.column_stack([-score, score])
    details = Classification(("no", "yes")).details(answer_NK, truth.astype(np.int64))
    roc, drawn = details["roc"][0], details["precision_recall"][0]
    assert 60 < len(roc["x"]) == len(roc["y"]) <= 101
    assert 60 < len(drawn["x"]) == len(drawn["y"]) <= 101
    assert (roc["x"][0], roc["y"][0], roc["x"][-1], roc["y"][-1]) == (0, 0, 1, 1)
    assert (drawn["x"][0], drawn["y"][0], drawn["x"][-1]) == (0, 1, 1)
    assert drawn["y"][-1] == pytest.approx(truth.mean())
    assert (np.diff(roc["x"]) >= 0).all()
    assert (np.diff(drawn["x"]) >= 0).all()
    # The points that are left still show the area that is written beside them.
    assert np.trapezoid(roc["y"], roc["x"]) == pytest.approx(roc["area"], abs=2e-3)
    assert np.trapezoid(drawn["y"], drawn["x"]) == pytest.approx(drawn["area"], abs=2e-2)
