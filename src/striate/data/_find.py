"""Finding the files of a named data set below a data folder, or downloading them."""

import os
from collections.abc import Mapping
from pathlib import Path

from striate.data._fetch import Opener, fetch, md5_of
from striate.data._idx import idx_md5, read_idx
from striate.data._registry import REGISTRY, NamedSource
from striate.data._source import SourceOptions
from striate.data._words import some
from striate.errors import SourceError


def data_folder(options: SourceOptions, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of named data sets: the option, STRIATE_DATA, or the user's cache."""
    if options.data_folder is not None:
        return options.data_folder
    if environment.get("STRIATE_DATA"):
        return Path(environment["STRIATE_DATA"])
    cache = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "striate" / "data"


def find_or_fetch(chosen: NamedSource, options: SourceOptions, opener: Opener) -> list[Path]:
    """Return the files of a data set, in the order of `chosen.files`, all in one folder.

    Raises SourceError, saying which files to put where, when they can't be had.
    """
    root = data_folder(options)
    for below in chosen.folders:
        paths = [_present(root / below, file.name) for file in chosen.files]
        whole = [path for path in paths if path]
        if len(whole) == len(paths) and not _of_another(chosen, whole):
            return whole
    target = root / chosen.name
    if not options.download:
        raise SourceError(_how_to_get(chosen, root, "downloading is switched off"))
    from http.client import HTTPException

    try:
        return [
            _present(target, file.name) or fetch(chosen.url + file.name, file, target, opener)
            for file in chosen.files
        ]
    except (OSError, HTTPException, SourceError) as error:
        why = f"downloading failed ({_reason(error)})"
        raise SourceError(_how_to_get(chosen, root, why)) from None


def _reason(error: Exception) -> str:
    """Return what went wrong in words, without the wrapping that urllib puts around it."""
    inner = getattr(error, "reason", error)
    return str(getattr(inner, "strerror", None) or inner).rstrip(".")


def _present(folder: Path, name: str) -> Path | None:
    """Return a file where it is there, unpacked before packed."""
    plain = [] if name.endswith(".tar.gz") else [folder / name.removesuffix(".gz")]
    return next((path for path in [*plain, folder / name] if os.path.isfile(path)), None)  # noqa: PTH113


def _of_another(chosen: NamedSource, paths: list[Path]) -> bool:
    """Return True where files of the right names belong to another data set by their hash.

    MNIST and Fashion-MNIST call their files alike.
    """
    labels = next((path for path in paths if "train-labels" in path.name), None)
    if labels is None:
        return False
    hashes = {md5_of(labels), idx_md5(read_idx(labels))}
    owners = {
        each.name
        for each in REGISTRY
        for file in each.files
        if hashes & {file.md5, file.content_md5}
    }
    return bool(owners) and chosen.name not in owners


def _how_to_get(chosen: NamedSource, root: Path, why: str) -> str:
    names = some((file.name for file in chosen.files), 8)
    return (
        f"The data set '{chosen.name}' is not in the data folder {root}, and {why}. Put these files "
        f"into {root / chosen.name}: {names} (from {chosen.url}). Another data folder is named by "
        "STRIATE_DATA or --set data.data_folder=FOLDER."
    )
