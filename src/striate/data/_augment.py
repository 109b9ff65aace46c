"""Random changes of training pictures, a pure function of seed, epoch and sample."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Floats
from striate.data._geometry import Pixels, Place, draw_matrices, from_wide, make_warp
from striate.data._noise import make_noise
from striate.data._order import Ids
from striate.data._photometry import Change, make_blur, make_erase, make_recolour
from striate.data._windows import make_windows


def augment(
    pictures_BHWC: Pixels,
    augmentation: Augmentation,
    *,
    seed: int,
    epoch: int,
    ids: Ids,
    threads: int = 1,
    margin: int = 0,
) -> Pixels:
    """Return the pictures as an epoch shows them: a new array, uint8 (B, H, W, C).

    What happens to a sample depends on (seed, epoch, id) alone, not on its neighbours in the
    batch nor on the number of threads. All that moves pixels is one matrix and one bilinear
    interpolation; flips and crops by themselves move pixels exactly.

    Args:
        pictures_BHWC: uint8 (B, H + 2 margin, W + 2 margin, C), as `Store.take_wide` returns them.
        augmentation: what may happen; an inactive one only cuts the margin off.
        seed, epoch: whole numbers.
        ids: uint64 (B,), the samples' (`Source.ids`).
        threads: that work at once.
        margin: pixels at every side that come into view only where something moves.

    Raises:
        ValueError: not one id for each picture, or pictures that are all margin.
    """
    count, *sides, channels = pictures_BHWC.shape
    if len(ids) != count:
        raise ValueError(f"{count} pictures, but {len(ids)} ids; expected one for each.")
    height, width = (side - 2 * margin for side in sides)
    if height < 1 or width < 1:
        raise ValueError(f"A margin of {margin} leaves nothing of {sides[0]}x{sides[1]} pixels.")
    out = np.empty((count, height, width, channels), np.uint8)

    def run(part: slice) -> None:
        draws = Draws(seed=seed, epoch=epoch, ids=ids[part])
        augment_into(out[part], pictures_BHWC[part], augmentation, draws, margin)

    parts = slices(count, threads)
    if len(parts) == 1:
        run(parts[0])
        return out
    with ThreadPoolExecutor(len(parts), "striate-augment") as pool:
        for _ in pool.map(run, parts):
            pass
    return out


def augment_into(
    out_BHWC: Pixels,
    wide: Sequence[Pixels] | Pixels,
    augmentation: Augmentation,
    draws: Draws,
    margin: int,
) -> None:
    """Do as `augment` does, one picture after the other, so that each stays in the CPU's cache."""
    place = _make_place(out_BHWC, augmentation, draws, margin)
    changes = _make_changes(out_BHWC, augmentation, draws)
    for index, (picture, out_HWC) in enumerate(zip(wide, out_BHWC)):
        place(index, picture, out_HWC)
        for change in changes:
            change(index, out_HWC)


def matrices(
    augmentation: Augmentation,
    *,
    seed: int,
    epoch: int,
    ids: Ids,
    height: int,
    width: int,
    margin: int = 0,
) -> Floats:
    """Return float64 (B, 2, 3): where `augment` moves (x, y, 1) of what `Store.take` returns.

    x counts columns, y rows downward; whole numbers are the centres of pixels. `height` and
    `width` are those of the augmented pictures.
    """
    draws = Draws(seed=seed, epoch=epoch, ids=ids)
    return draw_matrices(augmentation, draws, height, width, margin)


def slices(count: int, parts: int) -> list[slice]:
    """Return at most `parts` slices of nearly equal length that cover 0 to count, at least one."""
    number = max(1, min(parts, count))
    return [slice(count * part // number, count * (part + 1) // number) for part in range(number)]


def _make_place(out_BHWC: Pixels, augmentation: Augmentation, draws: Draws, margin: int) -> Place:
    if not augmentation.interpolates:
        return make_windows(augmentation, draws, margin)
    height, width = out_BHWC.shape[1:3]
    matrices_B23 = draw_matrices(augmentation, draws, height, width, margin)
    return make_warp(from_wide(matrices_B23, margin), augmentation, out_BHWC.shape)


def _make_changes(out_BHWC: Pixels, augmentation: Augmentation, draws: Draws) -> list[Change]:
    """Return what happens to a picture after it was moved, in this order."""
    _, height, width, channels = out_BHWC.shape
    changes = []
    if augmentation.blur:
        changes.append(make_blur(augmentation, draws))
    if augmentation.recolours:
        changes.append(make_recolour(augmentation, draws, channels))
    if augmentation.noise:
        changes.append(make_noise(augmentation, draws))
    if augmentation.erase:
        changes.append(make_erase(augmentation, draws, height, width))
    return changes
