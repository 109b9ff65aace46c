"""Which loss a task gets, class weights, losses of one's own, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from striate.answer import Classification, MultiLabel, Regression
from striate.errors import UsageError
from striate.task import Task, losses, task_for

THREE = Classification(("ant", "bee", "cat"))
TWO = Classification(("ant", "bee"))
LABELS = MultiLabel(("red", "round"))
NUMBERS = Regression(("width", "height"))
TARGETS = {
    THREE.task: np.array([0, 1, 2, 0]),
    LABELS.task: np.array([[0, 1], [1, 1]], dtype=np.float32),
    NUMBERS.task: np.array([[1.0, 2.0], [3.0, 4.0]]),
}


def build(answer, **options):
    targets = np.array([0, 1, 0]) if answer is TWO else TARGETS[answer.task]
    return task_for(answer, **{"train_targets": targets, **options})


def refusal(answer, **options):
    with pytest.raises(UsageError) as caught:
        build(answer, **options)
    return str(caught.value)


@pytest.mark.parametrize("answer", [THREE, TWO, LABELS, NUMBERS])
def test_every_task_keeps_the_contract(answer):
    task = build(answer)
    assert isinstance(task, Task)
    assert task.answer is answer
    assert task.outputs == len(answer.names)
    assert task.accepts(len(answer.names)) and not task.accepts(len(answer.names) + 1)
    assert task.accepts(1) == (answer is TWO)


def test_the_default_loss_is_the_first_that_fits():
    z = torch.tensor([[0.5, -1.0, 2.0]])
    same = build(THREE, loss="cross-entropy").loss(z, torch.tensor([1]))
    assert torch.equal(build(THREE).loss(z, torch.tensor([1])), same)
    y = torch.tensor([[1.0, 0.0]])
    same = build(LABELS, loss="binary-cross-entropy").loss(z[:, :2], y)
    assert torch.equal(build(LABELS).loss(z[:, :2], y), same)
    same = build(NUMBERS, loss="mse").loss(z[:, :2], y)
    assert torch.equal(build(NUMBERS).loss(z[:, :2], y), same)


@pytest.mark.parametrize("entry", losses(), ids=lambda entry: entry.name)
def test_every_loss_says_all_about_itself(entry):
    assert entry.title and entry.formula and entry.source
    known = {"classification", "binary classification", "multi-label", "regression"}
    assert entry.fits and set(entry.fits) <= known


def test_names_of_losses_are_pinned():
    assert [entry.name for entry in losses()] == [
        "cross-entropy",
        "nll",
        "multi-class-hinge",
        "binary-cross-entropy",
        "hinge",
        "mse",
        "mae",
        "huber",
    ]


def test_listing_losses_imports_no_pytorch():
    code = (
        "import sys; from striate.task import losses; losses(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_balanced_weights_are_scikit_learns():
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    y = np.array([0, 0, 0, 0, 1, 2, 2])
    theirs = sklearn.compute_class_weight("balanced", classes=np.arange(3), y=y)
    plain, balanced = build(THREE), build(THREE, class_weights="balanced", train_targets=y)
    logits = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    ratio = balanced.loss_each(logits, torch.tensor(y)) / plain.loss_each(logits, torch.tensor(y))
    np.testing.assert_allclose(ratio.numpy(), theirs[y], rtol=1e-5)


def test_a_class_that_is_absent_from_training_leaves_balanced_weights_finite():
    y = np.array([0, 0, 0, 2])
    task = build(THREE, class_weights="balanced", train_targets=y)
    each = task.loss_each(torch.zeros(3, 3), torch.tensor([0, 1, 2])) / np.log(3)
    np.testing.assert_allclose(each.numpy(), [4 / 6, 1, 2], rtol=1e-6)


def test_the_average_over_samples_is_the_weighted_mean_of_the_training_part():
    rng = np.random.default_rng(3)
    y = np.concatenate([np.zeros(30, dtype=int), np.ones(7, dtype=int), np.full(3, 2)])
    task = build(THREE, class_weights=[1.0, 20.0, 0.5], train_targets=y)
    logits = torch.tensor(rng.normal(size=(40, 3)))
    average = task.loss_each(logits, task.tensor(y)).mean()
    torch.testing.assert_close(average, task.loss(logits, task.tensor(y)))


def test_a_loss_of_ones_own_may_return_values_or_their_mean():
    def values(logits, targets):
        return (logits[:, 0] - targets).abs()

    y = torch.tensor([1, 0, 2])
    z = torch.tensor([[0.0, 0, 0], [3.0, 0, 0], [1.0, 0, 0]])
    each = build(THREE, loss=values)
    assert each.loss_each(z, y).tolist() == [1.0, 3.0, 1.0]
    assert float(each.loss(z, y)) == pytest.approx(5 / 3)
    mean = build(THREE, loss=lambda logits, targets: values(logits, targets).mean())
    assert float(mean.loss(z, y)) == pytest.approx(5 / 3)
    assert mean.loss_each(z, y).tolist() == pytest.approx([5 / 3] * 3)
    with pytest.raises(UsageError) as caught:
        mean.loss(z, y, weights=torch.ones(3))
    assert str(caught.value) == (
        "A loss of your own must return one value per sample, shape (B,), for samples to be "
        "weighted; it returned their mean."
    )


def test_a_module_serves_as_a_loss_of_ones_own_for_every_task():
    z = torch.tensor([[0.5, -1.0]])
    y = torch.tensor([[0.0, 1.0]])
    for answer in (LABELS, NUMBERS):
        task = build(answer, loss=torch.nn.MSELoss())
        assert float(task.loss(z, y)) == pytest.approx((0.25 + 4) / 2)


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (
            lambda logits, _: logits,
            "A loss of your own must return the mean (a scalar) or one value per sample, shape "
            "(2,); it returned shape (2, 3).",
        ),
        (
            lambda *_: 0.5,
            "A loss of your own must return a tensor, the mean or one value per sample; it "
            "returned float.",
        ),
    ],
)
def test_a_loss_of_ones_own_that_returns_something_else_is_refused(returned, sentence):
    with pytest.raises(UsageError) as caught:
        build(THREE, loss=returned).loss(torch.zeros(2, 3), torch.tensor([0, 1]))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("answer", "options", "sentence"),
    [
        (
            NUMBERS,
            {"loss": "hubber"},
            "There is no loss called 'hubber'. Did you mean 'huber'? Known: cross-entropy, nll, "
            "multi-class-hinge, binary-cross-entropy, hinge, mse, mae, huber.",
        ),
        (
            THREE,
            {"loss": "mse"},
            "The loss 'mse' is for regression; it doesn't fit classification with 3 classes. "
            "Losses that fit: cross-entropy, nll, multi-class-hinge.",
        ),
        (
            THREE,
            {"loss": "binary-cross-entropy"},
            "The loss 'binary-cross-entropy' is for binary classification and multi-label; it "
            "doesn't fit classification with 3 classes. Losses that fit: cross-entropy, nll, "
            "multi-class-hinge.",
        ),
        (
            TWO,
            {"loss": "huber"},
            "The loss 'huber' is for regression; it doesn't fit classification with 2 classes. "
            "Losses that fit: cross-entropy, nll, multi-class-hinge, binary-cross-entropy, hinge.",
        ),
        (
            NUMBERS,
            {"loss": "nll"},
            "The loss 'nll' is for classification; it doesn't fit regression. "
            "Losses that fit: mse, mae, huber.",
        ),
        (
            LABELS,
            {"loss": "cross-entropy"},
            "The loss 'cross-entropy' is for classification; it doesn't fit multi-label. "
            "Losses that fit: binary-cross-entropy.",
        ),
        (
            THREE,
            {"loss": "nll", "label_smoothing": 0.1},
            "The loss 'nll' has no option 'label_smoothing'. Its options: class_weights.",
        ),
        (
            NUMBERS,
            {"class_weights": "balanced"},
            "The loss 'mse' has no option 'class_weights'. It has none.",
        ),
        (
            THREE,
            {"delta": 2.0},
            "The loss 'cross-entropy' has no option 'delta'. "
            "Its options: label_smoothing, class_weights.",
        ),
        (
            NUMBERS,
            {"loss": torch.nn.MSELoss(), "delta": 2.0},
            "A loss of your own takes no options, but delta was given. "
            "Leave it out, and put it into the function.",
        ),
        (
            THREE,
            {"label_smoothing": 1.0},
            "label_smoothing must be a number from 0 and below 1; got 1.0.",
        ),
        (NUMBERS, {"loss": "huber", "delta": 0}, "delta must be a number above 0; got 0."),
        (
            THREE,
            {"class_weights": "balance"},
            "class_weights takes 'balanced' or one number per class; got 'balance'. "
            "Did you mean 'balanced'?",
        ),
        (
            THREE,
            {"class_weights": [1.0, 2.0]},
            "class_weights takes one number for each of the 3 classes (ant, bee, cat); got 2.",
        ),
        (
            TWO,
            {"class_weights": [1.0, -2.0]},
            "Each of class_weights must be a number above 0; got -2.0.",
        ),
        (
            THREE,
            {"outputs": 10},
            "The network gives 10 numbers for a picture, but classification of ant, bee, cat "
            "takes 3. Change the size of its last layer.",
        ),
        (
            TWO,
            {"outputs": 3},
            "The network gives 3 numbers for a picture, but classification of ant, bee takes 2 "
            "(or 1). Change the size of its last layer.",
        ),
        (
            LABELS,
            {"outputs": 1},
            "The network gives 1 numbers for a picture, but multi-label of red, round takes 2. "
            "Change the size of its last layer.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_a_letter(answer, options, sentence):
    assert refusal(answer, **options) == sentence


@pytest.mark.parametrize("name", ["hinge", "multi-class-hinge"])
def test_hinges_refuse_mixed_targets(name):
    task = build(TWO, loss=name)
    with pytest.raises(UsageError) as caught:
        task.loss(torch.zeros(1, 2), torch.tensor([[0.5, 0.5]]))
    assert str(caught.value) == (
        f"The loss '{name}' takes class numbers, but the targets are mixed between classes. "
        "Use cross-entropy, or train without mixing."
    )
