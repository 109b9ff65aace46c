"""`striate augment`: pictures beside what augmentation makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli._options import DataFolder, Images, read_image_size

if TYPE_CHECKING:
    from striate.flow._augment import Augmented

Names = list[str] | None


def augment(
    source: Annotated[
        str,
        typer.Argument(
            help="Pictures, as `striate train` takes them. May stand in --config instead."
        ),
    ] = "",
    recipe: Annotated[
        str | None, typer.Option(help="Published settings by name (docs/training.md).")
    ] = None,
    image_size: Annotated[
        str | None, typer.Option(metavar="N|HxW", help="The network's input in pixels.")
    ] = None,
    target: Annotated[
        Names, typer.Option(help="Column of a table to predict; may be given several times.")
    ] = None,
    images: Images = None,
    data_folder: DataFolder = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random; 0 by default.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=64, help="Pictures, a row each.")] = 8,
    out: Annotated[
        Path, typer.Option(metavar="FILE.html", help="The page; an older one is replaced.")
    ] = Path("augmented.html"),
    config: Annotated[
        Path | None, typer.Option(help="YAML file of settings, such as a run's config.yaml.")
    ] = None,
    assignments: Annotated[
        Names,
        typer.Option(
            "--set", metavar="GROUP.KEY=VALUE", help="Any other setting (docs/settings.md)."
        ),
    ] = None,
) -> None:
    """Show training pictures beside what training would make of them, as an HTML page.

    Settings are chosen as `striate train` chooses them; each row holds a picture and its versions
    in epochs 1 to 6.
    """
    import sys

    from striate.cli._screen import Screen
    from striate.flow._augment import augment_source
    from striate.training import merge, parse_assignments

    data: dict[str, Any] = {"target": target, "images": images, "data_folder": data_folder}
    given = {"data": {key: value for key, value in data.items() if value not in (None, [])}}
    screen = Screen(sys.stdout)
    _tell(
        augment_source(
            source,
            out=out,
            rows=rows,
            image_size=read_image_size(image_size),
            seed=seed,
            recipe=recipe,
            config=config,
            settings=merge(parse_assignments(assignments or []), given),
            listener=screen,
        )
    )


def _tell(made: Augmented) -> None:
    from striate.cli._output import out, shown

    state = "on" if made.settings else "off"
    out(f"augmentation is {state}: {made.reason}")
    for name, words in made.settings:
        out(f"  {name:<16} {words}")
    if made.try_next:
        out(f"No picture is varied by itself; to see some varied, add: {made.try_next}")
    out(f"page  {shown(str(made.page))}")
