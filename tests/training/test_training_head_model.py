"""The linear head against scikit-learn, its gradient against differences, and odd features."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.linear_model import LogisticRegression, Ridge

from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.training._head_model import Head, Model, _Path, answers_of, rows_of

Floats = npt.NDArray[np.float64]

CLOSE = 5e-3
"""How far logits may be from scikit-learn's: both searches end a little before the minimum."""


def features(rows: int, size: int, seed: int = 1) -> npt.NDArray[np.float32]:
    """Return features of different sizes, away from 0."""
    rng = np.random.default_rng((rows, size, seed))
    spread = np.exp(rng.normal(0, 0.5, size))
    return (rng.normal(2, 1, (rows, size)) * spread).astype(np.float32)


def standard(rows_RF: npt.NDArray[np.float32]) -> Floats:
    """Return features centred, and divided by their mean deviation, as the head sees them."""
    wide = rows_RF.astype(np.float64)
    found: Floats = (wide - wide.mean(axis=0)) / wide.std(axis=0).mean()
    return found


def classes_of(rows_RF: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
    """Return classes that the features tell, but for some noise."""
    rng = np.random.default_rng(len(rows_RF))
    matrix = rng.normal(size=(rows_RF.shape[1], count))
    scores = standard(rows_RF) @ matrix + rng.normal(0, 1.5, (len(rows_RF), count))
    return scores.argmax(axis=1)


def fitted(
    answer: Answer,
    rows_RF: npt.NDArray[np.float32],
    targets: npt.NDArray[np.generic],
    *,
    strength: float = 1.0,
    weights: Floats | None = None,
    outputs: int = 0,
    smoothing: float = 0.0,
) -> Head:
    count = len(rows_RF)
    return Model(answer, targets, smoothing).fitted(
        rows_RF,
        np.arange(count),
        np.ones(count) if weights is None else weights,
        strength=strength,
        outputs=outputs or len(answer.names),
    )


def centred(logits_NK: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return logits that add up to 0: the same number more for every class changes no softmax."""
    return logits_NK - logits_NK.mean(axis=1, keepdims=True)


def some_weights(count: int) -> Floats:
    weights = np.random.default_rng(8).uniform(0.2, 3, count)
    return np.asarray(weights / weights.mean())


@pytest.mark.parametrize("rows", [80, 12])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("strength", [0.3, 10.0])
def test_several_classes_are_those_of_scikit_learn(
    rows: int, weighted: bool, strength: float
) -> None:
    # 12 rows of 20 features go the way over the space that the rows span.
    rows_RF = features(rows, 20)
    targets = np.arange(rows) % 3 if rows < 20 else classes_of(rows_RF, 3)
    weights = some_weights(rows) if weighted else np.ones(rows)
    head = fitted(
        Classification(("a", "b", "c")), rows_RF, targets, strength=strength, weights=weights
    )
    peer = LogisticRegression(C=1 / strength, tol=1e-8, max_iter=10_000)
    peer.fit(standard(rows_RF), targets, sample_weight=weights)
    expected = peer.decision_function(standard(rows_RF))
    got = centred(head.logits(rows_RF))
    np.testing.assert_allclose(got, centred(expected), atol=CLOSE)
    scale = rows_RF.astype(np.float64).std(axis=0).mean()
    np.testing.assert_allclose(
        head.weights_KF - head.weights_KF.mean(axis=0), peer.coef_ / scale, atol=CLOSE
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_two_classes_are_those_of_scikit_learn(weighted: bool) -> None:
    rows_RF = features(60, 7)
    targets = classes_of(rows_RF, 2)
    weights = some_weights(60) if weighted else np.ones(60)
    answer = Classification(("a", "b"))
    head = fitted(answer, rows_RF, targets, weights=weights)
    # Two vectors, ±w/2, are penalised half as much as the one, w, of scikit-learn.
    peer = LogisticRegression(C=2.0, tol=1e-8, max_iter=10_000)
    peer.fit(standard(rows_RF), targets, sample_weight=weights)
    logits = head.logits(rows_RF)
    np.testing.assert_allclose(
        logits[:, 1] - logits[:, 0], peer.decision_function(standard(rows_RF)), atol=CLOSE
    )


def test_one_logit_is_the_difference_of_two() -> None:
    rows_RF = features(40, 5)
    targets = classes_of(rows_RF, 2)
    answer = Classification(("a", "b"))
    two = fitted(answer, rows_RF, targets)
    one = fitted(answer, rows_RF, targets, outputs=1)
    assert one.weights_KF.shape == (1, 5)
    logits = two.logits(rows_RF)
    np.testing.assert_allclose(one.logits(rows_RF)[:, 0], logits[:, 1] - logits[:, 0], atol=1e-4)
    model = Model(answer, targets)
    np.testing.assert_allclose(
        answers_of(model, one.logits(rows_RF)), answers_of(model, logits), atol=1e-5
    )


def test_labels_are_those_of_one_regression_each() -> None:
    rows_RF = features(70, 9)
    targets = np.stack([classes_of(rows_RF[:, at:], 2) for at in range(3)], axis=1)
    weights = some_weights(70)
    head = fitted(
        MultiLabel(("a", "b", "c")),
        rows_RF,
        targets.astype(np.uint8),
        strength=2.0,
        weights=weights,
    )
    logits = head.logits(rows_RF)
    for label in range(3):
        peer = LogisticRegression(C=0.5, tol=1e-8, max_iter=10_000)
        peer.fit(standard(rows_RF), targets[:, label], sample_weight=weights)
        expected = peer.decision_function(standard(rows_RF))
        np.testing.assert_allclose(logits[:, label], expected, atol=CLOSE)


@pytest.mark.parametrize("rows", [50, 9])
@pytest.mark.parametrize("strength", [0.03, 30.0])
def test_numbers_are_those_of_ridge(rows: int, strength: float) -> None:
    rows_RF = features(rows, 12)
    rng = np.random.default_rng(3)
    values = standard(rows_RF) @ rng.normal(size=(12, 2)) * [5, 0.1] + [100, -3]
    weights = some_weights(rows)
    answer = Regression(("far", "near"))
    head = fitted(answer, rows_RF, values, strength=strength, weights=weights)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    peer = Ridge(alpha=strength, solver="svd").fit(standard(rows_RF), scaled, sample_weight=weights)
    expected = peer.predict(standard(rows_RF))
    np.testing.assert_allclose(head.logits(rows_RF), expected, atol=1e-4)
    np.testing.assert_allclose(
        answers_of(Model(answer, values), head.logits(rows_RF)),
        expected * values.std(axis=0) + values.mean(axis=0),
        rtol=1e-4,
    )


def test_smoothed_labels_are_pictures_of_several_classes() -> None:
    rows_RF = features(45, 6)
    targets = classes_of(rows_RF, 3)
    head = fitted(Classification(("a", "b", "c")), rows_RF, targets, smoothing=0.3)
    # Each picture stands three times, once for each class, with what the target gives that class.
    shares = np.where(np.eye(3)[targets] > 0, 0.8, 0.1)
    peer = LogisticRegression(C=1.0, tol=1e-8, max_iter=10_000)
    peer.fit(
        np.repeat(standard(rows_RF), 3, axis=0),
        np.tile(np.arange(3), 45),
        sample_weight=shares.ravel(),
    )
    expected = centred(peer.decision_function(standard(rows_RF)))
    np.testing.assert_allclose(centred(head.logits(rows_RF)), expected, atol=CLOSE)


@given(
    seed=st.integers(0, 10_000),
    rows=st.sampled_from([4, 15]),
    labels=st.booleans(),
    strength=st.floats(0.01, 50),
)
@settings(deadline=None, max_examples=15)
def test_the_gradient_is_that_of_the_objective(
    seed: int, rows: int, labels: bool, strength: float
) -> None:
    rng = np.random.default_rng(seed)
    names = ("a", "b", "c")
    targets = rng.integers(0, 2, (rows, 3)) if labels else rng.integers(0, 3, rows)
    answer = MultiLabel(names) if labels else Classification(names)
    model = Model(answer, targets, 0.0 if labels else 0.1)
    path = _Path(model, features(rows, 6, seed), model.targets_NK, rng.uniform(0.1, 2, rows))
    at = rng.normal(size=path._found.size)
    _, gradient = path._objective(at, strength)
    by_steps = approx_fprime(at, lambda x: path._objective(x, strength)[0], 1e-6)
    np.testing.assert_allclose(gradient, by_steps, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("answer", [Classification(("a", "b")), Regression(("x",))])
def test_features_that_never_vary_teach_nothing(answer: Answer) -> None:
    targets = (
        np.array([0, 0, 0, 1])
        if answer.task == "classification"
        else np.array([[1.0], [2.0], [3.0], [6.0]])
    )
    flat = np.full((4, 6), 7, np.float32)
    head = fitted(answer, flat, targets)
    assert not head.weights_KF.any()
    answers = answers_of(Model(answer, targets), head.logits(flat))
    expected = [0.75, 0.25] if answer.task == "classification" else [3.0]
    np.testing.assert_allclose(answers, np.tile(expected, (4, 1)), atol=1e-3)


def test_one_feature_that_never_varies_gets_no_weight() -> None:
    rows_RF = features(30, 4)
    rows_RF[:, 2] = 1e3
    head = fitted(Classification(("a", "b")), rows_RF, classes_of(rows_RF[:, :2], 2))
    assert not head.weights_KF[:, 2].any()
    assert np.abs(head.weights_KF[:, 0]).min() > 0
    assert np.isfinite(head.bias_K).all()


def test_a_number_that_is_always_the_same_is_answered() -> None:
    rows_RF = features(6, 3)
    values = np.full((6, 1), 4.5)
    model = Model(Regression(("x",)), values)
    head = fitted(model.answer, rows_RF, values)
    np.testing.assert_array_equal(answers_of(model, head.logits(rows_RF)), values)


def test_large_logits_give_answers_that_are_finite() -> None:
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]], np.float32)
    targets = np.array([0, 1])
    one = np.array([[-1e4], [1e4]], np.float32)
    classes, labels = Classification(("a", "b")), MultiLabel(("a", "b"))
    model = Model(classes, targets)
    np.testing.assert_array_equal(answers_of(model, logits), np.eye(2))
    np.testing.assert_array_equal(answers_of(model, one), np.eye(2))
    both = Model(labels, np.eye(2))
    np.testing.assert_array_equal(answers_of(both, logits), np.eye(2))


def test_rows_know_their_pictures() -> None:
    features_NVF = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    rows_RF, of_R = rows_of(features_NVF)
    assert of_R.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(rows_RF[4], features_NVF[1, 1])
