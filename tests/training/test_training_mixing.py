"""Mixup and cutmix, against loops in NumPy, PyTorch's soft labels and the papers' distributions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch.nn import functional

from striate.answer import Classification, Regression
from striate.errors import UsageError
from striate.task import task_for
from striate.training._mixing import Mixing, Mixture, make_mixing
from striate.training._settings import AugmentationSettings

BOTH = Mixing(mixup=0.4, cutmix=1.0, seed=3)


def batch(pictures: int = 6, channels: int = 3, height: int = 9, width: int = 7) -> torch.Tensor:
    rng = np.random.default_rng(0)
    stored = rng.normal(size=(pictures, height, width, channels)).astype(np.float32)
    return torch.from_numpy(stored).permute(0, 3, 1, 2)


def mixture(mixing: Mixing, step: int, height: int = 9, width: int = 7) -> Mixture:
    return mixing.mixture(step, pictures=6, height=height, width=width)


def test_mixup_is_the_weighted_sum_of_a_picture_and_its_partner() -> None:
    x = batch()
    mixed = mixture(Mixing(mixup=1.0, seed=5), step=4)
    assert mixed.box is None and 0.05 < mixed.share < 0.95
    expected = np.empty(x.shape, np.float32)
    for i, partner in enumerate(mixed.partner_B.tolist()):
        expected[i] = mixed.share * x[i].numpy() + (1 - mixed.share) * x[partner].numpy()
    np.testing.assert_allclose(mixed.pictures(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_cutmix_takes_the_box_from_the_partner_and_nothing_else() -> None:
    x = batch()
    before = x.clone()
    mixed = mixture(Mixing(cutmix=1.0, seed=5), step=4)
    assert mixed.box is not None
    top, bottom, left, right = mixed.box
    expected = x.numpy().copy()
    for i, partner in enumerate(mixed.partner_B.tolist()):
        for row in range(top, bottom):
            for column in range(left, right):
                expected[i, :, row, column] = x[partner, :, row, column].numpy()
    assert 0.05 < mixed.share < 0.95
    np.testing.assert_array_equal(mixed.pictures(x).numpy(), expected)
    assert torch.equal(x, before)


@pytest.mark.parametrize("mixing", [Mixing(mixup=1.0), Mixing(cutmix=1.0)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_mixed_pictures_lie_in_memory_as_before(
    mixing: Mixing, channels: int, dtype: torch.dtype
) -> None:
    x = batch(channels=channels).to(dtype)
    mixed = mixture(mixing, step=1).pictures(x)
    assert mixed.stride() == x.stride() and mixed.dtype == dtype
    plain = x.contiguous()
    again = mixture(mixing, step=1).pictures(plain)
    assert again.is_contiguous()
    torch.testing.assert_close(again, mixed, rtol=0, atol=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**9), st.sampled_from([0.2, 1.0, 8.0])
)
def test_the_share_is_the_area_that_is_left(
    height: int, width: int, step: int, alpha: float
) -> None:
    mixed = mixture(Mixing(cutmix=alpha, seed=1), step, height, width)
    own = torch.arange(6.0)[:, None, None, None].expand(6, 1, height, width)
    result = mixed.pictures(own).numpy()
    moved = [i for i, partner in enumerate(mixed.partner_B.tolist()) if partner != i]
    for i in moved:
        assert np.mean(result[i] == i) == pytest.approx(mixed.share, abs=1e-12)
    assert sorted(mixed.partner_B.tolist()) == list(range(6))
    assert mixed.box is not None
    top, bottom, left, right = mixed.box
    assert 0 <= top <= bottom <= height and 0 <= left <= right <= width


def test_shares_of_mixup_follow_the_beta_distribution() -> None:
    for alpha in (0.2, 1.0, 4.0):
        shares = [mixture(Mixing(mixup=alpha, seed=2), step).share for step in range(2000)]
        assert stats.kstest(shares, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_areas_of_cutmix_follow_the_paper() -> None:
    """λ' from a simulation of arXiv:1905.04899, eq. 2, in continuous coordinates."""
    rng = np.random.default_rng(0)
    side = 200
    shares = [mixture(Mixing(cutmix=1.0, seed=2), step, side, side).share for step in range(3000)]
    cut = np.sqrt(1 - rng.beta(1, 1, 100_000))
    sides = []
    for _axis in range(2):
        centre = rng.random(len(cut))
        sides.append(np.minimum(1, centre + cut / 2) - np.maximum(0, centre - cut / 2))
    assert stats.ks_2samp(shares, 1 - sides[0] * sides[1]).pvalue > 0.01


def test_a_fair_coin_chooses_between_the_two() -> None:
    mixtures = [mixture(BOTH, step) for step in range(2000)]
    cut = sum(mixed.box is not None for mixed in mixtures)
    assert stats.binomtest(cut, len(mixtures), 0.5).pvalue > 0.01
    blended = [mixed.share for mixed in mixtures if mixed.box is None]
    assert stats.kstest(blended, stats.beta(0.4, 0.4).cdf).pvalue > 0.01
    partners = np.array([mixed.partner_B.numpy() for mixed in mixtures])
    counts = np.bincount(partners[:, 0], minlength=6)
    assert stats.chisquare(counts).pvalue > 0.01


