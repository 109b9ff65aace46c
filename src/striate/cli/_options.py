"""Options that several commands have, with one wording, and the settings that they make.

Typer 0.28 has no group of parameters: each command lists its own, and each is written once, here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

Source = Annotated[
    str,
    typer.Argument(help="Pictures, as `striate train` takes them. May stand in --config instead."),
]
Network = Annotated[
    str | None,
    typer.Option(
        help="A name of `striate networks`, or layers on one line or in a YAML file "
        "(docs/networks.md); by default fit to the data."
    ),
]
Recipe = Annotated[str | None, typer.Option(help="Published settings by name (docs/training.md).")]
BatchSize = Annotated[int | None, typer.Option(help="Pictures per step.")]
ImageSize = Annotated[
    str | None, typer.Option(metavar="N|HxW", help="The network's input in pixels.")
]
Task = Annotated[str | None, typer.Option(help="classification, multi-label or regression.")]
Target = Annotated[
    list[str] | None,
    typer.Option(help="Column of a table to predict; may be given several times."),
]
Group = Annotated[
    str | None, typer.Option(help="Column whose values are kept in one part by the split.")
]
Images = Annotated[
    Path | None, typer.Option(help="Folder in which a table's pictures are looked for.")
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN|train=FILE,val=FILE,test=FILE",
        help="A column that names each row's part, or files with one name a line.",
    ),
]
DataFolder = Annotated[
    Path | None, typer.Option(help="Where named data sets lie (also: STRIATE_DATA).")
]
AllowUnreadable = Annotated[
    bool, typer.Option("--allow-unreadable", help="Go on with over 20 % unreadable pictures.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first fault (docs/check.md).")]
Channels = Annotated[
    str | None,
    typer.Option(
        metavar="1|3|red|green|blue",
        help="Grey, colour, or one channel of colour; by default 1 where every picture is grey.",
    ),
]
Exclude = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Leave out the pictures named in this file, one a line (docs/check.md).",
    ),
]
MaxPixels = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Larger pictures are refused before they are decoded; by default as in the training.",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Of everything random; 0 by default.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads; by default all.")]
Page = Annotated[
    Path, typer.Option(metavar="FILE.html", help="The page; an older one is replaced.")
]
Config = Annotated[
    Path | None, typer.Option(help="YAML file of settings, such as a run's config.yaml.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="GROUP.KEY=VALUE", help="Any other setting (docs/settings.md)."),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Don't keep decoded pictures for the next run.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document to stdout, the rest to stderr.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only the result.")]


def read_data(
    *,
    image_size: str | None = None,
    task: str | None = None,
    target: Sequence[str] | None = None,
    images: Path | None = None,
    group: str | None = None,
    split: str | None = None,
    channels: str | None = None,
    exclude: Path | None = None,
    no_cache: bool = False,
    data_folder: Path | None = None,
    allow_unreadable: bool = False,
    strict: bool = False,
) -> dict[str, Any]:
    """Return the options on data as the settings' group `data`; what wasn't given isn't in it.

    Raises UsageError for a size or a split that can't be read.
    """
    return given(
        {
            "image_size": read_image_size(image_size),
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
    )


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {key: value for key, value in options.items() if value not in (None, [])}


def read_settings(assignments: Sequence[str] | None, **groups: dict[str, Any]) -> dict[str, Any]:
    """Return the tree of settings of `--set` and, over it, of groups such as `data`.

    Raises UsageError for an assignment that can't be read.
    """
    from striate.training import merge, parse_assignments

    named = {name: keys for name, keys in groups.items() if keys}
    return merge(parse_assignments(assignments or []), named)


def read_channels(text: str | None) -> str | int | None:
    """Read "1" and "3" as numbers; the settings refuse what is no channel."""
    return int(text) if text is not None and text.isdecimal() else text


def read_split(text: str | None) -> str | dict[str, Path] | None:
    """Read a column's name, or "train=a.txt,val=b.txt,test=c.txt"; raise UsageError."""
    from striate.errors import UsageError, nearest

    if text is None or "=" not in text:
        return text
    files = {}
    for piece in text.split(","):
        part, equals, file = piece.partition("=")
        known = ("train", "val", "validation", "test")
        if not equals or part.strip() not in known:
            raise UsageError(
                f"--split: '{piece}' isn't one of train=FILE, val=FILE, test=FILE."
                f"{nearest(part, known)}"
            )
        files[part.strip()] = Path(file)
    return files


def read_image_size(text: str | None) -> int | tuple[int, int] | None:
    """Read "128" or "96x128" (height x width)."""
    from striate.errors import UsageError

    if text is None:
        return None
    numbers = text.lower().split("x")
    if not all(part.isdecimal() for part in numbers) or len(numbers) not in (1, 2):
        raise UsageError(
            f"--image-size expects pixels, as in 128, or 96x128 (height x width); it got '{text}'."
        )
    sizes = [int(part) for part in numbers]
    return sizes[0] if len(sizes) == 1 else (sizes[0], sizes[1])
