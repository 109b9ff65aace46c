"""The range test: what it does to the rate, and what is read from curves whose answer is known."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from torch import nn

from striate.data import Batches, open_source, store
from striate.errors import NotFiniteError, UsageError
from striate.image import Shape
from striate.task import task_for
from striate.training._lr_find import range_test, read_curve, smooth
from striate.training._optimizers import Group, make_optimizer
from striate.training._pixels import InputStage
from striate.training._plan import Plan

SIDE, COUNT = 4, 10
RATES = np.geomspace(1e-6, 10, 100)
DECADES = np.log10(RATES)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Several threads for a dense layer of 48 numbers would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_plan() -> Plan:
    """Return a plan for a dense layer on ten pictures of two grey levels, in batches of four."""
    rng = np.random.default_rng(0)
    targets = np.arange(COUNT) % 2
    pixels = rng.integers(0, 128, (COUNT, SIDE, SIDE, 3)) + 100 * targets[:, None, None, None]
    source = open_source((pixels.astype(np.uint8), targets))
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE * 3, 2))
    return Plan(
        network=network,
        stage=InputStage([0.5], [0.25]),
        task=task_for(source.answer, train_targets=source.targets),
        outputs=2,
        batches=Batches(
            store(source, Shape(height=SIDE, width=SIDE, channels=3)),
            targets=source.targets,
            ids=source.ids,
            positions=np.arange(COUNT),
            batch_size=4,
            shuffle=True,
        ),
        samples=COUNT,
        optimizer=make_optimizer("sgd", [Group(list(network.parameters()))]),
        rate=lambda _step, _rows: pytest.fail("the schedule's rate was asked for"),
        validate=None,
        selection=("accuracy", True),
        epochs=1,
        patience=None,
        seed=0,
        device=torch.device("cpu"),
    )


def curve(lowest: float = -2.0, *, depth: float = 2.0, noise: float = 0.0) -> np.ndarray:
    """Return losses that begin at 2.3 and have a Gaussian valley, one decade wide, at `lowest`."""
    valley = 2.3 - depth * np.exp(-0.5 * ((DECADES - lowest) / 1.0) ** 2)
    return np.asarray(valley + np.random.default_rng(0).normal(0, noise, len(RATES)))


def test_rates_grow_by_one_factor_and_losses_are_those_of_plain_sgd() -> None:
    plan = make_plan()
    network = deepcopy(plan.network)
    told: list[tuple[int, int]] = []
    measured = range_test(plan, steps=50, progress=lambda done, total: told.append((done, total)))
    steps = len(measured.losses)
    np.testing.assert_allclose(measured.rates, np.geomspace(1e-6, 10, 50)[:steps])
    assert told == [(step + 1, 50) for step in range(steps)]
    optimizer = torch.optim.SGD(network.parameters())
    batches = [batch for epoch in range(1, 18) for batch in plan.batches.epoch(epoch)]
    for rate, loss, batch in zip(measured.rates, measured.losses, batches, strict=False):
        pixels = torch.from_numpy(batch.pictures_BHWC).permute(0, 3, 1, 2)
        logits = network((pixels / 255 - 0.5) / 0.25)
        expected = nn.functional.cross_entropy(logits, torch.from_numpy(batch.targets))
        assert loss == pytest.approx(expected.item(), rel=1e-4, abs=1e-6)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        torch.autograd.backward(expected)
        optimizer.step()


def test_the_same_plan_gives_the_same_curve() -> None:
    first, second = range_test(make_plan(), steps=60), range_test(make_plan(), steps=60)
    np.testing.assert_array_equal(first.losses, second.losses)
    assert first.smallest == second.smallest is not None


def test_smoothing_agrees_with_scipy_away_from_the_ends() -> None:
    losses = curve(noise=0.1)
    spacing = DECADES[1] - DECADES[0]
    theirs = gaussian_filter1d(losses, 0.25 / spacing, truncate=12)
    np.testing.assert_allclose(smooth(RATES, losses)[25:-25], theirs[25:-25], rtol=1e-6)
    np.testing.assert_allclose(smooth(RATES, np.full(100, 2.5)), 2.5)


@pytest.mark.parametrize("lowest", [-2.0, -1.5, -1.0])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_a_valley_of_known_shape_is_read(lowest: float, noise: float) -> None:
    read = read_curve(RATES, curve(lowest, noise=noise), steps=100)
    assert read.steepest and read.fallen and read.smallest and read.diverges
    # exp(-x²/2) is 1/2 at x² = 2 ln 2, 2/3 at x² = 2 ln 3/2, steepest at 1; smoothing widens x.
    wider = np.hypot(1.0, 0.25)
    half, most = (np.sqrt(2 * np.log(ratio)) * wider for ratio in (2, 3 / 2))
    error = 0.1 if noise == 0 else 0.3
    assert np.log10(read.smallest) == pytest.approx(lowest, abs=error)
    assert np.log10(read.fallen) == pytest.approx(lowest - most, abs=error)
    assert np.log10(read.steepest) == pytest.approx(lowest - wider, abs=error)
    assert np.log10(read.diverges) == pytest.approx(lowest + half, abs=error)
    assert set(np.array([read.steepest, read.fallen, read.smallest, read.diverges])) <= set(RATES)


@settings(deadline=None, max_examples=30)
@given(
    scale=st.floats(0.01, 100),
    shift=st.floats(-50, 50),
    lowest=st.floats(-2.5, -1),
)
def test_the_unit_and_the_zero_of_the_loss_do_not_matter(
    scale: float, shift: float, lowest: float
) -> None:
    losses = curve(lowest, noise=0.02)
    plain = read_curve(RATES, losses, steps=100)
    other = read_curve(RATES, losses * scale + shift, steps=100)
    assert (other.fallen, other.smallest, other.diverges) == (
        plain.fallen, plain.smallest, plain.diverges,
    )  # fmt: skip


def test_one_huge_loss_changes_nothing_before_it() -> None:
    losses = curve(-2.0)
    losses[85:] = 1e4
    read = read_curve(RATES, losses, steps=100)
    assert read.smallest is not None and np.log10(read.smallest) == pytest.approx(-2, abs=0.08)


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_and_a_rise_alone_suggest_nothing(seed: int) -> None:
    flat = 2.3 + np.random.default_rng(seed).normal(0, 0.05, 100)
    for losses in (flat, np.maximum(flat, 2.3 * 10 ** (DECADES + 1))):
        read = read_curve(RATES, losses, steps=100)
        assert (read.steepest, read.fallen, read.smallest, read.diverges) == (None,) * 4


def test_a_loss_that_falls_to_the_end_does_not_diverge() -> None:
    read = read_curve(RATES, curve(2.0), steps=100)
    assert read.smallest == 10.0 and read.diverges is None


@pytest.mark.parametrize("factor", [np.inf, -1e3])
def test_it_ends_where_the_loss_explodes(factor: float) -> None:
    plan = make_plan()
    brittle = nn.Sequential(plan.network, Brittle(factor))
    sgd = make_optimizer("sgd", [Group(list(brittle.parameters()))])
    read = range_test(replace(plan, network=brittle, optimizer=sgd), steps=80)
    assert 16 < len(read.losses) < 80 and np.isfinite(read.losses).all()
    assert len(read.rates) == len(read.losses) == len(read.smoothed)
    # A loss that isn't finite isn't kept; a huge one is the last.
    assert read.losses.max() < 3 if factor > 0 else read.losses[-1] == read.losses.max() > 100


class Brittle(nn.Module):
    """Multiplies its logits by a factor where one of them is large."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return logits * self.factor if logits.abs().max() > 4 else logits


def test_a_network_that_is_broken_from_the_start_is_no_fault_of_the_rate() -> None:
    plan = make_plan()
    with torch.no_grad():
        next(plan.network.parameters()).fill_(float("nan"))
    with pytest.raises(NotFiniteError, match="The loss is nan at step 0"):
        range_test(plan, steps=50)


def test_too_few_steps() -> None:
    with pytest.raises(UsageError) as refused:
        range_test(make_plan(), steps=49)
    assert str(refused.value) == "A range test needs 50 steps or more; got 49."
