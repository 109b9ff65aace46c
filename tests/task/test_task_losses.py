"""Each loss against PyTorch's, against NumPy by hand, and at logits of ±10,000."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from striate.answer import Classification, MultiLabel, Regression
from striate.task import losses, task_for

NAMES = ("ant", "bee", "cat", "dog", "eel")


def answer_for(fit, count):
    if fit == "multi-label":
        return MultiLabel(NAMES[:count])
    if fit == "regression":
        return Regression(NAMES[:count])
    return Classification(NAMES[:count])


def draw_targets(fit, count, samples, rng):
    if fit == "multi-label":
        return rng.integers(0, 2, (samples, count)).astype(np.float32)
    if fit == "regression":
        return rng.normal(5, 3, (samples, count))
    return np.concatenate([np.arange(count), rng.integers(0, count, samples - count)])


def count_for(fit):
    return 2 if fit == "binary classification" else 3


CASES = [(entry.name, fit) for entry in losses() for fit in entry.fits]


def softmax(z_BK):
    e_BK = np.exp(z_BK - z_BK.max(axis=1, keepdims=True))
    return e_BK / e_BK.sum(axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_hand(name, z_BK, y, deltas=1.0):
    rows = np.arange(len(z_BK))
    match name:
        case "cross-entropy" | "nll":
            return -np.log(softmax(z_BK))[rows, y]
        case "multi-class-hinge":
            margins_BK = np.maximum(0, 1 - z_BK[rows, y][:, None] + z_BK)
            margins_BK[rows, y] = 0
            return margins_BK.sum(axis=1) / z_BK.shape[1]
        case "binary-cross-entropy" if y.ndim == 1:
            p = sigmoid(z_BK[:, 1] - z_BK[:, 0])
            return -np.where(y == 1, np.log(p), np.log(1 - p))
        case "binary-cross-entropy":
            p = sigmoid(z_BK)
            return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=1)
        case "hinge":
            return np.maximum(0, 1 - (2 * y - 1) * (z_BK[:, 1] - z_BK[:, 0]))
        case "mse":
            return ((z_BK - y) ** 2).mean(axis=1)
        case "mae":
            return np.abs(z_BK - y).mean(axis=1)
        case "huber":
            e = np.abs(z_BK - y)
            return np.where(e <= deltas, e**2 / 2, deltas * (e - deltas / 2)).mean(axis=1)
    raise AssertionError(f"the test knows no formula for {name}")


@pytest.mark.parametrize(("name", "fit"), CASES)
def test_every_loss_is_its_formula(name, fit):
    rng = np.random.default_rng(4)
    count = count_for(fit)
    targets = draw_targets(fit, count, 24, rng)
    task = task_for(answer_for(fit, count), loss=name, train_targets=targets)
    logits = rng.normal(0, 2, (24, count)).astype(np.float32)
    y = (targets - targets.mean(axis=0)) / targets.std(axis=0) if fit == "regression" else targets
    expected = by_hand(name, logits.astype(np.float64), y)

    each = task.loss_each(torch.tensor(logits), task.tensor(targets))
    assert each.shape == (24,) and each.dtype == torch.float32
    np.testing.assert_allclose(each.numpy(), expected, rtol=2e-5, atol=1e-6)
    mean = task.loss(torch.tensor(logits), task.tensor(targets))
    assert mean.shape == ()
    assert float(mean) == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize(("name", "fit"), CASES)
def test_sample_weights_give_the_weighted_mean(name, fit):
    rng = np.random.default_rng(5)
    count = count_for(fit)
    targets = draw_targets(fit, count, 12, rng)
    task = task_for(answer_for(fit, count), loss=name, train_targets=targets)
    logits, weights = torch.tensor(rng.normal(size=(12, count))), torch.tensor(rng.random(12))
    each = task.loss_each(logits, task.tensor(targets))
    weighted = task.loss(logits, task.tensor(targets), weights=weights)
    assert float(weighted) == pytest.approx(
        np.average(each.numpy(), weights=weights.numpy()), rel=1e-6
    )


@pytest.mark.parametrize(("name", "fit"), CASES)
def test_values_and_gradients_stay_finite_at_extreme_logits(name, fit):
    count = count_for(fit)
    rng = np.random.default_rng(6)
    targets = draw_targets(fit, count, 40, rng)
    task = task_for(answer_for(fit, count), loss=name, train_targets=targets)
    logits = torch.tensor(rng.choice([-1e4, 0.0, 1e4], (40, count)), requires_grad=True)
    loss = task.loss(logits, task.tensor(targets))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()
    assert torch.isfinite(task.answers(logits)).all()


@pytest.mark.parametrize(("name", "fit"), CASES)
def test_a_perfect_answer_costs_nothing_and_a_wrong_one_much(name, fit):
    rng = np.random.default_rng(7)
    count = count_for(fit)
    targets = draw_targets(fit, count, 20, rng)
    task = task_for(answer_for(fit, count), loss=name, train_targets=targets)
    y = task.tensor(targets)
    if fit == "regression":
        perfect, wrong = y, y + 100
    else:
        truth = y if fit == "multi-label" else functional.one_hot(y, count)
        perfect, wrong = truth * 100.0 - 50, 50 - truth * 100.0
    assert float(task.loss(perfect, y)) == pytest.approx(0, abs=1e-6)
    assert float(task.loss_each(wrong, y).min()) > 20


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    classes=st.integers(2, 5),
    smoothing=st.floats(0, 0.9),
    mixed=st.booleans(),
)
def test_cross_entropy_is_pytorchs_with_smoothing_weights_and_mixed_targets(
    seed, classes, smoothing, mixed
):
    rng = np.random.default_rng(seed)
    train = np.concatenate([np.arange(classes), rng.integers(0, classes, 30)])
    weights = rng.uniform(0.1, 5, classes)
    logits = torch.tensor(rng.normal(0, 3, (16, classes)), dtype=torch.float32)
    targets = rng.dirichlet(np.ones(classes), 16) if mixed else rng.integers(0, classes, 16)
    task = task_for(
        Classification(NAMES[:classes]),
        label_smoothing=smoothing,
        class_weights=[float(w) for w in weights],
        train_targets=train,
    )
    y = task.tensor(targets)
    weights_K = torch.tensor(weights, dtype=torch.float32)
    theirs = functional.cross_entropy(
        logits, y, weight=weights_K, label_smoothing=smoothing, reduction="sum" if mixed else "mean"
    )
    # PyTorch divides mixed targets by B; here by their weights, so that one-hot rows agree.
    theirs = theirs / (y @ weights_K).sum() if mixed else theirs
    assert float(task.loss(logits, y)) == pytest.approx(float(theirs), rel=1e-4)


@pytest.mark.parametrize("name", ["cross-entropy", "nll"])
def test_one_hot_rows_cost_what_class_numbers_cost(name):
    rng = np.random.default_rng(8)
    y = np.array([0, 1, 2, 2, 1])
    task = task_for(Classification(NAMES[:3]), loss=name, class_weights="balanced", train_targets=y)
    logits = torch.tensor(rng.normal(size=(5, 3)))
    hard = task.loss(logits, task.tensor(y))
    soft = task.loss(logits, task.tensor(np.eye(3)[y]))
    torch.testing.assert_close(soft, hard)
    torch.testing.assert_close(
        task.loss_each(logits, task.tensor(np.eye(3)[y])), task.loss_each(logits, task.tensor(y))
    )


def test_nll_on_logits_is_cross_entropy_and_pytorchs_nll_on_log_probabilities():
    rng = np.random.default_rng(9)
    y = rng.integers(0, 3, 10)
    logits = torch.tensor(rng.normal(size=(10, 3)), dtype=torch.float32)
    answer = Classification(NAMES[:3])
    nll = task_for(answer, loss="nll", train_targets=y)
    entropy = task_for(answer, loss="cross-entropy", train_targets=y)
    theirs = functional.nll_loss(torch.log_softmax(logits, 1), torch.tensor(y))
    torch.testing.assert_close(nll.loss(logits, nll.tensor(y)), theirs)
    torch.testing.assert_close(entropy.loss(logits, entropy.tensor(y)), theirs)


def test_multi_class_hinge_is_pytorchs():
    rng = np.random.default_rng(10)
    y = rng.integers(0, 4, 12)
    logits = torch.tensor(rng.normal(0, 2, (12, 4)), dtype=torch.float32)
    task = task_for(Classification(NAMES[:4]), loss="multi-class-hinge", train_targets=y)
    theirs = functional.multi_margin_loss(logits, torch.tensor(y))
    torch.testing.assert_close(task.loss(logits, task.tensor(y)), theirs)


@pytest.mark.parametrize("delta", [0.25, 1.0, 3.0])
def test_huber_is_pytorchs_on_standardised_targets(delta):
    rng = np.random.default_rng(11)
    y = rng.normal(40, 7, (30, 2))
    task = task_for(Regression(("x", "y")), loss="huber", delta=delta, train_targets=y)
    logits = torch.tensor(rng.normal(0, 3, (30, 2)), dtype=torch.float32)
    standard = torch.tensor((y - y.mean(0)) / y.std(0), dtype=torch.float32)
    theirs = functional.huber_loss(logits, standard, delta=delta)
    torch.testing.assert_close(task.loss(logits, task.tensor(y)), theirs)
    expected = by_hand("huber", logits.numpy(), standard.numpy(), delta)
    np.testing.assert_allclose(task.loss_each(logits, task.tensor(y)).numpy(), expected, rtol=1e-5)


def test_hinge_worked_by_hand():
    task = task_for(Classification(("no", "yes")), loss="hinge", train_targets=np.array([0, 1]))
    z = torch.tensor([[0.5], [0.5], [2.0], [-3.0]])
    each = task.loss_each(z, torch.tensor([1, 0, 1, 1]))
    assert each.tolist() == [0.5, 1.5, 0.0, 4.0]


@pytest.mark.parametrize("name", ["cross-entropy", "nll", "binary-cross-entropy"])
def test_two_classes_cost_the_binary_cross_entropy_by_one_logit_or_two(name):
    rng = np.random.default_rng(12)
    y = rng.integers(0, 2, 20)
    z = torch.tensor(rng.normal(0, 3, (20, 2)), dtype=torch.float32)
    margin = z[:, 1:] - z[:, :1]
    theirs = functional.binary_cross_entropy_with_logits(margin[:, 0], torch.tensor(y).float())
    task = task_for(Classification(("no", "yes")), loss=name, train_targets=y)
    torch.testing.assert_close(task.loss(z, task.tensor(y)), theirs)
    torch.testing.assert_close(task.loss(margin, task.tensor(y)), theirs)


@pytest.mark.parametrize("name", ["multi-class-hinge", "hinge"])
def test_one_logit_costs_what_a_pair_with_zero_costs(name):
    y = np.array([0, 1, 1, 0])
    task = task_for(Classification(("no", "yes")), loss=name, train_targets=y)
    z = torch.tensor([[0.3], [-0.2], [4.0], [-4.0]])
    pair = torch.cat([torch.zeros_like(z), z], dim=1)
    torch.testing.assert_close(
        task.loss_each(z, task.tensor(y)), task.loss_each(pair, task.tensor(y))
    )


def test_binary_cross_entropy_takes_mixed_targets():
    p = np.array([[0.25, 0.75], [1.0, 0.0]])
    task = task_for(
        Classification(("no", "yes")), loss="binary-cross-entropy", train_targets=np.array([0, 1])
    )
    z = torch.tensor([[0.7], [-1.3]])
    expected = -(
        p[:, 1] * np.log(sigmoid(z[:, 0].numpy())) + p[:, 0] * np.log(sigmoid(-z[:, 0].numpy()))
    )
    np.testing.assert_allclose(task.loss_each(z, task.tensor(p)).numpy(), expected, rtol=1e-5)
