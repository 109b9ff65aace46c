"""Several processes: what process 0 tells the others before training, and what these do."""

import json
from pathlib import Path

from striate._launch import local_processes
from striate.errors import SourceError
from striate.flow._facts import Told
from striate.flow._prepare import Prepared
from striate.flow._resume import differences, identity
from striate.flow._run import Run
from striate.training import stoppable
from striate.training._loop import fit
from striate.training._plan import Plan
from striate.training._records import Unkept


def lead(prepared: Prepared, plan: Plan, folder: Path, told: Told) -> None:
    """Connect to the other processes, and tell them the run's folder and what they must be like."""
    world = plan.world
    if local_processes() > 1 and not prepared.settings.data.cache:
        told.warn(
            f"Without the cache each of the {local_processes()} processes on a machine decodes and "
            "holds all pictures."
        )
    world.connect(prepared.device)
    if world.size > 1:
        world.same_text(json.dumps([str(folder), identity(prepared, world.size)]))


def follow(prepared: Prepared, plan: Plan, told: Told) -> Run:
    """Train with process 0, which alone writes; the run that is returned has no figures.

    Raises:
        SourceError: this process has other pictures, settings or versions than process 0.
    """
    world = plan.world
    world.connect(prepared.device)
    name, first = json.loads(world.same_text(""))
    # Machines may differ; weights are the same everywhere since all take the same step.
    mine = {**identity(prepared, world.size), "machine": first["machine"]}
    different = differences(first, mine)
    if different:
        raise SourceError(
            f"Process {world.rank} isn't like process 0: {'; '.join(different)}. All processes need "
            "the same command, versions and pictures."
        )
    with stoppable(told.listener.say) as stop:
        fitted = fit(plan, Unkept(), told, stop)
    world.close()
    folder = Path(name)
    return Run(
        folder=folder,
        model=folder / "model",
        report=folder / "report.html",
        metrics={},
        sentences={},
        samples=(),
        best_epoch=fitted.best_epoch,
        stopped=fitted.stopped,
        exit_code=stop.exit_code,
    )
