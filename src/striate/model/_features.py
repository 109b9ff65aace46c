"""A backbone on ONNX Runtime: from pixels to features."""

import numpy as np

from striate.errors import ModelError
from striate.model._session import INPUT, Floats32, Pixels, letters, open_session

FEATURES = "features"

BATCH = 8
"""Pictures in one run, always: a picture's features then don't depend on how many there are."""


class Backbone:
    """A file from uint8 pictures to float32 features; safe to run from several threads.

    Args:
        data: the ONNX file's bytes.
        name: its name in messages.
        threads: for one run; None: one per core.

    Raises ModelError where the file is no ONNX network.
    """

    def __init__(self, data: bytes, *, name: str, threads: int | None = None) -> None:
        self._name = name
        self._session = open_session(data, name, threads)

    def run(self, pictures_NHWC: Pixels) -> Floats32:
        """Return features (N, F) of at most `BATCH` pictures (N, H, W, C).

        Raises ModelError where the network fails or gives numbers that aren't finite.
        """
        count = len(pictures_NHWC)
        missing = np.broadcast_to(pictures_NHWC[:1], (BATCH - count, *pictures_NHWC.shape[1:]))
        with letters(f"{self._name}: the backbone fails"):
            (features_NF,) = self._session.run(
                [FEATURES], {INPUT: np.concatenate([pictures_NHWC, missing])}
            )
        if not np.isfinite(features_NF).all():
            raise ModelError(f"{self._name}: the backbone gives numbers that aren't finite.")
        found: Floats32 = features_NF[:count]
        return found
