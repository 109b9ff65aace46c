"""What the user calls a source, to a `Source`."""

from collections.abc import Mapping
from dataclasses import replace
from os.path import isdir, isfile  # unlike Path's, False for a name that is too long
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer import TASKS
from striate.data._source import Source, SourceOptions
from striate.data._walk import is_picture, suffix
from striate.data._words import readable
from striate.errors import SourceError, UsageError, nearest, unknown

SourceLike = (
    str | Path | Mapping[str, npt.NDArray[Any]] | tuple[npt.NDArray[Any], npt.NDArray[Any]] | Source
)
"""What `open_source` takes."""

_DEFAULT = SourceOptions()


def open_source(source: SourceLike, options: SourceOptions = _DEFAULT) -> Source:
    """Return samples and targets; no picture is decoded.

    Args:
        source: a folder with a subfolder per class; a CSV file; a `.npz` file; a folder of IDX
            files; the name of a data set ("digits", "mnist", ...; a folder of that name is
            written "./digits"); arrays by name; a pair (pictures, targets); or a Source, which is
            returned as it is.
        options: how to read it.

    Raises:
        SourceError: a source that is missing, empty or contradictory.
        UsageError: an option that isn't understood or doesn't fit the source.
    """
    if options.task is not None and options.task not in TASKS:
        raise UsageError(unknown("task", options.task, TASKS))
    if isinstance(source, Source):
        return source
    if isinstance(source, str | Path):
        opened = _open_path(source, options)
        notes = tuple(map(readable, opened.notes))
        return replace(opened, name=readable(opened.name), notes=notes)
    from striate.data._arrays import open_arrays

    arrays = dict(zip(("pictures", "targets"), source)) if isinstance(source, tuple) else source
    if isinstance(source, tuple) and len(source) != 2:
        raise SourceError(f"Expected a pair (pictures, targets), but got {len(source)} arrays.")
    return open_arrays({name: np.asarray(array) for name, array in arrays.items()}, options)


def _open_path(source: str | Path, options: SourceOptions) -> Source:
    from striate.data._named import is_named, open_named

    if isinstance(source, str) and is_named(source):
        return open_named(source, options)
    path = Path(source)
    if isdir(path):  # noqa: PTH112
        return _open_folder(path, options)
    if not isfile(path):  # noqa: PTH113
        raise SourceError(_missing(str(source)))
    return _open_file(path, options)


def _open_folder(path: Path, options: SourceOptions) -> Source:
    from striate.data._folder import open_folder
    from striate.data._idx import idx_files, open_idx

    return open_idx(path, options) if idx_files(path) else open_folder(path, options)


def _open_file(path: Path, options: SourceOptions) -> Source:
    if suffix(path.name) in (".csv", ".tsv", ".txt"):
        from striate.data._table import open_table

        return open_table(path, options)
    if suffix(path.name) == ".npz":
        from striate.data._arrays import open_npz

        return open_npz(path, options)
    what = "a picture" if is_picture(path.name) else "of a kind that can't be a source"
    raise SourceError(
        f"The file {path} is {what}. Expected a folder with a subfolder per class, a CSV file, a "
        ".npz file, a folder of IDX files, or the name of a data set."
    )


def _missing(source: str) -> str:
    from striate.data._named import named_sources

    names = [each.name for each in named_sources()]
    return (
        f"There is no file or folder '{source}', and no data set of that name."
        f"{nearest(source, names)} Data sets: {', '.join(names)}."
    )
