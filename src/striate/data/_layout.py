"""How a folder is laid out: its class folders, alone or below train/, val/ and test/."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from striate.data._source import PARTS, UNDECIDED
from striate.data._walk import entries, is_folder, is_picture, look_below, suffix
from striate.data._words import count, natural_key, part_of, some
from striate.errors import SourceError

_TABLES = (".csv", ".tsv", ".npz")


@dataclass(frozen=True, kw_only=True)
class ClassFolder:
    """One class folder: its name, its part, and its pictures' paths relative to the source."""

    name: str
    part: int
    pictures: tuple[str, ...]


@dataclass
class _Layout:
    """What is found, piece by piece: class folders, and what was passed over."""

    folders: list[ClassFolder] = field(default_factory=list)
    beside: int = 0
    others: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def class_folders(folder: Path) -> tuple[list[ClassFolder], list[str]]:
    """Return the class folders that hold pictures, in natural order, and notes on the rest.

    A folder is divided into parts where all its subfolders are called train, val (valid,
    validation) or test, or where its train/ holds subfolders; any other subfolder is a class.
    Raises SourceError where there is nothing to learn from.
    """
    inside = entries(folder)
    if not inside:
        raise SourceError(
            f"The folder {folder} is empty. Expected one subfolder per class, such as "
            f"{folder.name}/cat/1.jpg."
        )
    names = [entry.name for entry in inside if is_folder(entry)]
    layout = _Layout()
    if _has_parts(folder, names):
        _add_parts(layout, folder, names)
    else:
        _add_classes(layout, folder, "", UNDECIDED)
    _refuse_unusable(folder, layout, [entry.name for entry in inside])
    return [each for each in layout.folders if each.pictures], layout.notes + _passed_over(layout)


def _has_parts(folder: Path, names: list[str]) -> bool:
    parts = [name for name in names if part_of(name) is not None]
    train = [name for name in parts if name.casefold() in ("train", "training")]
    deep = any(is_folder(entry) for name in train for entry in entries(folder / name))
    return deep or (len(parts) > 0 and len(parts) == len(names))


def _add_parts(layout: _Layout, folder: Path, names: list[str]) -> None:
    called: dict[int, str] = {}
    for name in names:
        part = part_of(name)
        if part is None:
            layout.notes.append(
                f"The folder {name}/ was left out: beside train/ only val/ and test/ are parts."
            )
        elif part in called:
            raise SourceError(
                f"The folder {folder} holds both {called[part]}/ and {name}/, and both mean the "
                f"{PARTS[part]} part. Keep one of them."
            )
        else:
            called[part] = name
            _add_classes(layout, folder, f"{name}/", part)


def _add_classes(layout: _Layout, folder: Path, above: str, part: int) -> None:
    for entry in sorted(entries(folder / above), key=lambda entry: natural_key(entry.name)):
        if is_folder(entry):
            below = look_below(folder / above / entry.name)
            layout.others.update(below.others)
            pictures = tuple(f"{above}{entry.name}/{path}" for path in below.pictures)
            layout.folders.append(ClassFolder(name=entry.name, part=part, pictures=pictures))
        elif is_picture(entry.name):
            layout.beside += 1
        else:
            layout.others[suffix(entry.name)] += 1


def _passed_over(layout: _Layout) -> list[str]:
    """Return a note for each kind of thing that was passed over."""
    notes = []
    full = {each.name for each in layout.folders if each.pictures}
    empty = sorted({each.name for each in layout.folders} - full, key=natural_key)
    if empty:
        folders = some(f"{name}/" for name in empty)
        notes.append(f"Left out, because there are no pictures in it: {folders}.")
    if layout.beside:
        pictures = count(layout.beside, "picture")
        notes.append(f"Left out, because a class is a folder's name: {pictures} in no such folder.")
    if layout.others:
        kinds = [f"{kind or 'no suffix'} ({n:,})" for kind, n in sorted(layout.others.items())]
        notes.append(f"Left out, because the suffix is not a picture's: {some(kinds)}.")
    return notes


def _refuse_unusable(folder: Path, layout: _Layout, inside: list[str]) -> None:
    """Raise where no class folder holds pictures, or a single one beside a table."""
    tables = [name for name in inside if suffix(name) in _TABLES]
    hint = f" Or did you mean {folder / tables[0]}?" if tables else ""
    filled = {each.name for each in layout.folders if each.pictures}
    if not filled:
        flat = count(layout.beside, "picture") + ", but no subfolders with pictures"
        raise SourceError(
            f"The folder {folder} holds {flat if layout.beside else 'no pictures'}. Expected one "
            f"subfolder per class, such as {folder.name}/cat/1.jpg.{hint}"
        )
    if hint and len(filled) == 1:
        raise SourceError(
            f"The folder {folder} holds pictures in one subfolder only, {filled.pop()}/. Expected "
            f"one subfolder for each of two or more classes.{hint}"
        )
