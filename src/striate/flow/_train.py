"""`train`: from a source to a checked model folder, a report and a Run. The whole story in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from striate.data import Source
from striate.errors import StoppedError, UsageError
from striate.flow._facts import Told, facts_of, facts_of_frozen, fine_tuning_fact
from striate.flow._fine_tune import Decision, better_of, decide
from striate.flow._frozen import Frozen, fit_frozen, is_frozen
from striate.flow._gate import prepare
from striate.flow._opening import name_of, open_wanted
from striate.flow._prepare import Prepared, with_device
from striate.flow._resume import (
    CHECKPOINTS,
    CONFIG,
    Resume,
    identity,
    open_run,
    refuse_options,
    refuse_other,
)
from striate.flow._run import Run, make_run_folder
from striate.training import (
    NO_WEIGHTS,
    Listener,
    Silent,
    Stop,
    make_settings,
    read_config,
    stoppable,
    stopped_at_once,
    write_config,
)
from striate.training import recipe as find_recipe
from striate.training._checkpoints import Checkpoints
from striate.training._world import ALONE, World, join

if TYPE_CHECKING:
    from torch import nn

    from striate.flow._minutes import Pace
    from striate.network import Summary
    from striate.training._plan import Plan

Tree = Mapping[str, Any]
Start = tuple[Frozen, Decision]
"""A head on a frozen backbone, and why the whole network is trained from there on, or isn't."""


def train(
    source: str | Path | Mapping[str, Any] | tuple[Any, Any] | Source = "",
    *,
    network: str | nn.Module | None = None,
    loss: str | Callable[..., Any] | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    image_size: int | tuple[int, int] | None = None,
    seed: int | None = None,
    device: str | None = None,
    threads: int | None = None,
    out: str | Path = "runs",
    name: str | None = None,
    recipe: str | None = None,
    config: str | Path | None = None,
    settings: Tree | None = None,
    resume: str | Path | None = None,
    allow_inexact: bool = False,
    listener: Listener | None = None,
    begun: float | None = None,
) -> Run:
    """Train a network on pictures, measure it, and write a model folder that can be shipped.

    Args:
        source: folder, CSV, `.npz`, IDX folder, name of a data set, arrays (images, targets) or a
            Source; "" takes the one in `config`.
        network: a registered name, or any module that takes float (B, C, H, W) and gives logits.
        loss: a loss's name, or a function of (logits, targets) that returns their mean loss.
        epochs, minutes, batch_size, learning_rate, image_size, seed, device, threads: the settings
            people change most; None leaves them to `settings`, `config`, or the data, in that order.
        out, name: the run folder is `out/name`; without a name that of the source, numbered.
        recipe: a name of `striate.training.recipes()`; everything else here wins over it.
        config: a YAML file of settings, such as a run's config.yaml.
        settings: groups of further settings, as in {"training": {"patience": 5}}.
        resume: folder of a run that was stopped or killed: it goes on with its own settings, and
            ends with the weights that it would have had. Of the rest only arrays or a Source, a
            module and a loss function may be given: the run's own.
        allow_inexact: resume also where versions, machine, settings or pictures have changed.
        listener: told about everything as it happens; None: nobody.
        begun: `time.perf_counter()` of the moment from which `minutes` count; None: now.

    Raises:
        StriateError: one of its kinds; see striate.errors.
    """
    begun = perf_counter() if begun is None else begun
    module = None if isinstance(network, str) or network is None else network
    options: dict[str, dict[str, Any]] = {
        "data": {"source": name_of(source), "image_size": image_size},
        "network": {"name": network if module is None else type(module).__name__},
        "training": {
            "epochs": epochs,
            "minutes": minutes,
            "batch_size": batch_size,
            "seed": seed,
            "device": device,
            "threads": threads,
        },
        "loss": {"name": loss if isinstance(loss, str) else None},
        "optimizer": {"learning_rate": learning_rate},
    }
    given = {
        group: {key: value for key, value in keys.items() if value not in (None, "")}
        for group, keys in options.items()
    }
    world = join()
    # Where several processes share a machine, the first one checks, decodes and keeps the pictures.
    world.take_turn()
    again = None
    if resume is not None:
        if module is not None:
            given["network"] = {}
        refuse_options(given, settings or {}, recipe=recipe, config=config, name=name)
        again = open_run(Path(resume), inexact=allow_inexact)
        config = again.config
    wanted = make_settings(
        find_recipe(recipe).settings if recipe else {},
        read_config(Path(config)) if config else {},
        settings or {},
        given,
    )
    if again is None and wanted.training.steps:
        # Decided on before: the same run again, however long it takes now.
        wanted.training.minutes = None
    if world.size > 1 and wanted.training.minutes is not None:
        raise UsageError(
            "--minutes (training.minutes) times one process; several can't be timed. Give --epochs."
        )
    if module is not None and wanted.network.weights not in (None, NO_WEIGHTS):
        raise UsageError(
            "--weights (network.weights): a module of your own is trained from the weights that it "
            "has. Load them into it first, and leave this out."
        )
    start = (wanted.network.weights, wanted.network.freeze, wanted.network.fine_tune)
    if callable(loss) and start == (None, None, None):
        # A head on frozen features isn't fit with it: steps are what was asked for.
        wanted.network.weights = NO_WEIGHTS
    job = _Job(
        module=module,
        loss=loss if callable(loss) else None,
        told=Told((listener or Silent()) if world.rank == 0 else Silent()),
        begun=begun,
        world=world,
        resume=again,
    )
    with stopped_at_once("Stopped; nothing was written."):
        prepared = prepare(
            open_wanted(source, wanted), wanted, job.told, own_module=job.module is not None
        )
    world.pass_on()
    if wanted.network.fine_tune == "always":
        _refuse_unreachable(prepared)
    return _run(prepared, job, Path(out), name)


