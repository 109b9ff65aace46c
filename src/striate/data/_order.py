"""Randomness that depends on counters only: same seed, epoch and sample, same number, anywhere.

The mixing function is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014): a bijection of 64 bits.
"""

import unicodedata
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.uint64]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_KEYS = 0xD6E8FEB86659FD93  # any odd number: what matters is that ids aren't mixed with it

# First key of each use, so that no two uses see the same numbers.
ORDER = 1
AUGMENTATION = 2


def hash_ids(*keys: int, ids: Ids) -> Ids:
    """Return a 64-bit hash of (keys, id) for every id: uint64, the shape of `ids`.

    Keys are whole numbers, taken modulo 2^64; their order counts. For fixed keys, different ids
    have different hashes, and a key doesn't do what the same number as an id does: keys are shifted
    by a constant before they meet the ids, so that `hash_ids(a, ids=b)` isn't `hash_ids(b, ids=a)`.
    """
    return mix_with(np.uint64(mix_keys(*keys)), ids)


def mix_keys(*keys: int) -> int:
    """Return what `mix_with` needs to hash ids under these keys."""
    return _mix_one(_fold(keys) ^ _KEYS)


def mix_with(mixed_keys: Ids | np.uint64, ids: Ids) -> Ids:
    """Return `hash_ids` for keys that were mixed before; both arguments are broadcast."""
    return _mix(_mix(ids) ^ mixed_keys)


def uniform(*keys: int, ids: Ids) -> npt.NDArray[np.float64]:
    """Return a number in [0, 1) for every id, evenly distributed over multiples of 2^-53."""
    return to_unit(hash_ids(*keys, ids=ids))


def to_unit(hashes: Ids) -> npt.NDArray[np.float64]:
    """Return 64-bit hashes as numbers in [0, 1), multiples of 2^-53."""
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53


def order(seed: int, epoch: int, ids: Ids) -> npt.NDArray[np.int64]:
    """Return the positions 0 to len(ids) - 1 in the order of an epoch: int64, a permutation.

    Samples are sorted by their hash, so that one sample more or less moves no other relative to
    the rest. Equal ids stay in the order given.
    """
    return np.argsort(hash_ids(ORDER, seed, epoch, ids=ids), kind="stable")


def hash_name(name: str) -> int:
    """Return the 64-bit hash of a path: BLAKE2b of its NFC form with "/" between the parts.

    The same file has the same hash on every system, whether its name came composed or not.
    """
    path = name.replace("\\", "/")
    composed = path if path.isascii() else unicodedata.normalize("NFC", path)
    # File names that aren't UTF-8 reach Python as lone surrogates.
    digest = blake2b(composed.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def hash_names(names: Iterable[str]) -> Ids:
    """Return the hashes of many paths: uint64 (N,)."""
    return np.fromiter((hash_name(name) for name in names), np.uint64)


def _mix(values: Ids) -> Ids:
    mixed = values + np.uint64(_GOLDEN)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_FIRST)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_SECOND)
    return mixed ^ (mixed >> np.uint64(31))


def _mix_one(value: int) -> int:
    mixed = (value + _GOLDEN) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * _FIRST) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * _SECOND) & _MASK
    return mixed ^ (mixed >> 31)


def _fold(keys: Iterable[int]) -> int:
    folded = 0
    for key in keys:
        folded = _mix_one(folded ^ (key & _MASK))
    return folded