def test_a_step_alone_is_mixed_as_in_the_whole_run() -> None:
    run = [mixture(BOTH, step) for step in range(12)]
    torch.manual_seed(99)
    alone = mixture(Mixing(mixup=0.4, cutmix=1.0, seed=3), step=7)
    assert (alone.share, alone.box) == (run[7].share, run[7].box)
    assert torch.equal(alone.partner_B, run[7].partner_B)
    assert len({mixed.share for mixed in run}) > 8
    assert mixture(Mixing(mixup=0.4, cutmix=1.0, seed=4), step=7).share != alone.share
    # The last, smaller batch of an epoch has the same share and box.
    fewer = BOTH.mixture(7, pictures=2, height=9, width=7)
    assert (fewer.share, fewer.box) == (alone.share, alone.box)


@pytest.mark.parametrize("weights", [None, (0.5, 2.0, 1.25)])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_that_of_soft_labels(
    weights: tuple[float, ...] | None, smoothing: float
) -> None:
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 3, 6)
    task = task_for(
        Classification(("a", "b", "c")),
        class_weights=weights,
        label_smoothing=smoothing,
        train_targets=classes,
    )
    targets = task.tensor(classes)
    mixed = mixture(Mixing(mixup=1.0, seed=5), step=4)
    hot = functional.one_hot(targets, 3).float()
    soft = mixed.share * hot + (1 - mixed.share) * hot[mixed.partner_B]
    values = torch.from_numpy(rng.normal(size=(6, 3)))
    mine = values.float().requires_grad_()
    loss = mixed.loss(task.loss, mine, targets)
    loss.backward()
    # PyTorch's own loss for probabilities divides by B, not by the weights of the targets.
    weight_K = torch.ones(3) if weights is None else torch.tensor(weights)
    theirs = values.float().requires_grad_()
    each = functional.cross_entropy(
        theirs, soft, weight=weight_K, label_smoothing=smoothing, reduction="sum"
    )
    expected = each / (soft @ weight_K).sum()
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(mine.grad, theirs.grad)


def test_squared_errors_have_the_gradient_of_mixed_numbers() -> None:
    rng = np.random.default_rng(2)
    numbers = rng.normal(5, 3, (6, 2))
    task = task_for(Regression(("x", "y")), loss="mse", train_targets=numbers)
    targets = task.tensor(numbers)
    mixed = mixture(Mixing(mixup=1.0, seed=5), step=4)
    mine = torch.zeros(6, 2, requires_grad=True)
    mixed.loss(task.loss, mine, targets).backward()
    theirs = torch.zeros(6, 2, requires_grad=True)
    between = mixed.share * targets + (1 - mixed.share) * targets[mixed.partner_B]
    functional.mse_loss(theirs, between).backward()
    torch.testing.assert_close(mine.grad, theirs.grad)


@pytest.mark.parametrize("mean", [True, False])
def test_a_loss_of_ones_own_is_mixed(mean: bool) -> None:
    def absolute(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        each = (logits[:, 0] - targets).abs() ** 3
        return each.mean() if mean else each

    classes = np.array([0, 1, 1, 0, 1, 0])
    task = task_for(Classification(("a", "b")), loss=absolute, train_targets=classes)
    logits = np.random.default_rng(3).normal(size=(6, 2)).astype(np.float32)
    mixed = mixture(Mixing(mixup=1.0, seed=5), step=4)
    partners = classes[mixed.partner_B.numpy()]
    own, others = (np.mean(abs(logits[:, 0] - t) ** 3) for t in (classes, partners))
    found = mixed.loss(task.loss, torch.from_numpy(logits), task.tensor(classes))
    assert float(found) == pytest.approx(mixed.share * own + (1 - mixed.share) * others, rel=1e-5)


def test_nothing_is_mixed_unless_asked_for() -> None:
    for off in (AugmentationSettings(), AugmentationSettings(mixup=0.0, cutmix=0.0)):
        assert make_mixing(off, task="regression", seed=1) is None
    mixup = make_mixing(AugmentationSettings(mixup=0.2), task="regression", seed=1)
    assert mixup == Mixing(mixup=0.2, seed=1)
    cutmix = make_mixing(AugmentationSettings(cutmix=1.0), task="multi-label", seed=0)
    assert cutmix == Mixing(cutmix=1.0)


def test_cutmix_under_regression_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        make_mixing(AugmentationSettings(cutmix=0.5), task="regression", seed=0)
    assert str(refused.value) == (
        "augmentation.cutmix is 0.5, but the task is regression: cutmix takes a target for a share "
        "of the picture's area, which a number isn't. Set it to 0; augmentation.mixup works with "
        "numbers."
    )
