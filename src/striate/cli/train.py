"""`striate train`: pictures in, a measured model folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli._begun import BEGUN
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
    ImageSize,
    Network,
    NoCache,
    Quiet,
    Recipe,
    Seed,
    Split,
    Strict,
    Target,
    Task,
    Threads,
    given,
    read_data,
    read_image_size,
    read_settings,
)

if TYPE_CHECKING:
    from striate.flow import Run


def train(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder with a subfolder per class, a CSV, an .npz, a folder of IDX files, or the "
            "name of a data set (striate datasets). May stand in --config instead."
        ),
    ] = "",
    network: Network = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="package|timm|timm:NAME|FILE|none",
            help="Pretrained weights (docs/transfer.md); by default an installed package's, for small "
            "data.",
        ),
    ] = None,
    freeze: Annotated[
        bool | None,
        typer.Option(
            "--freeze/--no-freeze",
            help="Keep the pretrained backbone and train the head on its features, computed once.",
        ),
    ] = None,
    fine_tune: Annotated[
        str | None,
        typer.Option(
            metavar="auto|always|never",
            help="After the head, train the whole network; auto: where the validation part says that "
            "it pays.",
        ),
    ] = None,
    recipe: Recipe = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training part.")] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="Instead of epochs: as many steps as let the whole command take so long "
            "(docs/training.md)."
        ),
    ] = None,
    batch_size: BatchSize = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The (largest) learning rate.")
    ] = None,
    image_size: ImageSize = None,
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
    config: Config = None,
    assignments: Assignments = None,
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

    data = read_data(
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
    screen = Screen(sys.stderr if as_json else sys.stdout, quiet=quiet, log_every=log_every)
    run = run_training(
        source,
        network=network,
        recipe=recipe,
        epochs=epochs,
        minutes=minutes,
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
        settings=read_settings(
            assignments,
            data=data,
            network=given({"weights": weights, "freeze": freeze, "fine_tune": fine_tune}),
            training=given({"samples": samples}),
        ),
        listener=screen,
        begun=BEGUN,
    )
    if process():
        return run.exit_code  # process 0 tells what came out
    if as_json:
        print_json(_document(run))
    else:
        _tell(run, apart=screen.apart)
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


def _tell(run: Run, *, apart: bool) -> None:
    """Print what came out, after an empty line where there isn't one already."""
    from striate.cli._output import out, shown

    if not apart:
        out()
    kept = f"; the weights kept are those of epoch {run.best_epoch}" if run.best_epoch else ""
    out(f"{run.stopped}{kept}")
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
