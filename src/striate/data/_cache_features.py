"""Features of pictures, kept beside the pixels they were made of."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._cache_folder import FEATURES
from striate.data._cache_key import DIGEST, Digests
from striate.data._cache_sealed import read_sealed, write_sealed
from striate.errors import DiskError

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class KeptFeatures:
    """Features by the digests of pictures (`Store.digests`), which are sorted.

    Attributes:
        digests: uint8 (M, 16), each once.
        features_MF: float32.
    """

    digests: Digests
    features_MF: Floats32

    def rows(self, digests_N: Digests) -> npt.NDArray[np.int64]:
        """Return the row of each of N digests, -1 where there is none."""
        wanted, known = _keys(digests_N), _keys(self.digests)
        if not len(known):
            return np.full(len(wanted), -1)
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[at] == wanted, at, -1)


def read_features(folder: Path, key: str) -> KeptFeatures | None:
    """Return the features kept under a key in a store's folder; None where there are none."""
    found = read_sealed(folder / f"{FEATURES}{key}", 2)
    if found is None:
        return None
    _, (digests, features_MF) = found
    whole = digests.ndim == features_MF.ndim == 2 and len(digests) == len(features_MF)
    return KeptFeatures(digests, features_MF) if whole else None


def keep_features(folder: Path, key: str, digests_N: Digests, features_NF: Floats32) -> None:
    """Keep features with those under the same key already; where the disk is full, none are kept.

    Of the same picture twice, one stays.
    """
    before = read_features(folder, key)
    if before is not None and before.features_MF.shape[1:] == features_NF.shape[1:]:
        digests_N = np.concatenate([before.digests, digests_N])
        features_NF = np.concatenate([before.features_MF, features_NF])
    _, first = np.unique(_keys(digests_N), return_index=True)
    try:
        write_sealed(folder / f"{FEATURES}{key}", {}, [digests_N[first], features_NF[first]])
    except DiskError:
        # They can be made again: a run needn't end for that.
        return


def _keys(digests_N: Digests) -> npt.NDArray[np.bytes_]:
    """Return digests as strings, which sort; of one length, they are equal where the digests are."""
    return np.ascontiguousarray(digests_N).view(f"S{DIGEST}").ravel()
