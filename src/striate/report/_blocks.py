"""What the page is built from: sections of blocks, each with its own piece of template."""

from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class Legend:
    """One entry of a figure's legend.

    Attributes:
        name: as it came from files, perhaps; `value` is our own words after it.
        style: classes of its colour and dash pattern ("c1 d1").
        mark: "line", "dots" (a line with dots) or "area".
    """

    name: str
    style: str
    mark: str = "line"
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """An inline SVG with a heading and a sentence that says how to read it."""

    kind: ClassVar[str] = "figure"
    title: str
    svg: Markup
    caption: str
    legend: tuple[Legend, ...] = ()
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text; columns named in `numbers` (by position) are set to the right.

    `folded` puts the table in a <details> with the title as its summary.
    """

    kind: ClassVar[str] = "table"
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()
    caption: str = ""
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture of a gallery, with the CSS pixels it is shown at and the lines under it."""

    picture: str
    alt: str
    width: int
    height: int
    pixelated: bool
    lines: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Pictures side by side; `note` says how many were left out."""

    kind: ClassVar[str] = "gallery"
    tiles: tuple[Tile, ...]
    caption: str
    title: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Strips:
    """Rows of pictures under column heads: a picture, then what became of it."""

    kind: ClassVar[str] = "strips"
    head: tuple[str, ...]
    rows: tuple[tuple[Tile, ...], ...]
    caption: str
    title: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Card:
    """The figures of one part, its main one large."""

    part: str
    value: str
    name: str
    lines: tuple[str, ...]
    main: bool = False


@dataclass(frozen=True, kw_only=True)
class Cards:
    """Headline figures, side by side."""

    kind: ClassVar[str] = "cards"
    cards: tuple[Card, ...]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Names with their values and, where there is one, the reason."""

    kind: ClassVar[str] = "terms"
    terms: tuple[tuple[str, str, str], ...]
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Warnings:
    """Sentences that a reader must not miss."""

    kind: ClassVar[str] = "warnings"
    sentences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Code:
    """Text to copy, with a sentence before it; long ones are folded."""

    kind: ClassVar[str] = "code"
    title: str
    text: str
    caption: str = ""
    folded: bool = False


Block = Figure | Table | Gallery | Strips | Cards | Terms | Warnings | Code


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page with a heading; without blocks it is left out."""

    key: str
    title: str
    intro: str = ""
    blocks: tuple[Block, ...] = field(default=())
