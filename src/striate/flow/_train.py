"""`train`: from a source to a checked model folder, a report and a Run. The whole story in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from striate.data import Source
from striate.errors import UsageError
from striate.flow._facts import Told, facts_of_frozen
from striate.flow._fine_tune import Decision, decide
from striate.flow._frozen import Frozen, fit_frozen, is_frozen
from striate.flow._gate import prepare
from striate.flow._job import FEATURES_KEPT, Job
from striate.flow._opening import name_of, open_wanted
from striate.flow._prepare import Prepared, with_device
from striate.flow._resume import (
    CONFIG,
    open_run,
    refuse_options,
)
from striate.flow._run import Run
from striate.training import (
    NO_WEIGHTS,
    Listener,
    Silent,
    Stop,
    make_settings,
    read_config,
    stopped_at_once,
    write_config,
)
from striate.training import recipe as find_recipe
from striate.training._world import join

if TYPE_CHECKING:
    from torch import nn

Tree = Mapping[str, Any]
HEAD_ONLY = "the head was fit on frozen features"


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
    job = Job(
        module=module,
        loss=loss if callable(loss) else None,
        told=Told((listener or Silent()) if world.rank == 0 else Silent()),
        begun=begun,
        out=Path(out),
        name=name,
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
    return _run(prepared, job)


def _refuse_unreachable(prepared: Prepared) -> None:
    """Raise UsageError where the whole network would never be trained, though asked for."""
    if prepared.settings.network.freeze and not is_frozen(prepared.settings):
        raise UsageError(
            "--fine-tune always: under a head of several layers (network.head.dense) a frozen backbone "
            "stays frozen. Leave them out, or train the whole network from the start with --no-freeze."
        )


def _run(prepared: Prepared, job: Job) -> Run:
    """Train the head on kept features, the whole network by steps, or one after the other."""
    if not is_frozen(prepared.settings):
        if prepared.settings.network.freeze:
            # Under a head of several layers: no device has been asked for yet.
            prepared = with_device(prepared)
            prepared.settings.network.fine_tune = "never"
        return _run_steps(prepared, job, None)
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
        return _run_steps(prepared, job, (frozen, decision))
    return _run_frozen(prepared, job, frozen, decision)


def _run_steps(prepared: Prepared, job: Job, start: tuple[Frozen, Decision] | None) -> Run:
    # Imports PyTorch: not before the source has been found good.
    from striate.flow._train_steps import train_steps

    return train_steps(prepared, job, start)


def _run_frozen(prepared: Prepared, job: Job, frozen: Frozen, decision: Decision) -> Run:
    """Write a run whose backbone stays as it is."""
    from striate.flow._finish import finish
    from striate.flow._frozen import ended_frozen
    from striate.training._lock import RunLock
    from striate.training._records import Records

    folder = job.folder(prepared.source.name)
    with RunLock(folder), stopped_at_once("Stopped; nothing was shipped."):
        # The same again, also where a slower machine would decide otherwise.
        prepared.settings.network.fine_tune = "never"
        write_config(prepared.settings, folder / CONFIG)
        job.told.found(facts_of_frozen(prepared, frozen, decision))
        with Records(folder):
            ended = ended_frozen(prepared, frozen, HEAD_ONLY, by_validation=decision.by_validation)
        return finish(prepared, ended, folder, job.told, job.begun, Stop())
