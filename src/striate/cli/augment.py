"""`striate augment`: pictures beside what augmentation makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli._options import (
    Assignments,
    Config,
    DataFolder,
    Images,
    ImageSize,
    Page,
    Recipe,
    Seed,
    Source,
    Target,
    read_data,
    read_image_size,
    read_settings,
)

if TYPE_CHECKING:
    from striate.flow._augment import Augmented


def augment(
    source: Source = "",
    recipe: Recipe = None,
    image_size: ImageSize = None,
    target: Target = None,
    images: Images = None,
    data_folder: DataFolder = None,
    seed: Seed = None,
    rows: Annotated[int, typer.Option(min=1, max=64, help="Pictures, a row each.")] = 8,
    out: Page = Path("augmented.html"),
    config: Config = None,
    assignments: Assignments = None,
) -> None:
    """Show training pictures beside what training would make of them, as an HTML page.

    Settings are chosen as `striate train` chooses them; each row holds a picture and its versions
    in epochs 1 to 6.
    """
    import sys

    from striate.cli._screen import Screen
    from striate.flow._augment import augment_source

    data = read_data(target=target, images=images, data_folder=data_folder)
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
            settings=read_settings(assignments, data=data),
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
