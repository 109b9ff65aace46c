"""Training by steps: from a prepared source to a Run. Imports PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from striate.errors import StoppedError
from striate.flow._facts import facts_of, fine_tuning_fact
from striate.flow._fine_tune import Decision, better_of
from striate.flow._finish import finish
from striate.flow._fit import make_ready, train_network
from striate.flow._follow import follow, lead
from striate.flow._frozen import Frozen
from striate.flow._job import FEATURES_KEPT, Job
from striate.flow._look import layer_table, second_look
from striate.flow._minutes import Pace, find_pace
from striate.flow._on_features import fact, on_features, whole
from striate.flow._plan_cost import rehearse_export
from striate.flow._plan_memory import memory_kept
from striate.flow._prepare import Prepared
from striate.flow._product import ended_of
from striate.flow._rate import with_measured_rate
from striate.flow._resume import CHECKPOINTS, CONFIG, identity, refuse_other
from striate.flow._run import Run
from striate.network import Network, Summary
from striate.training import stoppable, stopped_at_once, write_config
from striate.training._checkpoints import Checkpoints
from striate.training._keeper import Keeper
from striate.training._lock import RunLock
from striate.training._plan import Plan
from striate.training._position import Position

Start = tuple[Frozen, Decision]
"""A head on a frozen backbone, and why the whole network is trained from there on, or isn't."""


@dataclass(frozen=True)
class _Plans:
    """The plan of the whole network, that of its steps (the same, or of its head), and its layers."""

    whole: Plan
    steps: Plan
    table: Summary


def train_steps(prepared: Prepared, job: Job, start: Start | None) -> Run:
    """Train by steps, from a head fit on frozen features on where `start` has one.

    Only the first of several processes returns.

    Raises:
        StriateError: one of its kinds.
    """
    told, frozen = job.told, start[0] if start else None
    with stopped_at_once("Stopped; nothing was written."):
        prepared = with_measured_rate(
            prepared, module=job.module, loss=job.loss, listener=told.listener, start=frozen
        )
    plan = make_ready(prepared, module=job.module, loss=job.loss, world=job.world, start=frozen)
    if not isinstance(plan.network, Network) and not job.world.rank:
        # What others have written may not be exportable: better to know before than after training.
        rehearse_export(plan, prepared)
    table = layer_table(prepared, plan.network, plan.outputs)
    with memory_kept(plan, table):
        if job.world.rank:
            return follow(prepared, plan, told)
        second_look(prepared, table, told)
        pace = None
        if prepared.settings.training.minutes is not None:
            pace = find_pace(prepared, plan, begun=job.begun)
        with stopped_at_once(FEATURES_KEPT):
            steps = on_features(prepared, plan, told)
        folder = job.folder(prepared.source.name)
        with RunLock(folder):
            return _train_in(folder, prepared, _Plans(plan, steps, table), job, pace, start)


def _train_in(
    folder: Path,
    prepared: Prepared,
    plans: _Plans,
    job: Job,
    pace: Pace | None,
    start: Start | None,
) -> Run:
    """Train in a run folder that nobody else writes to."""
    told, world = job.told, job.world
    again = f"{world.command} train --resume {folder}"
    keeper, at = _begin(folder, prepared, job, again)
    plan = plans.steps
    facts = facts_of(prepared, plans.whole.network)
    tuning = [fine_tuning_fact(prepared, *start)] if start else []
    told.found([*facts, *fact(plans.whole, plan), *tuning, *world.facts()])
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


def _begin(folder: Path, prepared: Prepared, job: Job, again: str) -> tuple[Keeper, Position]:
    """Write a new run's settings, or read what a resumed one has saved; return where it is."""
    told, processes = job.told, job.world.size
    checkpoints = Checkpoints(folder / CHECKPOINTS, tell=told.warn)
    saved = None
    if job.resume is None:
        write_config(prepared.settings, folder / CONFIG)
    else:
        saved = checkpoints.newest()
        checkpoints.sweep()
        if saved is not None:
            for difference in refuse_other(saved, prepared, job.resume, processes):
                told.warn(f"Not an exact resume: {difference}.")
    keeper = Keeper(
        checkpoints,
        seconds=prepared.settings.training.checkpoint_seconds,
        identity=lambda: identity(prepared, processes),
        again=again,
        saved=saved,
    )
    return keeper, Position.from_tree(saved.tree["position"]) if saved else Position()
