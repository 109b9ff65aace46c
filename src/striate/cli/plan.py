"""`striate plan`: time and memory of a handful of trainings, before one is begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli._options import (
    AllowUnreadable,
    AsJson,
    Assignments,
    BatchSize,
    Channels,
    Config,
    DataFolder,
    Device,
    Exclude,
    Group,
    Images,
    NoCache,
    Recipe,
    Seed,
    Source,
    Split,
    Strict,
    Target,
    Task,
    Threads,
    given,
    read_data,
    read_settings,
)

if TYPE_CHECKING:
    from striate.flow._plan_result import Estimate, Planned

MEBIBYTE = 1 << 20


def plan(
    source: Source = "",
    network: Annotated[
        str | None, typer.Option(help="As for training; it is then not varied.")
    ] = None,
    recipe: Recipe = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training part; then not varied.")
    ] = None,
    batch_size: BatchSize = None,
    image_size: Annotated[
        str | None,
        typer.Option(metavar="N|HxW", help="The network's input in pixels; then not varied."),
    ] = None,
    channels: Channels = None,
    task: Task = None,
    target: Target = None,
    images: Images = None,
    group: Group = None,
    split: Split = None,
    exclude: Exclude = None,
    data_folder: DataFolder = None,
    seed: Seed = None,
    device: Device = None,
    threads: Threads = None,
    config: Config = None,
    assignments: Assignments = None,
    allow_unreadable: AllowUnreadable = False,
    strict: Strict = False,
    no_cache: NoCache = False,
    as_json: AsJson = False,
) -> None:
    """Time a handful of trainings for seconds each: how long would they take, with how much memory?

    The default that `striate train` would choose stands beside other sizes, widths, networks and
    numbers of epochs. Nothing is written; what accuracy they reach isn't known before training.
    """
    import sys

    from striate.cli._output import print_json
    from striate.cli._screen import Screen
    from striate.flow._plan import plan_source

    data = read_data(
        image_size=image_size,
        task=task,
        target=target,
        images=images,
        group=group,
        split=split,
        channels=channels,
        exclude=exclude,
        no_cache=no_cache,
        data_folder=data_folder,
        allow_unreadable=allow_unreadable,
        strict=strict,
    )
    training = {
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "device": device,
        "threads": threads,
    }
    planned = plan_source(
        source,
        recipe=recipe,
        config=config,
        settings=read_settings(
            assignments, data=data, network=given({"name": network}), training=given(training)
        ),
        listener=Screen(sys.stderr),
    )
    words = [word for word in sys.argv[2:] if word != "--json"]
    if as_json:
        print_json(_document(planned, words))
    else:
        _tell(planned, words)


def _document(planned: Planned, words: list[str]) -> dict[str, Any]:
    return {
        "source": planned.source,
        "training": planned.training,
        "validation": planned.validation,
        "device": planned.device,
        "threads": planned.threads,
        "decoded": planned.sample,
        "cached": planned.kept,
        "candidates": [
            {
                "name": one.name,
                "network": one.network,
                "input": [one.channels, one.height, one.width],
                "parameters": one.parameters,
                "batch_size": one.batch_size,
                "step_seconds": one.step,
                "step_quartiles": [one.step_low, one.step_high],
                "epoch_seconds": one.epoch,
                "epochs": one.epochs,
                "fixed_seconds": one.fixed,
                "total_seconds": one.total,
                "memory_bytes": one.memory,
                "command": ["striate", "train", *words, *one.words],
            }
            for one in planned.estimates
        ],
    }


def _tell(planned: Planned, words: list[str]) -> None:
    import shlex

    from striate.cli._output import out, shown, table

    where = f"{planned.device}, {planned.threads} {'thread' if planned.threads == 1 else 'threads'}"
    out(shown(f"{planned.source}: {_parts(planned)}; {where}"))
    out()
    header = [
        "candidate", "input", "parameters", "an epoch", "epochs", "in all", "memory", "options"
    ]  # fmt: skip
    out(shown(table(header, [_cells(one) for one in planned.estimates]), lines=True))
    out()
    out("Options go behind:")
    out(shown(f"  striate train {shlex.join(words)}".rstrip()))
    out()
    for line in _notes(planned):
        out(line)


def _parts(planned: Planned) -> str:
    return f"about {planned.training:,} pictures to train on, {planned.validation:,} for validation"


def _cells(one: Estimate) -> list[str]:
    import shlex

    return [
        one.name,
        f"{one.channels}×{one.height}×{one.width}",
        f"{one.parameters:,}",
        _about(one.epoch),
        str(one.epochs),
        _about(one.total),
        f"about {one.memory / MEBIBYTE:,.0f} MiB",
        shlex.join(one.words),
    ]


def _about(seconds: float) -> str:
    """Return a time as an estimate.

    >>> _about(0.1234), _about(75)
    ('about 0.12 s', 'about 1:15 min')
    """
    from striate.cli._screen import duration

    return f"about {duration(seconds) if seconds >= 9.5 else f'{seconds:.2g} s'}"


def _notes(planned: Planned) -> list[str]:
    first = planned.estimates[0]
    decoded = (
        "The default finds its decoded pictures in the cache."
        if planned.kept
        else f"Decoding is reckoned from {planned.sample} pictures."
    )
    return [
        f"Timed just now: half of the default's steps took {1000 * first.step_low:.3g} to "
        f"{1000 * first.step_high:.3g} ms.",
        "Other work on this machine makes trainings slower, and stopping early makes them shorter.",
        decoded,
        "Memory is worked out, on top of what the process had in use: weights, optimizer, layers'",
        "outputs for a batch, pictures. How accurate a network gets isn't known before it is trained.",
    ]
