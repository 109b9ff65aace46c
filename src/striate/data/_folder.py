"""A folder with a subfolder per class, with or without train/, val/ and test/ above them."""

from pathlib import Path

import numpy as np

from striate.answer import Classification
from striate.data._files import FilePictures
from striate.data._given import parts_from_lists, unlisted
from striate.data._layout import class_folders
from striate.data._order import hash_names
from striate.data._source import UNDECIDED, Source, SourceOptions
from striate.data._words import are_characters, natural_key, readable
from striate.errors import SourceError, UsageError


def open_folder(folder: Path, options: SourceOptions) -> Source:
    """Return the pictures of a folder; the class of a picture is the name of its subfolder.

    Everything below a class folder belongs to the class. Classes stand in natural order ("9"
    before "10").

    Raises SourceError (see `class_folders`), and UsageError for an option that isn't for folders.
    """
    _refuse_table_options(folder, options)
    found, notes = class_folders(folder)
    paths = [path for each in found for path in each.pictures]
    sizes = [len(each.pictures) for each in found]
    classes = [readable(each.name) for each in found]
    names = tuple(sorted(set(classes), key=natural_key))
    targets = np.repeat([names.index(each) for each in classes], sizes)
    parts = np.repeat([each.part for each in found], sizes)
    if isinstance(options.split, dict):
        parts = parts_from_lists(options.split, paths, folder)
        listed = np.flatnonzero(parts != UNDECIDED)
        notes += unlisted(len(paths) - len(listed))
        paths, targets, parts = [paths[i] for i in listed], targets[listed], parts[listed]
    name = folder.resolve().name
    return Source(
        name=name,
        kind="folder",
        pictures=FilePictures(paths, folder=folder),
        ids=hash_names(paths),
        answer=Classification(names),
        targets=targets.astype(np.int64),
        parts=parts.astype(np.int8),
        reason=f"the folder `{name}` has a subfolder per class → classification; use a CSV file "
        "for numbers or several labels per picture",
        notes=tuple(notes),
        orientation_matters=are_characters(names),
    )


def _refuse_table_options(folder: Path, options: SourceOptions) -> None:
    given = {
        "--target": bool(options.target),
        "--group": options.group is not None,
        "--images": options.images is not None,
        "--split COLUMN": isinstance(options.split, str),
    }
    wrong = [option for option, is_given in given.items() if is_given]
    if wrong:
        raise UsageError(
            f"{wrong[0]} is for a CSV file, but {folder} is a folder. Leave the option out, or "
            "name a CSV file as the source."
        )
    if options.task not in (None, "classification"):
        raise SourceError(
            f"The folder {folder} gives each picture one class, but {options.task} needs numbers or "
            "labels for every picture. Use a CSV file with an image column."
        )
