"""What a look at all stored pixels found, kept with the store for the next time."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from striate.data._cache_folder import LOOKS
from striate.data._cache_sealed import read_sealed, write_sealed
from striate.data._check_pixels import pixel_findings
from striate.data._duplicate import Duplicates
from striate.data._duplicate_groups import Ints
from striate.data._duplicates import find_duplicates
from striate.data._source import Finding, Progress, Source
from striate.data._store import Store
from striate.errors import DiskError

RULES = 1
"""Version of the rules from stored pixels to what is kept.

It must grow whenever `find_duplicates` or `pixel_findings` may tell something else of the same
pixels than before: other groups, other findings, other sentences.
"""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What stored pixels tell by themselves, whatever their targets and parts are.

    Attributes:
        duplicates: groups of pictures that are the same (`find_duplicates`).
        findings: what is odd about pixels (`pixel_findings`).
    """

    duplicates: Duplicates
    findings: tuple[Finding, ...]


def look_at_pixels(
    stored: Store,
    source: Source,
    positions: Ints,
    *,
    threads: int = 2,
    largest: int | None = None,
    progress: Progress | None = None,
) -> Looks:
    """Compare the pictures at `positions` with each other, and look for odd ones.

    Where the store is kept, so is the result, and it is taken from there the next time: for the same
    names and contents in the same order. The arguments are those of `find_duplicates`.
    """
    folder = stored.folder
    words = _words(stored, source, positions, largest) if folder else {}
    known = _recalled(folder / LOOKS, words) if folder else None
    if known is not None:
        return known
    looks = Looks(
        duplicates=find_duplicates(
            stored, source, positions, threads=threads, largest=largest, progress=progress
        ),
        findings=pixel_findings(source, stored, positions),
    )
    if folder:
        saved = {
            "duplicates": looks.duplicates.to_json(),
            "findings": [asdict(finding) for finding in looks.findings],
        }
        # No room for it: it is found again next time.
        with suppress(DiskError):
            write_sealed(folder / LOOKS, words | saved, [])
    return looks


def _words(
    stored: Store, source: Source, positions: Ints, largest: int | None
) -> dict[str, int | str]:
    """Return all that decides on the result; settings and folder are in the store's name."""
    try:
        opencv = version("opencv-python-headless")
    except PackageNotFoundError:
        opencv = ""
    names = [source.pictures.name(position) for position in positions.tolist()]
    contents = sha256(json.dumps(names).encode())
    contents.update(positions.astype(np.int64).tobytes())
    contents.update(stored.digests[positions].tobytes())
    return {
        "rules": RULES,
        "numpy": np.__version__,
        "opencv": opencv,
        "contents": contents.hexdigest(),
        # A limit that is far away decides nothing.
        "largest": -1 if largest is None or len(positions) <= largest else largest,
    }


def _recalled(path: Path, words: dict[str, int | str]) -> Looks | None:
    """Return what is kept, where the same things decided on it."""
    found = read_sealed(path, 0)
    if found is None or any(found[0].get(key) != value for key, value in words.items()):
        return None
    try:
        return Looks(
            duplicates=Duplicates.from_json(found[0]["duplicates"]),
            findings=tuple(map(_finding, found[0]["findings"])),
        )
    except (KeyError, TypeError, ValueError):
        # Whole, but of another version.
        return None


def _finding(saved: dict[str, Any]) -> Finding:
    return Finding(**(saved | {"positions": tuple(saved["positions"])}))
