"""`striate train`: pictures in, a measured model folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli._options import (
    AllowUnreadable,
    AsJson,
    Channels,
    DataFolder,
    Exclude,
    Images,
    NoCache,
    Quiet,
    Split,
    Strict,
    read_channels,
    read_image_size,
    read_split,
)

if TYPE_CHECKING:
    from striate.flow import Run

Names = list[str] | None


def train(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder with a subfolder per class, a CSV, an .npz, a folder of IDX files, or the "
            "name of a data set (striate datasets). May stand in --config instead."
        ),
    ] = "",
    network: Annotated[
        str | None,
        typer.Option(
            help="A name of `striate networks`, or layers on one line or in a YAML file "
            "(docs/networks.md); by default fit to the data."
        ),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Published settings by name (docs/training.md).")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training part.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures per step.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The (largest) learning rate.")
    ] = None,
    image_size: Annotated[
        str | None, typer.Option(metavar="N|HxW", help="The network's input in pixels.")
    ] = None,
    channels: Channels = None,
    task: Annotated[
        str | None, typer.Option(help="classification, multi-label or regression.")
    ] = None,
    target: Annotated[
        Names, typer.Option(help="Column of a table to predict; may be given several times.")
    ] = None,
    images: Images = None,
    group: Annotated[
        str | None, typer.Option(help="Column whose values are kept in one part by the split.")
    ] = None,
    split: Split = None,
    exclude: Exclude = None,
    data_folder: DataFolder = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random; 0 by default.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads; by default all.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for run folders.")] = Path("runs"),
    name: Annotated[
        str | None, typer.Option(help="Name of the run folder; by default the source's, numbered.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Go on with a run that was stopped or killed, with its own settings "
            "(docs/checkpoints.md).",
        ),
    ] = None,
    allow_inexact: Annotated[
        bool,
        typer.Option(
            "--allow-inexact", help="Resume also where versions, machine or pictures have changed."
        ),
    ] = False,
    config: Annotated[
        Path | None, typer.Option(help="YAML file of settings, such as a run's config.yaml.")
    ] = None,
    assignments: Annotated[
        Names,
        typer.Option(
            "--set", metavar="GROUP.KEY=VALUE", help="Any other setting (docs/settings.md)."
        ),
    ] = None,
    allow_unreadable: AllowUnreadable = False,
    strict: Strict = False,
    no_cache: NoCache = False,
    samples: Annotated[
        str | None,
        typer.Option(
            metavar="own|synthetic|none",
            help="Pictures put in the model folder to verify it with: some of yours (the default), "
            "noise, or none.",
        ),
    ] = None,
    log_every: Annotated[int, typer.Option(min=0, help="Print a line every N steps; 0: none.")] = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Train a network on pictures, measure it, and write a model folder.

    SOURCE alone is enough: the task, network, sizes and settings are chosen from the data, and
    every choice is printed with its reason.
    """
    import sys

    from striate._launch import process
    from striate.cli._output import print_json
    from striate.cli._screen import Screen
    from striate.flow import train as run_training
    from striate.training import merge, parse_assignments

    data: dict[str, Any] = {
        "task": task,
        "target": target,
        "images": images,
        "group": group,
        "split": read_split(split),
        "channels": read_channels(channels),
        "exclude": exclude,
        "cache": False if no_cache else None,
        "data_folder": data_folder,
        "allow_unreadable": allow_unreadable or None,
        "strict": strict or None,
    }
    given = {"data": {key: value for key, value in data.items() if value not in (None, [])}}
    if samples is not None:
        given["training"] = {"samples": samples}
    screen = Screen(sys.stderr if as_json else sys.stdout, quiet=quiet, log_every=log_every)
    run = run_training(
        source,
        network=network,
        recipe=recipe,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        image_size=read_image_size(image_size),
        seed=seed,
        device=device,
        threads=threads,
        out=out,
        name=name,
        config=config,
        resume=resume,
        allow_inexact=allow_inexact,
        settings=merge(parse_assignments(assignments or []), given),
        listener=screen,
    )
    if process():
        return run.exit_code  # process 0 tells what came out
    if as_json:
        print_json(_document(run))
    else:
        _tell(run)
    return run.exit_code


def _document(run: Run) -> dict[str, Any]:
    return {
        "folder": str(run.folder),
        "model": str(run.model),
        "report": str(run.report),
        "best_epoch": run.best_epoch,
        "stopped": run.stopped,
        "samples": list(run.samples),
        "parts": run.metrics,
    }


def _tell(run: Run) -> None:
    from striate.cli._output import out, shown

    out()
    out(f"{run.stopped}; the weights kept are those of epoch {run.best_epoch}")
    for part, sentence in run.sentences.items():
        sample = "  (on a sample)" if run.metrics[part].get("sampled") else ""
        out(f"{part + ':':<12} {sentence}{sample}")
    if run.samples:
        out(
            f"The model folder holds {len(run.samples)} of your pictures, small, without metadata, to"
        )
        out(f"verify it with: {', '.join(shown(name) for name in run.samples)}")
        out("(--samples synthetic or none keeps them out)")
    out(f"report       {run.report}")
    out(f"model        {run.model}")
