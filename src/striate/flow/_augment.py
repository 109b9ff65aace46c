"""`striate augment`: what augmentation makes of a source's pictures, as a page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data import Augmentation, Source, augment, order
from striate.errors import PictureError, SourceError
from striate.flow._augment_words import MIXES, in_words
from striate.flow._opening import Given, name_of, open_wanted
from striate.flow._prepare import (
    audit_source,
    choose_settings,
    device_kind,
    shape_of,
    split_source,
)
from striate.image import Shape, data_uri
from striate.report._augmented_page import KIND, AugmentedPage, write_augmented
from striate.report._place import check_place
from striate.training import (
    Choice,
    Listener,
    Settings,
    Silent,
    make_settings,
    read_config,
    stopped_at_once,
)
from striate.training import recipe as find_recipe

SHOWN = 8
"""Rows of the page unless the user says how many."""

EPOCHS = 6
"""Versions of each picture."""

PAGE_PICTURE = 128
"""Longest side of the page's pictures, pixels."""

TRY = "--set augmentation.rotation=8 --set augmentation.shift=0.08"
"""What is proposed where no picture is varied: small changes that keep most labels."""

Indices = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Augmented:
    """What `augment_source` found and wrote.

    Attributes:
        page: the HTML page.
        settings: (setting, what it does in words) of all that is on.
        reason: why these settings.
        try_next: options that would vary pictures; "" where they are varied. Mixing alone acts
            on batches.
    """

    page: Path
    settings: tuple[tuple[str, str], ...]
    reason: str
    try_next: str


def augment_source(
    source: Given = "",
    *,
    out: str | Path = "augmented.html",
    rows: int = SHOWN,
    image_size: int | tuple[int, int] | None = None,
    seed: int | None = None,
    recipe: str | None = None,
    config: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    listener: Listener | None = None,
) -> Augmented:
    """Write a page of training pictures beside what each of six epochs would show of them.

    Settings are put together and chosen as `train` does; only the pictures shown are decoded.

    Args:
        source, image_size, seed, recipe, config, settings, listener: as `train` takes them.
        out: the page; an older page of this kind is replaced.
        rows: pictures, at most; chosen by hash of the seed.

    Raises:
        StriateError: one of its kinds; UsageError where `out` is another file.
    """
    told, page = listener or Silent(), Path(out)
    given: dict[str, dict[str, Any]] = {
        "data": {"source": name_of(source) or None, "image_size": image_size},
        "training": {"seed": seed},
    }
    wanted = make_settings(
        find_recipe(recipe).settings if recipe else {},
        read_config(Path(config)) if config else {},
        settings or {},
        {group: {k: v for k, v in keys.items() if v is not None} for group, keys in given.items()},
    )
    check_place(page, KIND)
    with stopped_at_once("Stopped; nothing was written."):
        shown = _show(open_wanted(source, wanted), wanted, rows, told)
    write_augmented(page, shown)
    return Augmented(
        page=page, settings=shown.settings, reason=shown.reason, try_next=shown.try_next
    )


def _show(source: Source, wanted: Settings, rows: int, told: Listener) -> AugmentedPage:
    """Choose what training would, and vary some pictures by it."""
    audit = audit_source(source, wanted, told)
    for sentence in (*source.notes, *audit.warnings):
        told.warn(sentence)
    settings, choices = choose_settings(source, audit, wanted, device_kind(wanted.training.device))
    _refuse_mixing(settings, source)
    train, shape = split_source(source, audit, settings).train, shape_of(settings)
    positions, wide_BHWC = _load_some(source, train, shape, settings, rows, told)
    shown = examples(source, positions, wide_BHWC, settings, shape.margin, size=PAGE_PICTURE)
    words = tuple(in_words(settings.augmentation))
    return AugmentedPage(
        title=source.name,
        facts=_facts(source, train, shape, settings),
        settings=words,
        reason=_reason(wanted, choices),
        mixes=any(key in MIXES for key, _ in words),
        examples=tuple(shown),
        try_next="" if any(example["versions"] for example in shown) else TRY,
    )