def _refuse_unreachable(prepared: Prepared) -> None:
    """Raise UsageError where the whole network would never be trained, though asked for."""
    if prepared.settings.network.freeze and not is_frozen(prepared.settings):
        raise UsageError(
            "--fine-tune always: under a head of several layers (network.head.dense), or with several "
            "views (network.views), a frozen backbone stays frozen. Leave them out, or train the "
            "whole network from the start with --no-freeze."
        )


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What the caller asked for, beside the settings."""

    module: nn.Module | None
    loss: Callable[..., Any] | None
    told: Told
    begun: float
    world: World = ALONE
    resume: Resume | None = None


def _run(prepared: Prepared, job: _Job, out: Path, name: str | None) -> Run:
    if not is_frozen(prepared.settings):
        if prepared.settings.network.freeze:
            # Under a head of several layers: no device has been asked for yet.
            prepared = with_device(prepared)
            prepared.settings.network.fine_tune = "never"
        return _run_steps(prepared, job, out, name, None)
    if job.world.size > 1:
        raise UsageError(
            "--freeze: a head on kept features is fit by one process, in seconds. Run it without "
            "torchrun, or train the whole network with --no-freeze."
        )
    with stopped_at_once(FEATURES_KEPT):
        frozen = fit_frozen(prepared, job.told, own_loss=job.loss is not None)
        decision = decide(prepared, frozen)
    if decision.on:
        prepared = with_device(prepared)
        # A resumed run, or one from this run's config.yaml, does these steps too.
        prepared.settings.network.fine_tune = "always"
        return _run_steps(prepared, job, out, name, (frozen, decision))
    return _run_frozen(prepared, job, out, name, (frozen, decision))


def _run_frozen(prepared: Prepared, job: _Job, out: Path, name: str | None, start: Start) -> Run:
    """Write a run whose backbone stays as it is."""
    from striate.flow._finish import finish
    from striate.flow._frozen import ended_frozen
    from striate.training._lock import RunLock
    from striate.training._records import Records

    frozen, decision = start
    folder = _folder_of(job, out, name, prepared)
    with RunLock(folder), stopped_at_once("Stopped; nothing was shipped."):
        # The same again, also where a slower machine would decide otherwise.
        prepared.settings.network.fine_tune = "never"
        write_config(prepared.settings, folder / CONFIG)
        job.told.found(facts_of_frozen(prepared, frozen, decision))
        with Records(folder):
            ended = ended_frozen(prepared, frozen, HEAD_ONLY, by_validation=decision.by_validation)
        return finish(prepared, ended, folder, job.told, job.begun, Stop())


FEATURES_KEPT = "Stopped; features that were computed are kept for the next run."
HEAD_ONLY = "the head was fit on frozen features"


def _folder_of(job: _Job, out: Path, name: str | None, prepared: Prepared) -> Path:
    if job.resume is None:
        return make_run_folder(out, name, prepared.source.name)
    return job.resume.folder


def _run_steps(
    prepared: Prepared, job: _Job, out: Path, name: str | None, start: Start | None
) -> Run:
    # Imports PyTorch: not before the source has been found good.
    from striate.flow._fit import make_ready
    from striate.flow._follow import follow
    from striate.flow._look import layer_table, second_look
    from striate.flow._on_features import on_features
    from striate.flow._plan_cost import rehearse_export
    from striate.flow._rate import with_measured_rate
    from striate.network import Network
    from striate.training._lock import RunLock

    told, frozen = job.told, start[0] if start else None
    with stopped_at_once("Stopped; nothing was written."):
        prepared = with_measured_rate(
            prepared, module=job.module, loss=job.loss, listener=told.listener, start=frozen
        )
    plan = make_ready(prepared, module=job.module, loss=job.loss, world=job.world, start=frozen)
    if job.world.rank:
        return follow(prepared, plan, told)
    if not isinstance(plan.network, Network):
        # What others have written may not be exportable: better to know before than after training.
        rehearse_export(plan, prepared)
    table = layer_table(prepared, plan.network, plan.outputs)
    second_look(prepared, table, told)
    pace = None
    if prepared.settings.training.minutes is not None:
        from striate.flow._minutes import find_pace

        pace = find_pace(prepared, plan, begun=job.begun)
    with stopped_at_once(FEATURES_KEPT):
        steps = on_features(prepared, plan, told)
    folder = _folder_of(job, out, name, prepared)
    with RunLock(folder):
        return _train_in(folder, prepared, _Plans(plan, steps, table), job, pace, start)


@dataclass(frozen=True)
class _Plans:
    """The plan of the whole network, that of its steps (the same, or of its head), and its layers."""

    whole: Plan
    steps: Plan
    table: Summary


def _train_in(
    folder: Path,
    prepared: Prepared,
    plans: _Plans,
    job: _Job,
    pace: Pace | None,
    start: Start | None,
) -> Run:
    """Train in a run folder that nobody else writes to."""
    from striate.flow._finish import finish
    from striate.flow._fit import train_network
    from striate.flow._follow import lead
    from striate.flow._on_features import fact, whole
    from striate.flow._product import ended_of
    from striate.training._keeper import Keeper
    from striate.training._position import Position

    told, world = job.told, job.world
    checkpoints = Checkpoints(folder / CHECKPOINTS, tell=told.warn)
    saved = None
    if job.resume is None:
        write_config(prepared.settings, folder / CONFIG)
    else:
        saved = checkpoints.newest()
        checkpoints.sweep()
        if saved is not None:
            for difference in refuse_other(saved, prepared, job.resume, world.size):
                told.warn(f"Not an exact resume: {difference}.")
    again = f"{world.command} train --resume {folder}"
    keeper = Keeper(
        checkpoints,
        seconds=prepared.settings.training.checkpoint_seconds,
        identity=lambda: identity(prepared, world.size),
        again=again,
        saved=saved,
    )
    plan = plans.steps
    facts = facts_of(prepared, plans.whole.network)
    tuning = [fine_tuning_fact(prepared, *start)] if start else []
    told.found([*facts, *fact(plans.whole, plan), *tuning, *world.facts()])
    at = Position.from_tree(saved.tree["position"]) if saved else Position()
    if job.resume is not None:
        told.listener.say(f"Going on in epoch {at.epoch}, after {at.step:,} steps.")
    if pace is not None:
        plan = pace.fitted(prepared, plan, at, config=folder / CONFIG, say=told.listener.say)
    lead(prepared, plan, folder, told)
    with stoppable(told.listener.say) as stop:
        trained = train_network(plan, folder, told, stop, keeper, at)
        world.close()
        if trained.fitted.epochs == 0:
            raise StoppedError(
                f"Stopped before the first epoch was done. Go on with: {again}", stop.exit_code
            )
        # Who started several processes ends them soon after asking them to stop.
        if stop.at_once or (stop and world.size > 1):
            raise StoppedError(
                f"Stopped; what is done is saved. Go on with: {again}", stop.exit_code
            )
        trained = whole(trained, plans.whole)
        ended = better_of(prepared, ended_of(prepared, trained, plans.table), trained, start, told)
        return finish(prepared, ended, folder, told, job.begun, stop)
