"""Options that several commands have, with one wording."""

from pathlib import Path
from typing import Annotated

import typer

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
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Don't keep decoded pictures for the next run.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document to stdout, the rest to stderr.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only the result.")]


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
