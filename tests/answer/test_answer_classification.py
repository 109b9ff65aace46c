"""Classification's figures, by hand and against scikit-learn."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as sk

from striate.answer import Classification
from striate.errors import SourceError

ABC = Classification(("ant", "bee", "cat"))
HAND_NK = np.array(
    [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.1, 0.6, 0.3], [0.0, 0.5, 0.5]],
    np.float32,
)
HAND_TARGETS = np.array([0, 1, 2, 0, 2])


def _drawn(
    seed: int, samples: int, classes: int, *, steps: int = 0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return answers and targets; with `steps`, logits are whole numbers, so scores are tied."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, samples)
    logits = rng.normal(size=(samples, classes)) + 1.5 * np.eye(classes)[targets]
    if steps:
        logits = np.round(logits * steps)
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exp / exp.sum(axis=1, keepdims=True)).astype(np.float32), targets


def test_figures_worked_by_hand() -> None:
    found = ABC.metrics(HAND_NK, HAND_TARGETS)
    # Answers: ant, bee, cat, bee (wrong), bee (a tie goes to the first: wrong).
    assert (found["correct"], found["total"], found["accuracy"]) == (3, 5, 0.6)
    assert found["loss"] == pytest.approx(
        -(math.log(0.7) + math.log(0.8) + math.log(0.4) + math.log(0.1) + math.log(0.5)) / 5
    )
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    assert found["precision"] == pytest.approx((1 + 1 / 3 + 1) / 3)
    assert found["recall"] == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    assert found["f1"] == pytest.approx((2 / 3 + 1 / 2 + 2 / 3) / 3)
    # ant: 0.7 beats all three others, 0.1 ties with one and loses to one. bee: 0.8 beats all.
    # cat: 0.4 beats 0.1, 0.1 and 0.3, and so does 0.5.
    assert found["roc_auc"] == pytest.approx(((3 + 1.5) / 6 + 1 + 1) / 3)


def test_a_perfect_answer() -> None:
    found = ABC.metrics(np.eye(3)[[0, 1, 2, 1]], np.array([0, 1, 2, 1]))
    ones = ["accuracy", "accuracy_high", "balanced_accuracy", "precision", "recall", "f1"]
    assert {name: found[name] for name in [*ones, "roc_auc", "average_precision"]} == dict.fromkeys(
        [*ones, "roc_auc", "average_precision"], 1.0
    )
    assert found["loss"] == 0
    assert found["calibration_error"] == 0


def test_the_worst_answer_is_clipped_not_infinite() -> None:
    found = ABC.metrics(np.eye(3)[[1, 2, 0]], np.array([0, 1, 2]))
    assert found["loss"] == pytest.approx(-math.log(1e-12))
    assert found["calibration_error"] == 1
    zeros = ["accuracy", "accuracy_low", "balanced_accuracy", "precision", "recall", "f1"]
    assert {name: found[name] for name in zeros} == dict.fromkeys(zeros, 0.0)


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize(("samples", "classes"), [(50, 2), (300, 3), (400, 40)])
def test_figures_are_those_of_scikit_learn(samples: int, classes: int, steps: int) -> None:
    answer_NK, targets = _drawn(samples, samples, classes, steps=steps)
    answer_NK = answer_NK.astype(np.float64)
    answer_NK /= answer_NK.sum(axis=1, keepdims=True)
    found = Classification(tuple(f"c{k}" for k in range(classes))).metrics(answer_NK, targets)
    chosen = answer_NK.argmax(axis=1)
    one_hot = np.eye(classes)[targets]
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        targets, chosen, average="macro", zero_division=0
    )
    expected = {
        "loss": sk.log_loss(targets, answer_NK, labels=range(classes)),
        "accuracy": sk.accuracy_score(targets, chosen),
        "balanced_accuracy": sk.balanced_accuracy_score(targets, chosen),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "roc_auc": sk.roc_auc_score(one_hot, answer_NK, average="macro"),
        "average_precision": sk.average_precision_score(one_hot, answer_NK, average="macro"),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-10)


def test_a_class_that_never_occurs_is_left_out_of_means() -> None:
    answer_NK, targets = _drawn(5, 60, 2)
    wider = Classification(("ant", "bee", "cat", "dog"))
    wide_NK = np.hstack([answer_NK, np.zeros((60, 2), np.float32)])
    narrow = Classification(("ant", "bee")).metrics(answer_NK, targets)
    assert wider.metrics(wide_NK, targets) == narrow
    # A class that is answered but never right counts: its precision, recall and F1 are 0.
    wide_NK[0] = [0, 0, 1, 0]
    assert wider.metrics(wide_NK, targets)["f1"] == pytest.approx(
        sk.f1_score(targets, wide_NK.argmax(axis=1), average="macro", zero_division=0)
    )


def test_one_class_alone_has_no_area_under_roc() -> None:
    found = ABC.metrics(HAND_NK[:2], np.array([1, 1]))
    assert "roc_auc" not in found
    assert found["average_precision"] == 1
    details = ABC.details(HAND_NK[:2], np.array([1, 1]))
    assert details["roc"] == []
    assert [row["name"] for row in details["precision_recall"]] == ["bee"]


def test_the_confusion_matrix_has_targets_in_rows() -> None:
    details = ABC.details(HAND_NK, HAND_TARGETS)
    assert details["confusion"] == [[1, 1, 0], [0, 1, 0], [0, 1, 1]]
    assert details["per_class"][1] == {
        "name": "bee",
        "precision": 1 / 3,
        "recall": 1.0,
        "f1": 0.5,
        "count": 1,
    }
    answer_NK, targets = _drawn(2, 500, 7)
    answer = Classification(tuple("abcdefg"))
    expected = sk.confusion_matrix(targets, answer_NK.argmax(axis=1))
    assert answer.details(answer_NK, targets)["confusion"] == expected.tolist()


def test_two_classes_have_one_curve() -> None:
    answer_NK, targets = _drawn(3, 80, 2)
    details = Classification(("ant", "bee")).details(answer_NK, targets)
    assert [row["name"] for row in details["roc"]] == ["bee"]
    assert [row["name"] for row in details["precision_recall"]] == ["bee"]
    score = answer_NK[:, 1]
    assert details["roc"][0]["area"] == pytest.approx(sk.roc_auc_score(targets, score))
    assert details["precision_recall"][0]["area"] == pytest.approx(
        sk.average_precision_score(targets, score)
    )


def test_over_ten_classes_only_the_ten_worst_areas_are_drawn() -> None:
    answer_NK, targets = _drawn(4, 600, 13)
    answer = Classification(tuple("abcdefghijklm"))
    details = answer.details(answer_NK, targets)
    one_hot = np.eye(13)[targets]
    for key, score in (
        ("roc", sk.roc_auc_score),
        ("precision_recall", sk.average_precision_score),
    ):
        areas = score(one_hot, answer_NK, average=None)
        worst = [answer.classes[k] for k in np.argsort(areas)[:10]]
        assert [row["name"] for row in details[key]] == worst


def test_the_worst_mistakes_are_the_surest() -> None:
    answer_NK = np.array([[0.1, 0.9], [0.4, 0.6], [0.2, 0.8], [0.9, 0.1], [0.2, 0.8]], np.float32)
    targets = np.array([0, 0, 1, 1, 0])
    two = Classification(("ant", "bee"))
    assert two.worst(answer_NK, targets, 10).tolist() == [0, 3, 4, 1]
    assert two.worst(answer_NK, targets, 2).tolist() == [0, 3]


def test_descriptions_are_exact() -> None:
    answer_K = np.array([0.25, 0.1, 0.65], np.float32)
    assert ABC.describe(answer_K) == {
        "label": "cat",
        "probability": float(answer_K[2]),
        "probabilities": {"ant": 0.25, "bee": float(answer_K[1]), "cat": float(answer_K[2])},
    }
    assert ABC.describe_target(np.int64(1)) == "bee"


def test_the_sentence_is_that_of_the_test_line() -> None:
    figures = {"loss": 0.02884, "correct": 9901, "total": 10000, "accuracy": 0.9901}
    assert ABC.sentence({**figures, "accuracy_low": 0.98796, "accuracy_high": 0.991853}) == (
        "average loss 0.0288, 9901/10000 correct, accuracy 99.01 % (95 % interval 98.80 to 99.19 %)"
    )


def test_disagreement_tells_rows_and_how_much() -> None:
    got_NK = HAND_NK.copy()
    got_NK[1] = [0.5, 0.4, 0.1]
    assert ABC.disagreement(HAND_NK, got_NK) == (
        "1 of 5 answers name another label (row 1). 1 of 5 answers differ (row 1); furthest off is "
        "row 1, 'bee': expected 0.8, got 0.4, allowed is a difference of 0.0001."
    )
    got_NK = HAND_NK + np.float32(2e-4)
    assert ABC.disagreement(HAND_NK, got_NK).startswith(
        "5 of 5 answers differ (rows 0, 1, 2, 3, 4)"
    )


def test_a_label_may_change_where_the_margin_is_small() -> None:
    expected = np.array([[0.50003, 0.49997]])
    assert Classification(("ant", "bee")).disagreement(expected, expected[:, ::-1]) is None
    expected = np.array([[0.50006, 0.49994]])
    got = np.array([[0.49999, 0.50001]])
    assert Classification(("ant", "bee")).disagreement(expected, got) == (
        "1 of 1 answers name another label (row 0)."
    )


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        (
            np.array([0.0, 1.0]),
            "Classes must be whole numbers, one a picture, but the targets are float64 of shape "
            "(2,).",
        ),
        (
            np.array([0, 2, 3]),
            "Sample 2 has class number 3, but the 3 classes are numbered 0 to 2.",
        ),
    ],
)
def test_targets_that_do_not_fit(targets: npt.NDArray[np.int64], sentence: str) -> None:
    with pytest.raises(SourceError) as caught:
        ABC.check(targets)
    assert str(caught.value) == sentence


def test_strata_are_the_classes() -> None:
    assert ABC.strata(np.array([2, 0, 1], np.int32)).tolist() == [2, 0, 1]
