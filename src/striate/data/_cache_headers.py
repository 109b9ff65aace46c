"""Headers of picture files, kept with a store of their pixels: they are read once for each file."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._cache_folder import HEADERS, store_path
from striate.data._cache_key import Stamps, common_folder, paths_of, stamps, store_name
from striate.data._cache_sealed import read_sealed, write_sealed
from striate.data._order import Ids, hash_names
from striate.data._source import Pictures
from striate.errors import DiskError

RULES = 1
"""Version of the rules from a file to what is kept of its header.

It must grow whenever a file may be given another size, number of channels or format than before, or
be refused where it wasn't.
"""


@dataclass(frozen=True, kw_only=True)
class KeptHeaders:
    """What is known of the headers of N picture files; headers that are read are added in place.

    Unreadable files are never known: whether they can be read isn't only up to them.

    Attributes:
        name: of the file that this is kept in, in the folder of any store of the pictures.
        paths: (N,) hashes of absolute paths.
        stamps: (N, 4) of the files before any header was read; zeros where a file is too fresh.
        sizes: (N, 3) int32 height, width and channels; zeros where they aren't known.
        hidden: (N,) uint8, 1 + the place in `FORMATS` of the format that the suffix hides, else 0.
    """

    name: str
    paths: Ids
    stamps: Stamps
    sizes: npt.NDArray[np.int32]
    hidden: npt.NDArray[np.uint8]


def recall_headers(pictures: Pictures, max_pixels: int, below: Path) -> KeptHeaders | None:
    """Return what the stores in this folder know of the pictures; None where not all lie in files.

    Args:
        pictures: N pictures.
        max_pixels: as they are to be read with; what was kept with another limit doesn't count.
        below: the folder of the cache.
    """
    files = paths_of(pictures, np.arange(len(pictures)))
    if not files:
        return None
    kept = KeptHeaders(
        name=_name(common_folder(files), max_pixels),
        paths=hash_names(files),
        stamps=stamps(files),
        sizes=np.zeros((len(files), 3), np.int32),
        hidden=np.zeros(len(files), np.uint8),
    )
    for path in below.glob(f"{store_path(below, '*').name}/{kept.name}"):
        if _recall(kept, path):
            break
    return kept


def keep_headers(kept: KeptHeaders, folder: Path) -> None:
    """Put what is known into the folder of a store, where it isn't there already."""
    rows = np.flatnonzero((kept.sizes[:, 0] > 0) & kept.stamps.any(axis=1))
    rows = rows[np.argsort(kept.paths[rows], kind="stable")]
    arrays = [array[rows] for array in (kept.paths, kept.stamps, kept.sizes, kept.hidden)]
    found = read_sealed(folder / kept.name, len(arrays))
    if found and found[0] == _words() and all(map(np.array_equal, found[1], arrays)):
        return
    # No room for it: the headers are read again next time.
    with suppress(DiskError):
        write_sealed(folder / kept.name, _words(), arrays)


def _recall(kept: KeptHeaders, path: Path) -> bool:
    """Fill in what a file knows; return whether it is as it was written, by these rules."""
    found = read_sealed(path, 4)
    if found is None or found[0] != _words():
        return False
    paths, old, sizes, hidden = found[1]
    if not len(paths):
        return False
    at = np.minimum(np.searchsorted(paths, kept.paths), len(paths) - 1)
    known = (paths[at] == kept.paths) & (old[at] == kept.stamps).all(axis=1)
    known &= kept.stamps.any(axis=1)
    kept.sizes[known], kept.hidden[known] = sizes[at[known]], hidden[at[known]]
    return True


def _words() -> dict[str, int]:
    return {"rules": RULES}


def _name(folder: Path, max_pixels: int) -> str:
    from PIL import __version__

    text = json.dumps({"pillow": __version__, "max_pixels": max_pixels})
    return HEADERS + store_name(text, folder)
