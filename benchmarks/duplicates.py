"""Near duplicates: precision and recall on planted copies, what CIFAR-10 holds, and the time.

python benchmarks/duplicates.py --data FOLDER

FOLDER holds `ants_bees/` and `cifar10.zip`. Each picture with a copy has one, of one kind; the search
is run without the rules that hold near duplicates back (48 px, 2 %), which such data would break.
"""

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageOps

from harness import main
from striate.data import open_source, store
from striate.data._duplicate_groups import numbered
from striate.data._duplicates import find_duplicates
from striate.data._fingerprint import fingerprints, pixel_digests
from striate.data._similar_search import search
from striate.flow._conditions import machine, versions
from striate.image import Shape, load

Picture = Image.Image
Pixels = npt.NDArray[np.uint8]
EVERYTHING = 10**12  # pictures of which 2 % are never reached


def inner(picture: Picture, share: float) -> Picture:
    """Return the picture without `share` of its width and height, half of it at every side."""
    width, height = picture.size
    x, y = width * share / 2, height * share / 2
    return picture.crop((round(x), round(y), round(width - x), round(height - y)))


def corner(picture: Picture, share: float) -> Picture:
    """Return the picture without `share` of its width at the left and of its height at the top."""
    width, height = picture.size
    return picture.crop((round(width * share), round(height * share), width, height))


def halved(picture: Picture) -> Picture:
    """Return the picture at half its size."""
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BICUBIC)


# What is done to the picture, and the JPEG quality it is kept with.
COPIES: dict[str, tuple[Callable[[Picture], Picture], int]] = {
    "quality 50": (lambda picture: picture, 50),
    "resized by half": (halved, 90),
    "cropped 5 %, every side": (lambda picture: inner(picture, 0.05), 90),
    "cropped 10 %, every side": (lambda picture: inner(picture, 0.10), 90),
    "cropped 5 %, one corner": (lambda picture: corner(picture, 0.05), 90),
    "10 % brighter": (lambda picture: ImageEnhance.Brightness(picture).enhance(1.1), 90),
    "10 % darker": (lambda picture: ImageEnhance.Brightness(picture).enhance(0.9), 90),
    "flipped": (ImageOps.mirror, 90),
    "flipped, cropped 5 %, quality 50": (lambda p: inner(ImageOps.mirror(p), 0.05), 50),
}


def copied(picture: Picture, kind: str) -> bytes:
    """Return a copy of a picture as a JPEG file."""
    change, quality = COPIES[kind]
    data = io.BytesIO()
    change(picture).save(data, "JPEG", quality=quality)
    return data.getvalue()


def ants_bees(folder: Path) -> Iterator[Picture]:
    """Yield the 397 photographs, not the placeholder."""
    for file in sorted((folder / "ants_bees").rglob("*.jpg")):
        yield Image.open(file).convert("RGB")


