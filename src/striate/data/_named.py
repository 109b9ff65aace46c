"""Opening a data set by its name: embedded, found in a data folder, or downloaded once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._arrays import parts_source, refuse_table_options
from striate.data._digits import digits
from striate.data._fetch import Opener, from_net, md5_of
from striate.data._find import find_or_fetch
from striate.data._idx import idx_md5, read_pairs
from striate.data._registry import REGISTRY, NamedFile, NamedSource
from striate.data._source import Source, SourceOptions
from striate.errors import SourceError, unknown


def named_sources() -> tuple[NamedSource, ...]:
    """Return all data sets that can be opened by name."""
    return REGISTRY


def is_named(name: str) -> bool:
    """Return True where `name` is a data set's name."""
    return any(each.name == name for each in REGISTRY)


def open_named(name: str, options: SourceOptions, opener: Opener = from_net) -> Source:
    """Return a named data set.

    Its files are looked for in the data folder (`options.data_folder`, else STRIATE_DATA, else
    the user's cache), at the places that `NamedSource.folders` lists, plain or gzipped, and
    downloaded there where they are missing and that is allowed.

    Args:
        name: one of `named_sources`.
        options: `data_folder`, `download` and `task` are used.
        opener: opens a URL; another one for tests.

    Raises:
        SourceError: no such name, or files that can't be found, fetched or read.
    """
    chosen = next((each for each in REGISTRY if each.name == name), None)
    if chosen is None:
        raise SourceError(unknown("data set", name, [each.name for each in REGISTRY]))
    refuse_table_options(options, f"'{name}' is a data set of its own")
    read = _read(chosen, options, opener)
    source = parts_source(
        read.pictures,
        read.targets,
        classes=read.classes,
        options=options,
        name=name,
        kind="named",
        notes=read.notes,
    )
    return replace(
        source,
        licence=chosen.licence,
        citation=chosen.citation,
        orientation_matters=chosen.orientation_matters,
    )


@dataclass(frozen=True, kw_only=True)
class _Read:
    """Arrays by part, names of the classes where they aren't numbers, and notes."""

    pictures: Mapping[str, npt.NDArray[np.uint8]]
    targets: Mapping[str, npt.NDArray[Any]]
    classes: tuple[str, ...] | None = None
    notes: list[str] = field(default_factory=list)


def _read(chosen: NamedSource, options: SourceOptions, opener: Opener) -> _Read:
    if not chosen.files:
        pictures, targets = digits()
        return _Read(pictures=pictures, targets=targets)
    paths = find_or_fetch(chosen, options, opener)
    if len(paths) > 1:
        return _read_idx(chosen, paths)
    from striate.data._cifar import CIFAR10, CIFAR100, read_cifar

    archive = paths[0]
    cifar = read_cifar(archive, CIFAR10 if chosen.name == "cifar10" else CIFAR100)
    notes = [] if md5_of(archive) == chosen.files[0].md5 else [_not_published(archive)]
    return _Read(pictures=cifar.pictures, targets=cifar.targets, classes=cifar.classes, notes=notes)


def _read_idx(chosen: NamedSource, paths: list[Path]) -> _Read:
    notes: list[str] = []
    pictures, labels = read_pairs(paths[0].parent, notes)
    arrays = [
        array for part in pictures for array in (pictures[part][..., 0], labels[part])
    ]  # in the order of `files`: training images and labels, then test
    for file, path, array in zip(chosen.files, paths, arrays, strict=True):
        if not _is_published(file, path, array):
            notes.append(_not_published(path))
    return _Read(pictures=pictures, targets=labels, classes=chosen.class_names, notes=notes)


def _is_published(file: NamedFile, path: Path, array: npt.NDArray[np.uint8]) -> bool:
    if file.content_md5:
        return idx_md5(array) == file.content_md5
    return md5_of(path) == file.md5


def _not_published(path: Path) -> str:
    return f"{path} is not the published file, by its hash; it was used because its form is right."
