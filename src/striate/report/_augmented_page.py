"""The page of `striate augment`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.report._augmented import strips
from striate.report._blocks import Block, Code, Section, Terms
from striate.report._page import page
from striate.report._pictures import gallery, is_picture, tile
from striate.report._place import write_page
from striate.report._words import plain

SIDE = 112
"""CSS pixels of a picture."""

KIND = "augment"


@dataclass(frozen=True, kw_only=True)
class AugmentedPage:
    """What the page shows.

    Attributes:
        title: the source's name.
        facts: (name, value) of the source and its pictures.
        settings: (setting, what it does in words) of all that is on.
        reason: why these settings.
        mixes: whether batches are mixed, which the pictures don't show.
        examples: as in results.json under `augmented`; without versions where nothing is varied.
        try_next: options that would vary the pictures; "" where they are varied.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    reason: str
    mixes: bool
    examples: Sequence[dict[str, Any]]
    try_next: str


def write_augmented(path: Path, shown: AugmentedPage) -> None:
    """Write the page: one file, no script, nothing that is fetched.

    Raises:
        UsageError: another file would be replaced.
        DiskError: it can't be written.
    """
    write_page(path, render(shown), KIND)


def render(shown: AugmentedPage) -> str:
    """Return the page as text."""
    return page(
        [_settings(shown), _pictures(shown)],
        title=plain(shown.title),
        kind=KIND,
        subtitle="What augmentation makes of training pictures",
        origin="the source's training pictures",
    )


def _settings(shown: AugmentedPage) -> Section:
    facts = ((name, plain(value), "") for name, value in shown.facts)
    state = ("augmentation", "on" if shown.settings else "off", shown.reason)
    blocks: list[Block] = [Terms(terms=(*facts, state))]
    if shown.settings:
        terms = tuple((name, said, "") for name, said in shown.settings)
        blocks.append(Terms(title="What is varied", terms=terms))
    if shown.try_next:
        blocks.append(
            Code(
                title="To vary the pictures",
                text=shown.try_next,
                caption="No picture is varied by itself. Add options such as these, or any other "
                "setting under augmentation in docs/settings.md; striate train takes the same.",
            )
        )
    return Section(
        key="settings",
        title="Settings",
        intro="Every number is a limit: how far a picture is changed is drawn anew for each picture "
        "and epoch, from the seed.",
        blocks=tuple(blocks),
    )


def _pictures(shown: AugmentedPage) -> Section:
    examples = [{**each, "name": plain(each["name"])} for each in shown.examples]
    return Section(
        key="pictures",
        title="Pictures",
        intro="Mixing isn't shown: it is done to whole batches, in the training step."
        if shown.mixes
        else "",
        blocks=(_originals(examples) if shown.try_next else strips(examples, side=SIDE),),
    )


def _originals(examples: Sequence[dict[str, Any]]) -> Block:
    tiles = [
        tile(each["original"], alt=each["name"], lines=(("", each["name"]),), side=SIDE)
        for each in examples
        if is_picture(each["original"])
    ]
    caption = "No picture is varied: every epoch shows these as they are."
    return gallery(tiles, caption=caption)
