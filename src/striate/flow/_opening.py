"""From settings to the opened source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.data import Source, SourceOptions, exclude, open_source
from striate.errors import UsageError
from striate.training import Settings

Given = str | Path | Mapping[str, Any] | tuple[Any, Any] | Source


def name_of(source: Given) -> str:
    """Return what `data.source` is set to: "" for arrays and sources that are open already."""
    return str(source) if isinstance(source, (str, Path)) else ""


def open_wanted(source: Given, settings: Settings) -> Source:
    """Open `data.source`, or the arrays or Source given instead, without what `data.exclude` names.

    Raises:
        UsageError: there is no source.
        SourceError: it can't be opened.
    """
    where = source if not isinstance(source, (str, Path)) else settings.data.source
    if isinstance(where, str) and not where:
        raise UsageError(
            "Name a source: a folder, a CSV, an .npz, or a data set (striate datasets)."
        )
    opened = open_source(where, source_options(settings))
    left_out = settings.data.exclude
    return opened if left_out is None else exclude(opened, left_out)


def source_options(settings: Settings) -> SourceOptions:
    """Return how the settings want a source to be read."""
    data = settings.data
    given = data.split
    names = {"val": "validation"}
    return SourceOptions(
        images=data.images,
        target=tuple(data.target),
        group=data.group,
        split={names.get(k, k): v for k, v in given.items()} if isinstance(given, dict) else given,
        task=data.task,
        data_folder=data.data_folder,
        seed=settings.training.seed,
    )
