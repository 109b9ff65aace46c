"""The learning rate, measured before training where no fixed one is good (docs/lr-find.md)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any

from striate.errors import NotFiniteError
from striate.flow._prepare import Prepared, progress
from striate.training import Choice, Listener, rate_is_a_guess

if TYPE_CHECKING:
    from torch import nn

    from striate.flow._frozen import Frozen

STEPS, LOWEST = 60, 1e-4
"""Of the test: as many to a decade as in `striate lr-find`, without SGD's two idle decades."""

SHARE = 10
"""A training must have this many times the test's steps, or it isn't tested."""

RATE = "optimizer.learning_rate"


def with_measured_rate(
    prepared: Prepared,
    *,
    module: nn.Module | None,
    loss: Callable[..., Any] | None,
    listener: Listener,
    start: Frozen | None = None,
) -> Prepared:
    """Return what is prepared, with the rate that a range test suggests in place of a guess.

    Unchanged where the rate was given or the fixed one is good, and where the training is short.
    The test trains a network of its own, or a copy of `module`: the run begins as without it.
    """
    settings = prepared.settings
    if not rate_is_a_guess(settings, prepared.choices) or _steps(prepared) < SHARE * STEPS:
        return prepared
    from striate.flow._fit import make_ready
    from striate.flow._look import layer_table
    from striate.flow._lr_find import rounded
    from striate.flow._plan_memory import memory_kept
    from striate.training._lr_find import range_test

    plan = make_ready(prepared, module=deepcopy(module), loss=loss, start=start)
    told = progress(listener, "Finding a learning rate")
    try:
        with memory_kept(plan, layer_table(prepared, plan.network, plan.outputs)):
            measured = range_test(plan, steps=STEPS, lowest=LOWEST, progress=told)
    except NotFiniteError:
        # At such rates the network is at fault, and the training says so with its pictures' names.
        return prepared
    rate = rounded(measured.suggested(settings.schedule.name or "constant"))
    done = f"lr-find in {len(measured.rates)} steps"
    if rate is None:
        return _chosen(prepared, settings.optimizer.learning_rate or 0.0, f"no better by {done}")
    return _chosen(prepared, rate, f"found by {done}")


def _steps(prepared: Prepared) -> int:
    training = prepared.settings.training
    batches = ceil(len(prepared.split.train) / (training.batch_size or 1))
    return (training.epochs or 1) * batches


def _chosen(prepared: Prepared, rate: float, reason: str) -> Prepared:
    settings = prepared.settings.model_copy(deep=True)
    settings.optimizer.learning_rate = rate
    choices = [
        Choice(RATE, rate, reason) if choice.name == RATE else choice for choice in prepared.choices
    ]
    return replace(prepared, settings=settings, choices=choices)
