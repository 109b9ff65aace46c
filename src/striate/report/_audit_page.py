"""The page of `striate check`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from striate.report._blocks import Block, Section, Terms, Tile, Warnings
from striate.report._page import page
from striate.report._pictures import gallery, tile
from striate.report._place import write_page
from striate.report._words import percent, plain

KIND = "check"
"""What the page is, in a word."""

SIDE = 112
"""CSS pixels of a picture."""


@dataclass(frozen=True, kw_only=True)
class ShownPicture:
    """A picture as a PNG data URI, with its name and what there is to say about it."""

    uri: str
    name: str
    lines: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ShownFinding:
    """A finding with some of its pictures."""

    title: str
    sentence: str
    pictures: tuple[ShownPicture, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AuditPage:
    """What the page shows.

    Attributes:
        title: the source's name.
        facts: (name, value, reason or "").
        faults, oddities: findings at which `--strict` stops, and the rest.
        labels: pictures whose labels are probably wrong; None where they weren't looked for.
        label_notes: how good the model is that doubts them.
    """

    title: str
    facts: Sequence[tuple[str, str, str]]
    faults: Sequence[ShownFinding]
    oddities: Sequence[ShownFinding]
    labels: Sequence[ShownPicture] | None = None
    label_notes: str = ""


def write_audit(path: Path, shown: AuditPage) -> None:
    """Write the page: one file, no script, nothing that is fetched.

    Raises:
        UsageError: another file would be replaced.
        DiskError: it can't be written.
    """
    write_page(path, render(shown), KIND)


def render(shown: AuditPage) -> str:
    """Return the page as text."""
    return page(
        [_facts(shown), _faults(shown), _oddities(shown), _labels(shown)],
        title=plain(shown.title),
        kind=KIND,
        subtitle="What is wrong or odd about the data, before any training",
        origin="the source's pictures",
    )


def _facts(shown: AuditPage) -> Section:
    terms = tuple((name, plain(value), plain(reason)) for name, value, reason in shown.facts)
    return Section(key="data", title="The data", blocks=(Terms(terms=terms),))


def _faults(shown: AuditPage) -> Section:
    none = "Nothing was found that has to be put right."
    intro = "To be put right, or left out by --exclude. With --strict a training stops at them."
    return Section(
        key="faults",
        title="Faults",
        intro=intro if shown.faults else none,
        blocks=_findings(shown.faults) or (Terms(terms=()),),
    )


def _oddities(shown: AuditPage) -> Section:
    return Section(
        key="oddities",
        title="Oddities",
        intro="Worth a look; they may well be right.",
        blocks=_findings(shown.oddities),
    )


def _findings(findings: Sequence[ShownFinding]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for finding in findings:
        tiles = _tiles(finding.pictures)
        sentence = plain(finding.sentence)
        if tiles:
            blocks.append(gallery(tiles, title=finding.title, caption=sentence))
        else:
            blocks.append(Warnings(sentences=(sentence,)))
    return tuple(blocks)


def _labels(shown: AuditPage) -> Section:
    if shown.labels is None:
        return Section(key="labels", title="Labels")
    tiles = _tiles(shown.labels)
    caption = (
        "The least credible first: the class as given, and the class that the model takes the "
        "picture for, with its confidence. Look at each; the model may be wrong."
    )
    return Section(
        key="labels",
        title="Labels that are probably wrong",
        intro=plain(shown.label_notes),
        blocks=(gallery(tiles, caption=caption),) if tiles else (Terms(terms=()),),
    )


def _tiles(pictures: Sequence[ShownPicture]) -> list[Tile]:
    return [
        tile(
            each.uri,
            alt=plain(each.name),
            lines=tuple((name, plain(value)) for name, value in (*each.lines, ("", each.name))),
            side=SIDE,
        )
        for each in pictures
    ]


def doubted(name: str, uri: str, *, given: str, likely: str, confidence: float) -> ShownPicture:
    """Return a picture with the class it has and the one it probably should have."""
    lines = (("given", given), ("likely", likely), ("confidence", percent(confidence)))
    return ShownPicture(uri=uri, name=name, lines=lines)