def cifar(folder: Path, part: str = "") -> Iterator[bytes]:
    """Yield the files of CIFAR-10, of one part or all, in the order of their names."""
    with ZipFile(folder / "cifar10.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".jpg") and part in name:
                yield archive.read(name)


def fitted(data: bytes, size: int) -> Pixels:
    """Return a file's pixels as the store has them."""
    return load(data, Shape(height=size, width=size, channels=3), name="a copy").picture_HWC


def encoded(picture: Picture) -> bytes:
    """Return a picture as a file without loss."""
    data = io.BytesIO()
    picture.save(data, "BMP")
    return data.getvalue()


def near_pairs(pictures_NHWC: Pixels) -> tuple[npt.NDArray[np.int64], float]:
    """Return the pairs found among pictures of which none has the pixels of another, and seconds."""
    height, width = pictures_NHWC.shape[1:3]
    source = open_source((pictures_NHWC, np.arange(len(pictures_NHWC)) % 2))
    stored = store(source, Shape(height=height, width=width, channels=3))
    begun = time.perf_counter()
    looks = numbered(pixel_digests(stored, np.arange(len(pictures_NHWC))))
    rows = np.sort(np.unique(looks, return_index=True)[1])
    found = search(stored, rows, fingerprints(stored, rows), total=EVERYTHING)
    return rows[found.pairs], time.perf_counter() - begun


def judged(originals: Sequence[Picture], size: int) -> dict[str, Any]:
    """Plant copies of every other original, find them, and return recall per kind and precision."""
    kinds = list(COPIES)
    pictures = [fitted(encoded(picture), size) for picture in originals]
    truth: dict[tuple[int, int], str] = {}
    for index in range(0, len(originals), 2):
        kind = kinds[index // 2 % len(kinds)]
        truth[index, len(pictures)] = kind
        pictures.append(fitted(copied(originals[index], kind), size))
    pairs, seconds = near_pairs(np.stack(pictures))
    found = {(int(one), int(other)) for one, other in pairs}
    recall = {}
    for kind in kinds:
        planted = {pair for pair, which in truth.items() if which == kind}
        recall[kind] = f"{len(planted & found)} of {len(planted)}"
    print("not planted:", sorted(found - truth.keys()), file=sys.stderr)
    return {
        "originals": len(originals),
        "planted": len(truth),
        "found": len(found),
        "recall": round(len(found & truth.keys()) / len(truth), 4),
        "recall_per_kind": recall,
        "precision": round(len(found & truth.keys()) / max(1, len(found)), 4),
        "not_planted": len(found - truth.keys()),
        "seconds": round(seconds, 2),
    }


def line(name: str, note: str, figures: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a benchmark."""
    head = {"name": name, "date": date.today().isoformat(), "note": note}
    return head | figures | {"machine": machine(), "versions": versions()}


def planted_ants_bees(arguments: argparse.Namespace) -> dict[str, Any]:
    """Copies among the ants and bees, stored at 224 and at 64 px."""
    originals = list(ants_bees(arguments.data))
    figures = {f"{size} px": judged(originals, size) for size in (224, 64)}
    return line("planted-ants-bees", "each picture with a copy has one", figures)


def planted_cifar(arguments: argparse.Namespace) -> dict[str, Any]:
    """Copies among the 10,000 test pictures of CIFAR-10, at their 32 px."""
    originals = [Image.open(io.BytesIO(data)) for data in cifar(arguments.data, "test/")]
    note = "under 48 px near duplicates don't act; for pairs not planted see genuine-cifar10"
    return line("planted-cifar10", note, judged(originals, 32))


def genuine_cifar(arguments: argparse.Namespace) -> dict[str, Any]:
    """What all 60,000 pictures of CIFAR-10 hold."""
    files = list(cifar(arguments.data))
    pictures = np.stack([fitted(data, 32) for data in files])
    tests = sum(1 for _ in cifar(arguments.data, "test/"))
    pairs, seconds = near_pairs(pictures)
    in_test = pairs < tests  # "test" sorts before "train"
    sheet = Path(tempfile.gettempdir()) / "cifar10-pairs.png"
    contact_sheet(pictures, pairs, in_test).save(sheet)
    print(f"Pairs across train and test, to be looked at: {sheet}", file=sys.stderr)
    figures = {
        "pictures": len(pictures),
        "pairs": len(pairs),
        "pictures_matched": len(np.unique(pairs)),
        "pairs_across_train_and_test": int((in_test.sum(axis=1) == 1).sum()),
        "test_pictures_with_a_train_picture": len(
            np.unique(pairs[in_test & (in_test.sum(axis=1) == 1)[:, None]])
        ),
        "seconds": round(seconds, 2),
    }
    return line("genuine-cifar10", "near duplicates made to act at 32 px", figures)


def contact_sheet(
    pictures_NHWC: Pixels, pairs: npt.NDArray[np.int64], in_test: npt.NDArray[np.bool_]
) -> Picture:
    """Return up to 200 of the pairs across train and test, drawn at random, 10 in a row."""
    across = pairs[in_test.sum(axis=1) == 1]
    drawn = np.random.default_rng(0).permutation(across)[:200]
    sheet = Image.new("RGB", (10 * 144, 20 * 72), "white")
    for index, pair in enumerate(drawn):
        for side, position in enumerate(pair):
            large = Image.fromarray(pictures_NHWC[position]).resize((64, 64))
            sheet.paste(large, (index % 10 * 144 + side * 66, index // 10 * 72))
    return sheet


def times(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds of `find_duplicates` as a training calls it, beside those of storing the pictures."""
    figures: dict[str, Any] = {}
    for size in (256, 64):
        source = open_source(arguments.data / "ants_bees")
        figures[f"ants and bees, {size} px"] = timed(source, size, arguments.runs)
    pictures = np.stack([fitted(data, 32) for data in cifar(arguments.data)])
    source = open_source((pictures, np.arange(len(pictures)) % 10))
    figures["CIFAR-10, 32 px"] = timed(source, 32, arguments.runs)
    larger = np.stack([fitted(data, 64) for data in cifar(arguments.data, "test/")])
    source = open_source((larger, np.arange(len(larger)) % 10))
    figures["10,000 of CIFAR-10 enlarged to 64 px"] = timed(source, 64, arguments.runs)
    return line("times", f"median of {arguments.runs} runs, 2 threads", figures)


def timed(source: Any, size: int, runs: int) -> dict[str, Any]:
    """Return what `find_duplicates` takes, and what it says."""
    begun = time.perf_counter()
    with store(source, Shape(height=size, width=size, channels=3)) as stored:
        storing = time.perf_counter() - begun
        lost = [one.position for one in stored.unreadable]
        positions = np.setdiff1d(np.arange(len(source)), lost)
        taken, processor = [], []
        for _ in range(runs):
            begun, worked = time.perf_counter(), time.process_time()
            found = find_duplicates(stored, source, positions)
            taken.append(time.perf_counter() - begun)
            processor.append(time.process_time() - worked)
    return {
        "pictures": len(positions),
        "seconds": round(median(taken), 3),
        "fastest": round(min(taken), 3),
        "slowest": round(max(taken), 3),
        "cpu_seconds": round(median(processor), 3),
        "seconds_of_storing": round(storing, 2),
        "groups": len(found.groups),
        "near_acted": found.near_acted,
        "reason": found.reason,
    }


if __name__ == "__main__":
    main(
        "duplicates",
        {
            "planted-ants-bees": planted_ants_bees,
            "planted-cifar10": planted_cifar,
            "genuine-cifar10": genuine_cifar,
            "times": times,
        },
    )
