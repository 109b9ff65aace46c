"""`striate lr-find`: a suggestion for the learning rate, from a short test, as a page."""

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
    from striate.flow._lr_find import RateFound

Names = list[str] | None


def lr_find(
    source: Annotated[
        str,
        typer.Argument(
            help="Pictures, as `striate train` takes them. May stand in --config instead."
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
    steps: Annotated[
        int, typer.Option(min=50, help="Steps of the test, from a rate of 1e-6 to 10.")
    ] = 100,
    batch_size: Annotated[int | None, typer.Option(help="Pictures per step.")] = None,
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
    out: Annotated[
        Path, typer.Option(metavar="FILE.html", help="The page; an older one is replaced.")
    ] = Path("lr-find.html"),
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
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Suggest a learning rate from a short test, and show its curve as an HTML page.

    Everything is prepared as `striate train` prepares it; then the rate grows at every step until
    the loss diverges. What was trained is thrown away (docs/lr-find.md).
    """
    import sys

    from striate.cli._output import print_json
    from striate.cli._screen import Screen
    from striate.flow._lr_find import find_rate
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
    found = find_rate(
        source,
        network=network,
        steps=steps,
        out=out,
        batch_size=batch_size,
        image_size=read_image_size(image_size),
        seed=seed,
        device=device,
        threads=threads,
        recipe=recipe,
        config=config,
        settings=merge(parse_assignments(assignments or []), given),
        listener=Screen(sys.stderr if as_json else sys.stdout, quiet=quiet),
    )
    if as_json:
        print_json(_document(found))
    else:
        _tell(found)


def _document(found: RateFound) -> dict[str, Any]:
    return {
        "page": str(found.page),
        "network": found.network,
        "optimizer": found.optimizer,
        "schedule": found.schedule,
        "given": found.given,
        "suggested": found.suggested,
        "constant": found.constant,
        "one_cycle": found.one_cycle,
        "reason": " ".join(found.reasons),
        "rates": found.rates.tolist(),
        "losses": found.losses.tolist(),
        "smoothed": found.smoothed.tolist(),
    }


def _tell(found: RateFound) -> None:
    from striate.cli._output import out, shown

    tested = f"{found.network}, {found.optimizer}, {found.schedule}"
    rate = "none" if found.suggested is None else f"{found.suggested:g}"
    out(shown(f"suggested rate  {rate}  (the settings have {found.given:g}: {tested})"))
    for sentence in found.reasons:
        out(f"  {sentence}")
    if found.suggested is not None:
        out(f"Train with it: --learning-rate {rate}")
    out(f"page  {shown(str(found.page))}")
