"""Which pictures transfer.py trains on and judges: folds, few of each class, a sample of CIFAR-10."""

import csv
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDS = 5
CIFAR_TEST = 200
"""Test pictures of each class: of all 10,000 each one goes through a network of 224 px."""


@dataclass(frozen=True)
class Divided:
    """Pictures below `root` to train on, and others to judge; a picture's folder is its class."""

    root: Path
    train: tuple[Path, ...]
    test: tuple[Path, ...]


def folds(ants_bees: Path, *, seed: int) -> list[Divided]:
    """Return all photographs in 5 folds, each judged once; each class is dealt out evenly.

    The placeholder among them, a GIF that shows nothing, is left out, as ImageFolder does.
    """
    rng = np.random.default_rng(seed)
    shuffled = [
        [of_class[at] for at in rng.permutation(len(of_class))]
        for of_class in _by_class(ants_bees.glob("*/*/*.jp*g"))
    ]
    dealt = [path for of_class in shuffled for path in of_class]
    return [
        Divided(
            ants_bees,
            train=tuple(path for at, path in enumerate(dealt) if at % FOLDS != fold),
            test=tuple(dealt[fold::FOLDS]),
        )
        for fold in range(FOLDS)
    ]


def few(ants_bees: Path, of_each: int, *, seed: int) -> Divided:
    """Return so many pictures of each class of train/, judged on all of val/."""
    return Divided(
        ants_bees,
        train=_sample(ants_bees.glob("train/*/*.jp*g"), of_each, seed),
        test=tuple(sorted(ants_bees.glob("val/*/*.jp*g"))),
    )


def cifar(root: Path, of_each: int, *, seed: int) -> Divided:
    """Return so many pictures of each class of what was unpacked, judged on all test pictures."""
    return Divided(
        root,
        train=_sample(root.glob("train/*/*.jp*g"), of_each, seed),
        test=tuple(sorted(root.glob("test/*/*.jpg"))),
    )


def unpack_cifar(archive: Path, root: Path, of_each: int, *, seed: int) -> None:
    """Unpack so many training pictures of each class, and the test pictures, for `cifar`."""
    with zipfile.ZipFile(archive) as zipped:
        names = [Path(name) for name in zipped.namelist() if name.endswith(".jpg")]
        train = _sample((one for one in names if one.parts[0] == "train"), of_each, seed)
        test = _sample((one for one in names if one.parts[0] == "test"), CIFAR_TEST, seed)
        zipped.extractall(root, [one.as_posix() for one in (*train, *test)])


def _by_class(paths: Iterable[Path]) -> list[list[Path]]:
    classes: dict[str, list[Path]] = {}
    for path in sorted(paths):
        classes.setdefault(path.parent.name, []).append(path)
    return [classes[name] for name in sorted(classes)]


def _sample(paths: Iterable[Path], of_each: int, seed: int) -> tuple[Path, ...]:
    """Return `of_each` pictures of each class; a smaller number gives the first of a larger one."""
    rng = np.random.default_rng(seed)
    return tuple(
        of_class[at]
        for of_class in _by_class(paths)
        for at in rng.permutation(len(of_class))[:of_each]
    )


def as_lists(divided: Divided, folder: Path) -> list[str]:
    """Write a table and two lists; return them as words of `striate train`.

    All cases of one root share its pictures' kept pixels and features.
    """
    folder.mkdir(parents=True)
    parts = {"train": divided.train, "test": divided.test}
    lists = {part: folder / f"{part}.txt" for part in parts}
    for part, paths in parts.items():
        names = [path.relative_to(divided.root).as_posix() for path in paths]
        lists[part].write_text("\n".join(names) + "\n", encoding="utf-8")
    with (folder / "pictures.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "label"])
        for path in sorted((*divided.train, *divided.test)):
            rows.writerow([path.relative_to(divided.root).as_posix(), path.parent.name])
    split = ",".join(f"{part}={file}" for part, file in lists.items())
    return [str(folder / "pictures.csv"), "--images", str(divided.root), "--split", split]


def as_links(divided: Divided, folder: Path) -> None:
    """Write train/<class>/ and test/<class>/ with a link to each picture, for ImageFolder."""
    for part, paths in (("train", divided.train), ("test", divided.test)):
        _link(paths, folder / part)


def _link(paths: Sequence[Path], folder: Path) -> None:
    for path in paths:
        link = folder / path.parent.name / f"{path.parent.parent.name}-{path.name}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
