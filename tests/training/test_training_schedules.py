"""Every schedule against its namesake in torch.optim.lr_scheduler."""

import subprocess
import sys
import warnings

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from striate.errors import UsageError
from striate.training._schedules import make_schedule, plateau_rate, schedules


def torch_rates(make, steps, rate):
    """Return the learning rate that PyTorch's scheduler sets for each step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    rates = []
    with warnings.catch_warnings():
        # SequentialLR passes itself an argument that it calls deprecated.
        warnings.filterwarnings("ignore", category=UserWarning, module="torch.optim.lr_scheduler")
        scheduler = make(optimizer)
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(rates) < steps:
                scheduler.step()
    return rates


def our_rates(schedule, steps):
    return [schedule.rate(step) for step in range(steps)]


@settings(deadline=None, max_examples=60)
@given(
    steps=st.integers(2, 80),
    rate=st.floats(1e-5, 10),
    pct_start=st.floats(0, 1),
    div_factor=st.floats(1, 100),
    final=st.floats(1, 1e5),
)
@example(steps=10, rate=0.1, pct_start=1.0, div_factor=25.0, final=1e4)
@example(steps=2, rate=0.1, pct_start=0.0, div_factor=25.0, final=1e4)
@example(steps=3, rate=0.1, pct_start=0.3, div_factor=25.0, final=1e4)
def test_one_cycle_is_pytorchs(steps, rate, pct_start, div_factor, final):
    if pct_start * steps == 1.0:
        return  # PyTorch divides by zero
    schedule = make_schedule(
        "one-cycle",
        learning_rate=rate,
        steps=steps,
        pct_start=pct_start,
        div_factor=div_factor,
        final_div_factor=final,
    )
    theirs = torch_rates(
        lambda optimizer: lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=rate,
            total_steps=steps,
            pct_start=pct_start,
            div_factor=div_factor,
            final_div_factor=final,
            cycle_momentum=False,
        ),
        steps,
        rate,
    )
    assert our_rates(schedule, steps) == pytest.approx(theirs, rel=1e-9)


def test_one_cycle_has_pytorchs_defaults():
    ours = our_rates(make_schedule("one-cycle", learning_rate=0.3, steps=50), 50)
    theirs = torch_rates(
        lambda optimizer: lr_scheduler.OneCycleLR(
            optimizer, max_lr=0.3, total_steps=50, cycle_momentum=False
        ),
        50,
        0.3,
    )
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_one_cycle_whose_rise_ends_at_the_first_step_starts_at_the_top():
    schedule = make_schedule("one-cycle", learning_rate=0.5, steps=4, pct_start=0.25)
    assert schedule.rate(0) == 0.5
    assert schedule.rate(3) == pytest.approx(0.5 / 25 / 1e4)


@pytest.mark.parametrize("name", ["constant", "one-cycle", "cosine", "linear", "plateau"])
def test_a_run_of_one_step_takes_the_highest_rate(name):
    assert make_schedule(name, learning_rate=0.5, steps=1).rate(0) == 0.5


@settings(deadline=None, max_examples=40)
@given(steps=st.integers(1, 80), rate=st.floats(1e-5, 10), warmup=st.floats(0, 0.99))
@example(steps=20, rate=0.1, warmup=0.0)
def test_cosine_is_pytorchs_after_a_straight_rise(steps, rate, warmup):
    rising = min(round(warmup * steps), steps - 1)

    def theirs(optimizer):
        fall = lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps - rising)
        if rising == 0:
            return fall
        rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / (rising + 1), total_iters=rising)
        return lr_scheduler.SequentialLR(optimizer, [rise, fall], milestones=[rising])

    schedule = make_schedule("cosine", learning_rate=rate, steps=steps, warmup=warmup)
    expected = torch_rates(theirs, steps, rate)
    assert our_rates(schedule, steps) == pytest.approx(expected, rel=1e-7, abs=rate * 1e-12)


@settings(deadline=None, max_examples=40)
@given(steps=st.integers(1, 80), rate=st.floats(1e-5, 10), warmup=st.floats(0, 0.99))
@example(steps=20, rate=0.1, warmup=0.0)
def test_linear_is_pytorchs_after_a_straight_rise(steps, rate, warmup):
    rising = min(round(warmup * steps), steps - 1)

    def theirs(optimizer):
        fall = lr_scheduler.LinearLR(
            optimizer, start_factor=1.0, end_factor=0.0, total_iters=steps - rising
        )
        if rising == 0:
            return fall
        rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / (rising + 1), total_iters=rising)
        return lr_scheduler.SequentialLR(optimizer, [rise, fall], milestones=[rising])

    schedule = make_schedule("linear", learning_rate=rate, steps=steps, warmup=warmup)
    expected = torch_rates(theirs, steps, rate)
    assert our_rates(schedule, steps) == pytest.approx(expected, rel=1e-7, abs=rate * 1e-12)


def test_cosine_worked_by_hand():
    schedule = make_schedule("cosine", learning_rate=0.4, steps=6, warmup=1 / 3)
    expected = [0.4 / 3, 0.8 / 3, 0.4, 0.2 * (1 + 2**-0.5), 0.2, 0.2 * (1 - 2**-0.5)]
    assert our_rates(schedule, 6) == pytest.approx(expected)


@settings(deadline=None, max_examples=80)
@given(
    values=st.lists(
        st.one_of(
            st.floats(0.9, 1.1),
            st.sampled_from([1.0, 0.99995, 0.9999, 0.9998, float("nan"), float("inf")]),
        ),
        max_size=40,
    ),
    rate=st.floats(1e-7, 1),
    factor=st.floats(0.1, 0.9),
    patience=st.integers(0, 4),
    min_lr=st.sampled_from([0.0, 1e-6, 1e-2]),
    mode=st.sampled_from(["min", "max"]),
)
def test_plateau_is_pytorchs_for_every_beginning_of_a_history(
    values, rate, factor, patience, min_lr, mode
):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, mode=mode, factor=factor, patience=patience, min_lr=min_lr
    )
    schedule = make_schedule(
        "plateau",
        learning_rate=rate,
        steps=100,
        mode=mode,
        factor=factor,
        patience=patience,
        min_lr=min_lr,
    )
    for count in range(len(values) + 1):
        assert schedule.rate(7 * count, values[:count]) == optimizer.param_groups[0]["lr"]
        if count < len(values):
            scheduler.step(values[count])


def test_plateau_worked_by_hand():
    def rate(values):
        return plateau_rate(values, learning_rate=0.1, factor=0.5, patience=2, min_lr=0.03)

    assert rate([]) == 0.1
    assert rate([1.0, 0.9, 0.95, 0.95]) == 0.1
    assert rate([1.0, 0.9, 0.95, 0.95, 0.95]) == 0.05
    assert rate([1.0, 0.9, 0.95, 0.95, 0.8]) == 0.1
    assert rate([1.0, *[2.0] * 6]) == 0.03
    assert rate([1.0, *[2.0] * 60]) == 0.03


def test_plateau_has_pytorchs_defaults():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)
    schedule = make_schedule("plateau", learning_rate=0.1, steps=10)
    for count in range(1, 30):
        scheduler.step(1.0)
        assert schedule.rate(0, [1.0] * count) == optimizer.param_groups[0]["lr"]


def test_constant_never_moves():
    schedule = make_schedule("constant", learning_rate=0.01, steps=5)
    assert [schedule.rate(step, [3.0, 4.0]) for step in range(9)] == [0.01] * 9


@pytest.mark.parametrize("entry", schedules(), ids=lambda entry: entry.name)
def test_every_schedule_is_made_from_the_defaults_it_names_and_keeps_its_last_rate(entry):
    made = make_schedule(entry.name, learning_rate=0.2, steps=12)
    assert make_schedule(entry.name, learning_rate=0.2, steps=12, **entry.options) == made
    assert all(0 <= rate <= 0.2 for rate in our_rates(made, 12))
    assert max(our_rates(made, 12)) == pytest.approx(0.2, rel=0.05)
    assert made.rate(12) == made.rate(11) == made.rate(500)
    assert entry.title and entry.formula


def test_names_of_schedules_are_pinned():
    names = [entry.name for entry in schedules()]
    assert names == ["constant", "one-cycle", "cosine", "linear", "plateau"]


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        (
            "onecycle",
            {},
            "There is no schedule called 'onecycle'. Did you mean 'one-cycle'? "
            "Known: constant, one-cycle, cosine, linear, plateau.",
        ),
        (
            "cosine",
            {"patience": 3},
            "The schedule 'cosine' has no option 'patience'. Its options: warmup.",
        ),
        (
            "constant",
            {"warmup": 0.1},
            "The schedule 'constant' has no option 'warmup'. It has none.",
        ),
        ("cosine", {"warmup": 1.0}, "warmup must be a number from 0 and below 1; got 1.0."),
        ("one-cycle", {"pct_start": 1.5}, "pct_start must be a number from 0 to 1; got 1.5."),
        ("one-cycle", {"div_factor": 0.0}, "div_factor must be a number above 0; got 0.0."),
        ("plateau", {"factor": 1.0}, "factor must be a number above 0 and below 1; got 1.0."),
        ("plateau", {"mode": "least"}, "mode must be 'min' or 'max'; got 'least'."),
        (
            "plateau",
            {"patience": -1},
            "patience must be a whole number of epochs from 0; got -1.",
        ),
        ("plateau", {"min_lr": float("nan")}, "min_lr must be a number from 0; got nan."),
        (
            "constant",
            {"learning_rate": 0.0},
            "The learning rate must be a number above 0; got 0.0.",
        ),
        ("constant", {"steps": 0}, "A schedule needs at least one step; got 0."),
    ],
)
def test_what_is_not_understood_is_refused_with_a_letter(name, options, sentence):
    with pytest.raises(UsageError) as caught:
        make_schedule(name, **{"learning_rate": 0.1, "steps": 10, **options})
    assert str(caught.value) == sentence


def test_schedules_import_no_pytorch():
    code = (
        "import sys\nfrom striate.training._schedules import make_schedule\n"
        "make_schedule('cosine', learning_rate=1.0, steps=3).rate(1)\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
