"""Multi-label's figures, by hand and against scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from striate.answer import MultiLabel
from striate.errors import SourceError

RGB = MultiLabel(("red", "green", "blue"))
HAND_NK = np.array([[0.9, 0.2, 0.1], [0.5, 0.6, 0.3], [0.4, 0.1, 0.8]], np.float32)
HAND_TARGETS = np.array([[1, 0, 0], [0, 1, 1], [1, 0, 1]], np.float32)


def test_figures_worked_by_hand() -> None:
    found = RGB.metrics(HAND_NK, HAND_TARGETS)
    # Present from 0.5 on: row 1 is [1, 1, 0], so three of nine labels are wrong, in two rows.
    assert found["accuracy"] == pytest.approx(6 / 9)
    assert found["exact_match"] == pytest.approx(1 / 3)
    right = [0.9, 0.8, 0.9, 0.5, 0.6, 0.3, 0.4, 0.9, 0.8]
    assert found["loss"] == pytest.approx(-sum(map(math.log, right)) / 9)
    assert found["precision"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert found["recall"] == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    assert found["f1"] == pytest.approx((1 / 2 + 1 + 2 / 3) / 3)
    # red: 0.9 beats 0.5 and 0.4 doesn't. green and blue: all in order.
    assert found["roc_auc"] == pytest.approx((0.5 + 1 + 1) / 3)


def test_perfect_and_worst() -> None:
    perfect = RGB.metrics(HAND_TARGETS, HAND_TARGETS)
    assert perfect["loss"] == 0
    assert {value for name, value in perfect.items() if name != "loss"} == {1.0}
    worst = RGB.metrics(1 - HAND_TARGETS, HAND_TARGETS)
    assert worst["loss"] == pytest.approx(-math.log(1e-12))
    for name in ("accuracy", "exact_match", "precision", "recall", "f1", "roc_auc"):
        assert worst[name] == 0


@pytest.mark.parametrize("decimals", [7, 1])
def test_figures_are_those_of_scikit_learn(decimals: int) -> None:
    rng = np.random.default_rng(decimals)
    truth = rng.random((5000, 6)) < np.linspace(0.05, 0.6, 6)
    answer_NK = np.round(np.clip(rng.normal(0.3 + 0.3 * truth, 0.2), 0.1, 0.9), decimals)
    found = MultiLabel(tuple("abcdef")).metrics(answer_NK, truth.astype(np.float32))
    chosen = answer_NK >= 0.5
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        truth, chosen, average="macro", zero_division=0
    )
    expected = {
        "loss": np.mean([sk.log_loss(truth[:, k], answer_NK[:, k]) for k in range(6)]),
        "accuracy": 1 - sk.hamming_loss(truth, chosen),
        "exact_match": sk.accuracy_score(truth, chosen),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "roc_auc": sk.roc_auc_score(truth, answer_NK, average="macro"),
        "average_precision": sk.average_precision_score(truth, answer_NK, average="macro"),
    }
    assert found == pytest.approx(expected, rel=1e-10)


def test_a_label_that_never_occurs_has_no_area_but_counts_for_f1() -> None:
    targets = HAND_TARGETS.copy()
    targets[:, 0] = 0
    found = RGB.metrics(HAND_NK, targets)
    assert (found["roc_auc"], found["average_precision"]) == (1.0, 1.0)
    assert found["f1"] == pytest.approx(
        sk.f1_score(targets, HAND_NK >= 0.5, average="macro", zero_division=0)
    )
    assert [row["name"] for row in RGB.details(HAND_NK, targets)["roc"]] == ["green", "blue"]
    none = RGB.metrics(HAND_NK, np.zeros((3, 3), np.float32))
    assert "roc_auc" not in none
    assert "average_precision" not in none


def test_calibration_counts_every_label_of_every_sample() -> None:
    rows = RGB.details(HAND_NK, HAND_TARGETS)["calibration"]
    assert sum(row["count"] for row in rows) == 9
    ones = rows[1]
    assert (ones["low"], ones["high"], ones["count"], ones["accuracy"]) == (0.1, 0.2, 2, 0)
    assert ones["confidence"] == pytest.approx(0.1)


def test_the_worst_have_the_largest_loss_over_all_labels() -> None:
    answer_NK = np.array([[0.9, 0.4, 0.1], [0.6, 0.6, 0.6], [0.01, 0.9, 0.9], [0.8, 0.1, 0.1]])
    targets = np.array([[1, 1, 0], [0, 0, 0], [1, 1, 1], [1, 0, 0]])
    assert RGB.worst(answer_NK, targets, 9).tolist() == [2, 1, 0]
    assert RGB.worst(answer_NK, targets, 1).tolist() == [2]


def test_descriptions() -> None:
    assert RGB.describe(np.array([0.5, 0.25, 0.75], np.float32)) == {
        "labels": ["red", "blue"],
        "probabilities": {"red": 0.5, "green": 0.25, "blue": 0.75},
    }
    assert RGB.describe_target(np.array([1.0, 0.0, 1.0])) == "red, blue"
    assert RGB.describe_target(np.zeros(3)) == "no label"


def test_the_sentence() -> None:
    figures = {"loss": 0.12345, "accuracy": 0.9, "exact_match": 0.75, "f1": 0.81234}
    assert RGB.sentence(figures) == (
        "average loss 0.1235, 90.00 % of labels right, 75.00 % of samples entirely right, F1 0.8123"
    )


def test_disagreement_about_a_label() -> None:
    got_NK = HAND_NK.copy()
    got_NK[2, 0] = 0.6
    assert RGB.disagreement(HAND_NK, got_NK) == (
        "1 of 3 answers name another label (row 2). 1 of 3 answers differ (row 2); furthest off is "
        "row 2, 'red': expected 0.4, got 0.6, allowed is a difference of 0.0001."
    )
    near = np.array([[0.50005, 0.1, 0.1]])
    assert RGB.disagreement(near, near - [[1e-4 - 1e-9, 0, 0]]) is None


def test_strata_are_the_rarest_labels() -> None:
    targets = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 0, 1], [1, 0, 1], [1, 1, 1]])
    # red 5 times, green 2, blue 3.
    assert RGB.strata(targets).tolist() == [1, 0, 3, 2, 2, 1]


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        (
            np.zeros((4, 2)),
            "Labels must be a table of pictures by 3 labels, but the targets have shape (4, 2).",
        ),
        (
            np.array([[0, 0, 1], [0, 0.5, 1]]),
            "Sample 1 has 0.5 for label 'green', but a label is either 0 or 1. Fill it in or "
            "leave the sample out.",
        ),
    ],
)
def test_targets_that_do_not_fit(targets: np.ndarray, sentence: str) -> None:
    with pytest.raises(SourceError) as caught:
        RGB.check(targets)
    assert str(caught.value) == sentence
