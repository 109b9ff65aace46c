"""Features of pictures: each picture goes through a frozen backbone once, and never again."""

import hashlib
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from striate.data import Store, keep_features, read_features
from striate.flow._facts import Told
from striate.flow._kept_backbone import KeptBackbone
from striate.flow._prepare import Prepared
from striate.model import BATCH
from striate.training import Listener

Floats32 = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]

PLAIN = "plain"
MIRRORED = "mirrored"
"""The variants of a picture."""


def features_by(
    backbone: KeptBackbone, prepared: Prepared, told: Told
) -> Callable[[Positions, str], Floats32]:
    """Return a function from positions and a variant to features, as `features_of`."""
    return partial(
        features_of,
        backbone,
        prepared.store,
        threads=prepared.settings.training.threads,
        listener=told.listener,
    )


def features_of(
    backbone: KeptBackbone,
    stored: Store,
    positions: Positions,
    variant: str,
    *,
    threads: int | None,
    listener: Listener,
) -> Floats32:
    """Return features (N, F) of the pictures at `positions`, taken from the cache where they are.

    What is new is kept with the store, also where the run is stopped in the middle.
    """
    if not len(positions):
        return np.zeros((0, backbone.features), np.float32)
    digests = stored.digests[positions]
    key = hashlib.sha256(f"{backbone.key} {variant}".encode()).hexdigest()[:32]
    kept = read_features(stored.folder, key) if stored.folder else None
    rows = kept.rows(digests) if kept else np.full(len(positions), -1)
    found = np.zeros((len(positions), backbone.features), np.float32)
    if kept is not None:
        found[rows >= 0] = kept.features_MF[rows[rows >= 0]]
    new = np.flatnonzero(rows < 0)
    if not len(new):
        return found
    done = 0
    what = "Computing features" if variant == PLAIN else f"Computing features, {variant}"
    try:
        runner = backbone.run(threads)
        for start in range(0, len(new), BATCH):
            some = new[start : start + BATCH]
            pictures = stored.take(positions[some])
            found[some] = runner.run(pictures if variant == PLAIN else pictures[:, :, ::-1])
            done = start + len(some)
            listener.progress(what, done, len(new))
    finally:
        if stored.folder and done:
            keep_features(stored.folder, key, digests[new[:done]], found[new[:done]])
    return found
