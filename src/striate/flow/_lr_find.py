"""`striate lr-find`: prepared as for training, then a range test of the learning rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from striate.flow._facts import Fact, Told, facts_of
from striate.flow._gate import prepare
from striate.flow._opening import Given, name_of, open_wanted
from striate.flow._prepare import progress

# What `train` does before it builds a network; an own copy would soon do something else.
from striate.report._lr_find_page import KIND, RatePage, write_rates
from striate.report._place import check_place
from striate.training import Listener, Settings, Silent, make_settings, read_config, stopped_at_once
from striate.training import recipe as find_recipe

if TYPE_CHECKING:
    from torch import nn

    from striate.training._lr_find import RangeTest

Floats = npt.NDArray[np.float64]

STEPS = 100
"""Steps of the test unless the user says how many."""


@dataclass(frozen=True, kw_only=True)
class RateFound:
    """What `find_rate` measured and wrote.

    Attributes:
        page: the HTML page.
        network, optimizer, schedule: names of what was tested.
        given: the rate that the settings have.
        suggested: the rate for this schedule, to two digits; None where the loss never fell.
        constant: the rate for a schedule that begins at its full rate; one_cycle: one-cycle's
            largest rate; None as above.
        reasons: what the curve says, a sentence each.
        rates, losses, smoothed: (S,) the curve.
    """

    page: Path
    network: str
    optimizer: str
    schedule: str
    given: float
    suggested: float | None
    constant: float | None
    one_cycle: float | None
    reasons: tuple[str, ...]
    rates: Floats
    losses: Floats
    smoothed: Floats


def find_rate(
    source: Given = "",
    *,
    network: str | nn.Module | None = None,
    loss: str | Callable[..., Any] | None = None,
    steps: int = STEPS,
    out: str | Path = "lr-find.html",
    batch_size: int | None = None,
    image_size: int | tuple[int, int] | None = None,
    seed: int | None = None,
    device: str | None = None,
    threads: int | None = None,
    recipe: str | None = None,
    config: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    listener: Listener | None = None,
) -> RateFound:
    """Train a network for some steps at rates from 1e-6 to 10, and suggest one; write a page.

    The same source, settings and seed give the same figures. A module given as `network` is
    copied, and left as it is.

    Args:
        source, network, loss, batch_size, image_size, seed, device, threads, recipe, config,
            settings, listener: as `train` takes them.
        steps: of the test, 50 or more; more of them smooth the curve.
        out: the page; an older page of this kind is replaced.

    Raises:
        StriateError: one of its kinds; UsageError where `out` is another file.
    """
    module = None if isinstance(network, str) or network is None else network
    given: dict[str, dict[str, Any]] = {
        "data": {"source": name_of(source) or None, "image_size": image_size},
        "network": {"name": network if module is None else type(module).__name__},
        "training": {
            "batch_size": batch_size,
            "seed": seed,
            "device": device,
            "threads": threads,
        },
        "loss": {"name": loss if isinstance(loss, str) else None},
    }
    wanted = make_settings(
        find_recipe(recipe).settings if recipe else {},
        read_config(Path(config)) if config else {},
        settings or {},
        {group: {k: v for k, v in keys.items() if v is not None} for group, keys in given.items()},
    )
    if wanted.network.freeze is None:
        # A head on kept features is fit without a rate: what has one is the whole network.
        wanted.network.freeze = False
    page = Path(out)
    check_place(page, KIND)
    tried = deepcopy(module)
    own_loss = loss if callable(loss) else None
    told = Told(listener or Silent())
    with stopped_at_once("Stopped; nothing was written."):
        opened = open_wanted(source, wanted)
        prepared = prepare(opened, wanted, told, own_module=tried is not None)
        # Here, because they import PyTorch: not before the source has been found good.
        from striate.flow._fit import make_ready
        from striate.flow._look import layer_table
        from striate.flow._plan_memory import memory_kept
        from striate.training._lr_find import range_test

        plan = make_ready(prepared, module=tried, loss=own_loss)
        facts = facts_of(prepared, plan.network)
        with memory_kept(plan, layer_table(prepared, plan.network, plan.outputs)):
            measured = range_test(plan, steps=steps, progress=progress(told, "Raising the rate"))
        found = _found(prepared.settings, page, measured)
        write_rates(page, _shown(prepared.source.name, tuple(facts), found))
    return found


def _found(settings: Settings, page: Path, measured: RangeTest) -> RateFound:
    schedule = settings.schedule.name or "constant"
    constant, one_cycle = rounded(measured.fallen), rounded(measured.smallest)
    return RateFound(
        page=page,
        network=settings.network.name or "",
        optimizer=settings.optimizer.name or "",
        schedule=schedule,
        given=settings.optimizer.learning_rate or 0.0,
        suggested=rounded(measured.suggested(schedule)),
        constant=constant,
        one_cycle=one_cycle,
        reasons=tuple(reasons(measured, schedule)),
        rates=measured.rates,
        losses=measured.losses,
        smoothed=measured.smoothed,
    )


def reasons(measured: RangeTest, schedule: str) -> list[str]:
    """Return what a curve says and which rates follow, a sentence each."""
    steepest, fallen, smallest = (
        rounded(rate) for rate in (measured.steepest, measured.fallen, measured.smallest)
    )
    if steepest is None or fallen is None or smallest is None:
        return [
            "The smoothed loss never falls clearly below where it starts: no rate is suggested.",
            "More --steps, or another network or optimizer, may help.",
        ]
    diverges, last = rounded(measured.diverges), float(measured.rates[-1])
    end = f"diverges from {diverges:g}" if diverges else f"doesn't diverge up to {last:.2g}"
    return [
        f"The smoothed loss falls fastest at {steepest:g}, has done two thirds of its fall at "
        f"{fallen:g}, is smallest at {smallest:g} and {end}.",
        f"One-cycle's largest rate: where the loss is smallest, {smallest:g}.",
        f"Rates that begin at full height: where two thirds of the fall are done, {fallen:g}.",
        f"The schedule here: {schedule}.",
    ]


def rounded(rate: float | None) -> float | None:
    """Return a rate to two digits: a range test isn't more exact."""
    return None if rate is None else float(f"{rate:.2g}")


def _shown(title: str, facts: tuple[Fact, ...], found: RateFound) -> RatePage:
    kept = ("source", "input", "network", "training", "optimizer", "augmentation", "device")
    return RatePage(
        title=title,
        facts=tuple(fact for fact in facts if fact[0] in kept),
        suggested=found.suggested,
        reason=" ".join(found.reasons),
        constant=found.constant,
        one_cycle=found.one_cycle,
        rates=found.rates,
        losses=found.losses,
        smoothed=found.smoothed,
    )