def examples(
    source: Source,
    positions: Indices,
    wide_BHWC: Pixels,
    settings: Settings,
    margin: int,
    *,
    size: int,
) -> list[dict[str, Any]]:
    """Return pictures beside their versions in epochs 1 to 6, as results.json keeps them.

    Args:
        source: for names and ids.
        positions: (B,) of the pictures in the source.
        wide_BHWC: uint8 (B, H + 2 margin, W + 2 margin, C), as `Store.take_wide` returns them.
        settings: chosen; without augmentation of single pictures there are no versions.
        margin: pixels at every side that come into view only where something moves.
        size: longest side of the pictures in the result, pixels.
    """
    # Here, because it imports PyTorch.
    from striate.flow._fit import augmentation_of

    ids, seed = source.ids[positions], settings.training.seed

    def pictures(augmentation: Augmentation, epoch: int) -> list[str]:
        made = augment(wide_BHWC, augmentation, seed=seed, epoch=epoch, ids=ids, margin=margin)
        return [data_uri(picture, size=size) for picture in made]

    augmentation = augmentation_of(settings)
    originals = pictures(Augmentation(), 0)
    epochs = range(1, EPOCHS + 1) if augmentation else ()
    versions = [pictures(augmentation, epoch) for epoch in epochs if augmentation]
    return [
        {
            "name": source.pictures.name(int(position)),
            "original": originals[row],
            "versions": [each[row] for each in versions],
        }
        for row, position in enumerate(positions)
    ]


def _refuse_mixing(settings: Settings, source: Source) -> None:
    """Raise UsageError where training would refuse how pictures are mixed."""
    # Here, because it imports PyTorch.
    from striate.training._mixing import make_mixing

    make_mixing(settings.augmentation, task=source.answer.task, seed=settings.training.seed)


def _load_some(
    source: Source,
    train: Indices,
    shape: Shape,
    settings: Settings,
    rows: int,
    told: Listener,
) -> tuple[Indices, Pixels]:
    """Return positions (B,), ascending, and wide pictures of the first that can be read.

    They come in the order of their hash: the report's samples are the first of the same order.
    """
    first = order(settings.training.seed + 1, 0, source.ids[train])
    loaded: dict[int, Pixels] = {}
    for position in train[first].tolist():
        if len(loaded) == rows:
            break
        try:
            fitted = source.pictures.load(position, shape.wide, settings.data.max_pixels)
        except PictureError as error:
            told.warn(f"{error.name}: {error.reason}; left out.")
            continue
        loaded[position] = fitted.picture_HWC
    if not loaded:
        raise SourceError(
            f"{source.name}: none of the {len(train):,} training pictures can be read. "
            "striate check tells why."
        )
    positions = np.array(sorted(loaded), np.int64)
    return positions, np.stack([loaded[position] for position in positions.tolist()])


def _reason(wanted: Settings, choices: Iterable[Choice]) -> str:
    """Return why the augmentation is what it is."""
    choice = next(choice for choice in choices if choice.name == "augmentation")
    groups = wanted.augmentation
    given = any(getattr(groups, key) is not None for key, _ in groups if not key.startswith("fill"))
    if choice.value == "none" and given:
        return "as the settings say"
    return f"{choice.reason}; the rest as the settings say" if given else choice.reason


def _facts(
    source: Source, train: Indices, shape: Shape, settings: Settings
) -> tuple[tuple[str, str], ...]:
    margin = f", stored with {shape.margin} px more at every side" if shape.margin else ""
    return (
        ("source", f"{source.name}: {len(train):,} training pictures"),
        ("input", f"{shape.height}×{shape.width} px, {shape.rule}{margin}"),
        ("seed", str(settings.training.seed)),
    )
