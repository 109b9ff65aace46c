"""What every answer must do, whatever the task."""

import json
import math
from typing import Any

import numpy as np
import pytest

from striate.answer import (
    TASKS,
    Answer,
    Classification,
    MultiLabel,
    Regression,
    answer_from_json,
)
from striate.errors import NotFiniteError, SourceError

SAMPLES = 40


def _case(answer: Answer, seed: int = 0) -> tuple[Answer, np.ndarray, np.ndarray]:
    """Return the answer with random answers and targets that fit it."""
    rng = np.random.default_rng(seed)
    width = len(answer.names)
    if answer.task == "classification":
        answer_NK = rng.dirichlet(np.ones(width), SAMPLES).astype(np.float32)
        return answer, answer_NK, rng.integers(0, width, SAMPLES)
    if answer.task == "multi-label":
        targets = rng.integers(0, 2, (SAMPLES, width)).astype(np.float32)
        return answer, rng.uniform(size=(SAMPLES, width)).astype(np.float32), targets
    targets = rng.normal(30, 10, (SAMPLES, width))
    return answer, (targets + rng.normal(0, 3, targets.shape)).astype(np.float32), targets


CASES = [
    pytest.param(*_case(answer), id=f"{answer.task} {len(answer.names)}")
    for answer in (
        Classification(("ant", "bee")),
        Classification(tuple("abcdefghijklm")),
        MultiLabel(("red",)),
        MultiLabel(("red", "green", "blue")),
        Regression(("cells",)),
        Regression(("x", "y")),
    )
]
every_answer = pytest.mark.parametrize(("answer", "answer_NK", "targets"), CASES)
every_answer_alone = pytest.mark.parametrize(
    "answer", [pytest.param(case.values[0], id=case.id) for case in CASES]
)

KEYS = {
    "classification": "loss correct total accuracy accuracy_low accuracy_high balanced_accuracy "
    "precision recall f1 calibration_error roc_auc average_precision",
    "multi-label": "loss accuracy exact_match precision recall f1 roc_auc average_precision",
    "regression": "loss mae rmse r2",
}
DETAILS = {
    "classification": ["confusion", "per_class", "roc", "precision_recall", "calibration"],
    "multi-label": ["per_class", "roc", "precision_recall", "calibration"],
    "regression": ["targets", "residuals"],
}


def test_every_task_is_walked() -> None:
    assert {case.values[0].task for case in CASES} == set(TASKS)


@every_answer
def test_it_is_an_answer_and_survives_json(answer: Any, answer_NK: Any, targets: Any) -> None:
    assert isinstance(answer, Answer)
    assert answer_from_json(json.loads(json.dumps(answer.to_json()))) == answer
    assert hash(answer) == hash(answer_from_json(answer.to_json()))
    assert answer_NK.shape[1] == len(answer.names)
    assert len(targets) == len(answer_NK)


@every_answer_alone
def test_its_own_targets_pass_and_others_are_refused(answer: Any) -> None:
    _, _, targets = _case(answer)
    answer.check(targets)
    with pytest.raises(SourceError):
        answer.check(targets[..., None])
    spoilt = targets.copy()
    spoilt[3] = -1 if answer.task == "classification" else np.nan
    with pytest.raises(SourceError, match="Sample 3 "):
        answer.check(spoilt)


@every_answer
def test_metrics_have_their_names_and_no_nan(answer: Any, answer_NK: Any, targets: Any) -> None:
    metrics = answer.metrics(answer_NK, targets)
    known = KEYS[answer.task].split()
    assert list(metrics)[: len(known)] == known
    assert all(math.isfinite(value) for value in metrics.values())
    assert answer.selection[0] in metrics
    assert json.loads(json.dumps(metrics)) == metrics


@every_answer
def test_metrics_take_either_precision_and_any_order(
    answer: Any, answer_NK: Any, targets: Any
) -> None:
    metrics = answer.metrics(answer_NK, targets)
    order = np.random.default_rng(1).permutation(len(targets))
    assert answer.metrics(answer_NK[order], targets[order]) == pytest.approx(metrics, rel=1e-12)
    assert answer.metrics(answer_NK.astype(np.float64), targets) == pytest.approx(metrics, rel=1e-6)


@every_answer
def test_the_better_answer_is_selected(answer: Any, answer_NK: Any, targets: Any) -> None:
    name, larger = answer.selection
    perfect_NK = targets
    if answer.task == "classification":
        perfect_NK = np.eye(len(answer.names))[targets]
    perfect = answer.metrics(perfect_NK, targets)[name]
    assert (perfect > answer.metrics(answer_NK, targets)[name]) == larger


