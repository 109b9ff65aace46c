"""`striate lr-find`: a suggestion for the learning rate, from a short test, as a page."""

from __future__ import annotations

from pathlib import Path
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
    ImageSize,
    Network,
    NoCache,
    Page,
    Quiet,
    Recipe,
    Seed,
    Source,
    Split,
    Strict,
    Target,
    Task,
    Threads,
    read_data,
    read_image_size,
    read_settings,
)

if TYPE_CHECKING:
    from striate.flow._lr_find import RateFound


def lr_find(
    source: Source = "",
    network: Network = None,
    recipe: Recipe = None,
    steps: Annotated[
        int, typer.Option(min=50, help="Steps of the test, from a rate of 1e-6 to 10.")
    ] = 100,
    batch_size: BatchSize = None,
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
    out: Page = Path("lr-find.html"),
    config: Config = None,
    assignments: Assignments = None,
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
        settings=read_settings(assignments, data=data),
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
