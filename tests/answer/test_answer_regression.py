"""Regression's figures, by hand and against scikit-learn."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sk

from striate.answer import Regression
from striate.errors import SourceError

CELLS = Regression(("cells",))
POINT = Regression(("x", "y"))


def test_figures_worked_by_hand() -> None:
    found = CELLS.metrics(np.array([[1.0], [4.0], [4.0]]), np.array([[2.0], [4.0], [6.0]]))
    # Errors −1, 0, −2; the truth's squares about its mean of 4 sum to 8.
    assert found == pytest.approx(
        {"loss": 5 / 3, "mae": 1.0, "rmse": math.sqrt(5 / 3), "r2": 1 - 5 / 8}
    )


def test_several_targets_each_have_their_figures() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal([3, 500], [1, 90], (300, 2))
    answer_NT = truth + rng.normal(0, [0.5, 40], truth.shape)
    found = POINT.metrics(answer_NT, truth)
    expected = {
        "loss": sk.mean_squared_error(truth, answer_NT),
        "mae": sk.mean_absolute_error(truth, answer_NT),
        "rmse": sk.root_mean_squared_error(truth, answer_NT),
        "r2": sk.r2_score(truth, answer_NT),
    }
    for column, name in enumerate(("x", "y")):
        one = truth[:, column], answer_NT[:, column]
        expected[f"mae_{name}"] = sk.mean_absolute_error(*one)
        expected[f"rmse_{name}"] = sk.root_mean_squared_error(*one)
        expected[f"r2_{name}"] = sk.r2_score(*one)
    assert found == pytest.approx(expected, rel=1e-12)
    assert list(found)[4:] == ["mae_x", "rmse_x", "r2_x", "mae_y", "rmse_y", "r2_y"]


def test_equal_truths_have_an_r2_of_one_or_zero() -> None:
    # The mean of these is off by a rounding error, so their variance isn't 0.
    truth = np.full((6, 1), 0.1)
    assert CELLS.metrics(truth, truth)["r2"] == 1
    assert CELLS.metrics(truth + 0.5, truth)["r2"] == 0


def test_the_constant_prediction_has_an_r2_of_zero() -> None:
    truth = np.arange(10.0)[:, None]
    assert CELLS.metrics(np.full((10, 1), 4.5), truth)["r2"] == pytest.approx(0)


numbers = hnp.arrays(np.float64, (12, 2), elements=st.floats(-1e6, 1e6))


@settings(deadline=None, max_examples=60)
@given(numbers, numbers)
def test_figures_hang_together(answer_NT: Any, truth: Any) -> None:
    found = POINT.metrics(answer_NT, truth)
    assert all(math.isfinite(value) for value in found.values())
    assert found["mae_x"] <= found["rmse_x"] * (1 + 1e-9) + 1e-150
    assert found["loss"] == pytest.approx((found["rmse_x"] ** 2 + found["rmse_y"] ** 2) / 2)
    assert found["r2"] <= 1
    for row in POINT.details(answer_NT, truth)["residuals"]:
        assert sum(row["counts"]) == 12
        assert (np.diff(row["edges"]) > 0).all()


def test_details_hold_truth_answer_and_residuals() -> None:
    answer_NT = np.array([[1.0, 10.0], [4.0, 20.0], [4.0, 30.0], [9.0, 40.0]])
    truth = np.array([[2.0, 10.0], [4.0, 20.0], [6.0, 30.0], [8.0, 40.0]])
    details = POINT.details(answer_NT, truth)
    assert details["targets"][0] == {"name": "x", "truth": [2, 4, 6, 8], "answer": [1, 4, 4, 9]}
    assert details["residuals"][0] == {"name": "x", "edges": [-2, -0.5, 1], "counts": [2, 2]}
    flat = details["residuals"][1]
    assert flat["counts"] == [4]
    assert flat["edges"][0] < 0 < flat["edges"][1]


def test_at_most_a_thousand_points_the_same_each_time() -> None:
    truth = np.arange(5000.0)[:, None]
    shown = CELLS.details(truth + 1, truth)["targets"][0]
    assert len(set(shown["truth"])) == 1000
    assert shown["answer"] == [number + 1 for number in shown["truth"]]
    assert shown == CELLS.details(truth + 1, truth)["targets"][0]


def test_the_worst_are_measured_in_deviations_of_their_target() -> None:
    truth = np.array([[0.0, 0], [1, 1000], [2, 2000], [3, 3000]])
    answer_NT = truth + np.array([[0.5, 0], [0, 100], [0, -1500], [0, 0]])
    assert POINT.worst(answer_NT, truth, 9).tolist() == [2, 0, 1]
    assert POINT.worst(answer_NT, truth, 1).tolist() == [2]


def test_descriptions() -> None:
    assert POINT.describe(np.array([1.5, -2.0], np.float32)) == {"values": {"x": 1.5, "y": -2.0}}
    assert CELLS.describe_target(np.array([7.0])) == "7"
    assert POINT.describe_target(np.array([0.1234567, -2.0])) == "x 0.123457, y -2"


def test_the_sentence() -> None:
    figures = {"loss": 12.34567, "mae": 2.5, "rmse": 3.51364, "r2": 0.91234}
    assert CELLS.sentence(figures) == (
        "average loss 12.35, mean absolute error 2.5, root mean squared error 3.514, r2 0.9123"
    )


def test_what_is_allowed_grows_with_the_spread() -> None:
    expected = np.array([[0.0, -300.0], [0.0, 300.0]])
    assert POINT.disagreement(expected, expected + np.array([9e-5, 0.029])) is None
    assert POINT.disagreement(expected, expected + np.array([0, 0.04])) == (
        "2 of 2 answers differ (rows 0, 1); furthest off is row 0, 'y': expected -300, got "
        "-299.96, allowed is a difference of 0.0303."
    )
    assert POINT.disagreement(expected, expected + np.array([1.1e-4, 0])) is not None


def test_the_rounding_of_float32_is_allowed() -> None:
    years = np.array([[20000.0], [20000.5]], np.float32)
    assert CELLS.disagreement(years, np.nextafter(years, np.float32(0))) is None


def test_strata_are_quantile_bins_of_the_first_target() -> None:
    targets = np.column_stack([np.arange(100.0)[::-1], np.zeros(100)])
    assert np.bincount(POINT.strata(targets)).tolist() == [10] * 10
    assert POINT.strata(targets)[:10].tolist() == [9] * 10
    assert np.bincount(CELLS.strata(np.arange(17.0)[:, None])).tolist() == [6, 5, 6]
    assert CELLS.strata(np.arange(4.0)[:, None]).tolist() == [0, 0, 0, 0]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=80))
def test_equal_numbers_share_a_stratum(numbers: list[int]) -> None:
    strata = CELLS.strata(np.array(numbers, np.float64)[:, None])
    assert len({*zip(numbers, strata.tolist())}) == len(set(numbers))
    order = np.argsort(numbers)
    assert (np.diff(strata[order]) >= 0).all()


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        (
            np.zeros((4, 1)),
            "Expected a table of pictures by 2 numbers, but the targets have shape (4, 1).",
        ),
        (
            np.array([[0, 1], [np.nan, 1]]),
            "Sample 1 has nan for 'x', but a target must be a finite number of at most 3.4e+38. "
            "Fill it in or leave the sample out.",
        ),
        (
            np.array([[0, 1], [0, 1e39]]),
            "Sample 1 has 1e+39 for 'y', but a target must be a finite number of at most 3.4e+38. "
            "Fill it in or leave the sample out.",
        ),
    ],
)
def test_targets_that_do_not_fit(targets: np.ndarray, sentence: str) -> None:
    with pytest.raises(SourceError) as caught:
        POINT.check(targets)
    assert str(caught.value) == sentence


def test_targets_that_hardly_differ_overflow_nothing() -> None:
    truth = np.array([[0.0], [1e-155], [0.0]])
    assert CELLS.metrics(np.full((3, 1), 1e30), truth)["r2"] == 0