@every_answer
def test_details_have_their_names_and_are_json(answer: Any, answer_NK: Any, targets: Any) -> None:
    details = answer.details(answer_NK, targets)
    assert list(details) == DETAILS[answer.task]
    assert json.loads(json.dumps(details, allow_nan=False)) == details


@every_answer
def test_one_sample_is_enough(answer: Any, answer_NK: Any, targets: Any) -> None:
    metrics = answer.metrics(answer_NK[:1], targets[:1])
    assert all(math.isfinite(value) for value in metrics.values())
    assert answer.selection[0] in metrics
    json.dumps(answer.details(answer_NK[:1], targets[:1]), allow_nan=False)
    assert len(answer.strata(targets[:1])) == 1


@every_answer
def test_the_worst_are_mistakes_worst_first(answer: Any, answer_NK: Any, targets: Any) -> None:
    worst = answer.worst(answer_NK, targets, 5)
    every = answer.worst(answer_NK, targets, SAMPLES)
    assert 0 < len(worst) <= 5
    assert worst.tolist() == every[:5].tolist()
    assert len(set(every.tolist())) == len(every)
    perfect_NK = (
        np.eye(len(answer.names))[targets] if answer.task == "classification" else targets.copy()
    )
    assert answer.worst(perfect_NK, targets, 5).tolist() == []


@every_answer
def test_it_describes_answers_and_targets(answer: Any, answer_NK: Any, targets: Any) -> None:
    described = answer.describe(answer_NK[0])
    key = "values" if answer.task == "regression" else "probabilities"
    assert list(described[key]) == list(answer.names)
    assert np.array_equal(np.array(list(described[key].values()), np.float32), answer_NK[0])
    assert json.loads(json.dumps(described)) == described
    assert answer.describe_target(targets[0])


@every_answer
def test_the_sentence_is_one_line(answer: Any, answer_NK: Any, targets: Any) -> None:
    sentence = answer.sentence(json.loads(json.dumps(answer.metrics(answer_NK, targets))))
    assert sentence.startswith("average loss ")
    assert "\n" not in sentence


@every_answer_alone
def test_strata_are_numbers_for_every_sample(answer: Any) -> None:
    _, _, targets = _case(answer)
    strata = answer.strata(targets)
    assert (strata.shape, strata.dtype) == ((SAMPLES,), np.int64)
    assert strata.min() >= 0


@every_answer_alone
def test_equal_answers_agree_and_others_do_not(answer: Any) -> None:
    _, answer_NK, _ = _case(answer)
    assert answer.disagreement(answer_NK, answer_NK) is None
    assert answer.disagreement(answer_NK, answer_NK + np.float32(5e-5)) is None
    assert "row 7" in answer.disagreement(answer_NK, _changed(answer_NK, 7, 0.01))
    assert "row 7" in answer.disagreement(answer_NK, _changed(answer_NK, 7, np.nan))
    assert answer.disagreement(answer_NK, answer_NK[:-1]) == (
        f"Expected answers of shape {answer_NK.shape}, but got {answer_NK[:-1].shape}."
    )
    assert answer.disagreement(answer_NK[:0], answer_NK[:0]) is None


def _changed(answer_NK: np.ndarray, row: int, by: float) -> np.ndarray:
    changed = answer_NK.copy()
    changed[row, -1] += by
    return changed


@every_answer
def test_what_cannot_be_measured_is_refused(answer: Any, answer_NK: Any, targets: Any) -> None:
    for measured in (answer.metrics, answer.details, lambda a, t: answer.worst(a, t, 3)):
        with pytest.raises(SourceError) as caught:
            measured(answer_NK[:0], targets[:0])
        assert str(caught.value) == "There are no samples to measure: the part is empty."
        with pytest.raises(NotFiniteError) as caught:
            measured(_changed(answer_NK, 7, np.nan), targets)
        assert str(caught.value) == (
            "The network's answer to sample 7 of 40 isn't a finite number."
            " The weights have probably grown without bound; lower the learning rate."
        )
        with pytest.raises(ValueError, match="Expected targets of shape"):
            measured(answer_NK, targets[1:])
        with pytest.raises(ValueError, match="Expected answers of shape"):
            measured(answer_NK[:, :-1], targets)


@pytest.mark.parametrize(
    ("make", "what"),
    [(Classification, "classes"), (MultiLabel, "labels"), (Regression, "targets")],
)
def test_names_must_differ(make: Any, what: str) -> None:
    for names, fault in (
        ((), "there are none"),
        (("a", "b", "a"), "'a' is there 2 times"),
        (("a", ""), "a name is empty or isn't text"),
    ):
        with pytest.raises(SourceError) as caught:
            make(names)
        assert str(caught.value) == (
            f"The {what} need different names that aren't empty, but {fault}. Rename them."
        )
