"""What stored pixels tell: pictures without content, too dark or too bright to show any."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from striate.data._source import Finding, Source
from striate.data._store import Store
from striate.data._words import count, some

Positions = npt.NDArray[np.int64]
Grey = npt.NDArray[np.uint8]

_BLOCK = 512
# Pixels of a picture that are looked at first, at most; candidates are then looked at in full.
_GRID = 16
_SAME = 2
_NEARLY = 8
_FLAT, _MAYBE_FLAT = 0.9, 0.75
_DARK, _BRIGHT = 32, 224
_EDGE = 0.02


def pixel_findings(source: Source, stored: Store, positions: Positions) -> tuple[Finding, ...]:
    """Return what is odd about stored pictures, as the network sees them.

    - "blank": one colour all over (levels differ by 2 at most).
    - "flat": 90 % of the pixels have one colour (a range of 8 grey levels), where half of the pictures
      don't even have it in half of their pixels. Placeholders for missing pictures are such; digits
      on an even ground aren't, as all are alike in that.
    - "dark", "bright": 98 % of the pixels are below level 32, or above 224.

    Args:
        source: for names.
        stored: its pictures.
        positions: (M,) pictures to look at: all that can be taken.
    """
    if not len(positions):
        return ()
    spread, low, high, wide, narrow = _all_levels(
        _blocks(stored, positions, grid=True), _MAYBE_FLAT
    )
    flat_data = float(np.median(narrow)) <= _NEARLY
    suspect = (spread <= 4 * _NEARLY) | (high < 2 * _DARK) | (low > 255 - 2 * (255 - _BRIGHT))
    if not flat_data:
        suspect |= wide <= 2 * _NEARLY
    candidates = positions[suspect]
    if not len(candidates):
        return ()
    spread, low, high, wide, _ = _all_levels(_blocks(stored, candidates, grid=False), _FLAT)
    blank = spread <= _SAME
    flat = ~blank & (wide <= _NEARLY) & (not flat_data)
    dark = ~blank & ~flat & (high < _DARK)
    bright = ~blank & ~flat & (low > _BRIGHT)
    masks = (
        ("blank", blank, "of one colour all over"),
        ("flat", flat, f"of one colour in {_FLAT:.0%} of the area or more, unlike the rest"),
        ("dark", dark, "nearly black all over"),
        ("bright", bright, "nearly white all over"),
    )
    found = ((kind, words, candidates[mask]) for kind, mask, words in masks if mask.any())
    return tuple(_finding(source, kind, words, odd) for kind, words, odd in found)


def _finding(source: Source, kind: str, words: str, odd: Positions) -> Finding:
    verb = "is" if len(odd) == 1 else "are"
    names = some(map(source.pictures.name, odd.tolist()))
    return Finding(
        kind=kind,
        sentence=f"{count(len(odd), 'picture')} {verb} {words}: {names}. Is there anything to see?",
        fault=kind == "blank",
        positions=tuple(odd.tolist()),
    )


def _blocks(stored: Store, positions: Positions, *, grid: bool) -> Iterator[Grey]:
    """Yield pixels (B, H, W, C) block by block: all, or every so many of each side."""
    down = max(1, -(-stored.shape.height // _GRID)) if grid else 1
    across = max(1, -(-stored.shape.width // _GRID)) if grid else 1
    for start in range(0, len(positions), _BLOCK):
        yield stored.take(positions[start : start + _BLOCK])[:, ::down, ::across]


def _all_levels(blocks: Iterator[Grey], share: float) -> Grey:
    """Return five rows (5, M) on pictures in blocks.

    Largest less smallest level of any channel; the grey levels that 2 % of the pixels lie below, and
    above; the smallest range of grey levels that holds a share, and half, of the pixels.
    """
    return np.concatenate([_levels(block, share) for block in blocks], axis=1)


def _levels(pictures_BHWC: Grey, share: float) -> Grey:
    number, channels = len(pictures_BHWC), pictures_BHWC.shape[3]
    pixels_BPC = pictures_BHWC.reshape(number, -1, channels)
    spread = (pixels_BPC.max(axis=1) - pixels_BPC.min(axis=1)).max(axis=1)
    sorted_BP = np.sort(_grey(pixels_BPC), axis=1)
    last = sorted_BP.shape[1] - 1
    edge = int(_EDGE * last)
    low, high = sorted_BP[:, edge], sorted_BP[:, last - edge]
    return np.stack([spread, low, high, _range(sorted_BP, share), _range(sorted_BP, 0.5)])


def _grey(pixels_BPC: Grey) -> Grey:
    """Return luma (B, P), ITU-R BT.601 in 256ths."""
    if pixels_BPC.shape[2] == 1:
        return pixels_BPC[..., 0]
    weights = np.array([77, 150, 29], np.uint16)
    luma: Grey = (pixels_BPC.astype(np.uint16) @ weights >> 8).astype(np.uint8)
    return luma


def _range(sorted_BP: Grey, share: float) -> Grey:
    """Return the smallest range of levels that holds a share of each row's pixels."""
    apart = min(sorted_BP.shape[1] - 1, int(np.ceil(share * sorted_BP.shape[1])) - 1)
    gaps = sorted_BP[:, apart:] - sorted_BP[:, : sorted_BP.shape[1] - apart]
    smallest: Grey = gaps.min(axis=1)
    return smallest
