"""What headers tell: sizes, shapes, channels and formats that are unlike the rest."""

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

import numpy as np
import numpy.typing as npt

from striate.data._source import Finding, Source
from striate.data._words import count, some

Mask = npt.NDArray[np.bool_]

_SMALL = 8
# More than this share of all pictures is no exception any more, but what the data are like.
_FEW = 0.05
_MUCH_SMALLER = 4
_MUCH_LONGER = 2.5


def size_findings(
    source: Source, sizes: npt.NDArray[np.int32], readable: Mask
) -> tuple[Finding, ...]:
    """Return what is odd about sizes (N, 3), and formats, of readable pictures (N,)."""
    return (
        *_small(source, sizes, readable),
        *_much_smaller(source, sizes, readable),
        *_much_longer(source, sizes, readable),
        *_channels(source, sizes, readable),
        *_formats(source, readable),
    )


def _small(source: Source, sizes: npt.NDArray[np.int32], readable: Mask) -> Iterable[Finding]:
    small = np.flatnonzero(readable & (sizes[:, :2].min(axis=1) < _SMALL))
    if len(small):
        yield _odd(
            "small",
            f"{count(len(small), 'picture')} with a side under {_SMALL} pixels: "
            f"{_named(source, sizes, small)}.",
            small,
        )


def _much_smaller(
    source: Source, sizes: npt.NDArray[np.int32], readable: Mask
) -> Iterable[Finding]:
    shorter = sizes[:, :2].min(axis=1)
    usual = float(np.median(shorter[readable]))
    odd = np.flatnonzero(readable & (shorter >= _SMALL) & (shorter * _MUCH_SMALLER < usual))
    if _is_few(odd, readable):
        yield _odd(
            "size",
            f"{count(len(odd), 'picture')} much smaller than the rest, whose shorter side has "
            f"{usual:.0f} pixels (median): {_named(source, sizes, odd)}.",
            odd,
        )


def _much_longer(source: Source, sizes: npt.NDArray[np.int32], readable: Mask) -> Iterable[Finding]:
    sides = np.maximum(sizes[:, :2], 1)
    ratio = sides.max(axis=1) / sides.min(axis=1)
    usual = float(np.median(ratio[readable]))
    odd = np.flatnonzero(readable & (ratio > _MUCH_LONGER * usual))
    if _is_few(odd, readable):
        yield _odd(
            "aspect",
            f"{count(len(odd), 'picture')} much longer than wide, or wider than long, than the "
            f"rest, whose sides are as {usual:.2g} to 1 (median): {_named(source, sizes, odd)}.",
            odd,
        )


def _channels(source: Source, sizes: npt.NDArray[np.int32], readable: Mask) -> Iterable[Finding]:
    grey, colour = (np.flatnonzero(readable & (sizes[:, 2] == number)) for number in (1, 3))
    if not len(grey) or not len(colour):
        return
    fewer, what, rest = (
        (grey, "grey", f"{len(colour):,} in colour")
        if len(grey) <= len(colour)
        else (colour, "in colour", f"{len(grey):,} grey ones")
    )
    yield _odd(
        "channels",
        f"{count(len(fewer), 'picture')} {what} among {rest}: {_names(source, fewer)}.",
        fewer,
    )


def _formats(source: Source, readable: Mask) -> Iterable[Finding]:
    """Yield pictures of a rare suffix: a stray file often comes from elsewhere."""
    positions = np.flatnonzero(readable)
    files = [source.pictures.file(int(position)) for position in positions]
    suffixes = ["" if file is None else _format(file) for file in files]
    usual, often = Counter(suffixes).most_common(1)[0]
    odd = positions[[each != usual for each in suffixes]]
    if usual and often >= 20 and _is_few(odd, readable):
        verb = "doesn't" if len(odd) == 1 else "don't"
        yield _odd(
            "format",
            f"{count(often, 'file')} end in {usual}, and {len(odd):,} {verb}: "
            f"{_names(source, odd)}.",
            odd,
        )


def _format(file: PurePath) -> str:
    suffix = file.suffix.lower()
    return {".jpeg": ".jpg", ".tiff": ".tif"}.get(suffix, suffix)


def _is_few(odd: npt.NDArray[np.int64], readable: Mask) -> bool:
    return 0 < len(odd) <= max(1.0, _FEW * int(readable.sum()))


def _odd(kind: str, sentence: str, positions: npt.NDArray[np.int64]) -> Finding:
    return Finding(kind=kind, sentence=sentence, fault=False, positions=tuple(positions.tolist()))


def _names(source: Source, positions: npt.NDArray[np.int64]) -> str:
    return some(map(source.pictures.name, positions.tolist()))


def _named(source: Source, sizes: npt.NDArray[np.int32], positions: npt.NDArray[np.int64]) -> str:
    return some(
        f"{source.pictures.name(position)} ({sizes[position, 0]} × {sizes[position, 1]})"
        for position in positions.tolist()
    )
