"""Random changes of training pictures, a pure function of seed, epoch and sample."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from striate.data._augmentation import Augmentation
from striate.data._draws import Draws, Floats
from striate.data._geometry import Pixels, draw_matrices, move, warp
from striate.data._order import Ids
from striate.data._photometry import erase, recolour


def augment(
    pictures_BHWC: Pixels,
    augmentation: Augmentation,
    *,
    seed: int,
    epoch: int,
    ids: Ids,
    threads: int = 1,
) -> Pixels:
    """Return the pictures as an epoch shows them: a new array, uint8 (B, H, W, C).

    What happens to a sample depends on (seed, epoch, id) alone, not on its neighbours in the
    batch nor on the number of threads. All that moves pixels is one matrix and one bilinear
    interpolation; flips and crops by themselves move pixels exactly.
    """
    if len(ids) != len(pictures_BHWC):
        raise ValueError(
            f"{len(pictures_BHWC)} pictures, but {len(ids)} ids; expected one for each."
        )
    out = np.empty(pictures_BHWC.shape, np.uint8)
    count = max(1, min(threads, len(ids)))
    bounds = np.linspace(0, len(ids), count + 1).astype(int).tolist()
    parts = [slice(*pair) for pair in pairwise(bounds)]

    def run(part: slice) -> None:
        draws = Draws(seed=seed, epoch=epoch, ids=ids[part])
        _augment(pictures_BHWC[part], augmentation, draws, out[part])

    if count == 1:
        run(parts[0])
        return out
    with ThreadPoolExecutor(count, "striate-augment") as pool:
        for _ in pool.map(run, parts):
            pass
    return out


def matrices(
    augmentation: Augmentation, *, seed: int, epoch: int, ids: Ids, height: int, width: int
) -> Floats:
    """Return float64 (B, 2, 3): where `augment` moves (x, y, 1) of the store's pictures.

    x counts columns, y rows downward; whole numbers are the centres of pixels.
    """
    return draw_matrices(augmentation, Draws(seed=seed, epoch=epoch, ids=ids), height, width)


def _augment(
    pictures_BHWC: Pixels, augmentation: Augmentation, draws: Draws, out_BHWC: Pixels
) -> None:
    if augmentation.interpolates:
        height, width = pictures_BHWC.shape[1:3]
        warp(
            pictures_BHWC,
            draw_matrices(augmentation, draws, height, width),
            augmentation,
            out_BHWC,
        )
    elif augmentation.moves:
        out_BHWC[...] = move(pictures_BHWC, augmentation, draws)
    else:
        out_BHWC[...] = pictures_BHWC
    if augmentation.recolours:
        recolour(out_BHWC, augmentation, draws)
    if augmentation.erase:
        erase(out_BHWC, augmentation, draws)
