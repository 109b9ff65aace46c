"""Opening a data set by its name: embedded, found in a data folder, or downloaded once."""

import os
from dataclasses import replace
from pathlib import Path

from striate.data._arrays import parts_source, refuse_table_options
from striate.data._cifar import CIFAR10, CIFAR100, read_cifar
from striate.data._digits import digits
from striate.data._fetch import Opener, fetch, from_net, md5_of
from striate.data._idx import read_pairs
from striate.data._registry import REGISTRY, NamedFile, NamedSource
from striate.data._source import Source, SourceOptions
from striate.errors import SourceError, unknown

_CIFAR = {"cifar10": CIFAR10, "cifar100": CIFAR100}


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
    notes: list[str] = []
    pictures, targets, classes = _arrays(chosen, options, notes, opener)
    source = parts_source(
        pictures,
        targets,
        classes=classes,
        options=options,
        name=name,
        kind="named",
        notes=notes,
    )
    return replace(
        source,
        licence=chosen.licence,
        citation=chosen.citation,
        orientation_matters=chosen.orientation_matters,
    )
