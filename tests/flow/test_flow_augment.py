"""`striate augment` as a function: the pictures are those that training would see."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import striate
from pictures import save, stripes, write_folder
from report.report_page import Page
from striate.data import Augmentation, Batches, open_source, split, store
from striate.errors import SourceError, UsageError
from striate.flow._augment import Augmented, augment_source, examples
from striate.flow._augment_words import in_words
from striate.image import Shape
from striate.training import Silent, make_settings
from striate.training._settings import AugmentationSettings

VARIED = {"rotation": 12.0, "horizontal_flip": True, "brightness": 0.3}


class Ear(Silent):
    """Remembers the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)


def pixels(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    picture = np.asarray(Image.open(io.BytesIO(data)))
    return picture if picture.ndim == 3 else picture[..., None]


def rows_of(page: Path) -> list[list[np.ndarray]]:
    """Return the pictures of a page with six versions each, a row for each original."""
    images = [pixels(e.attributes["src"]) for e in Page(page.read_text("utf-8")).all("img")]
    return [images[start : start + 7] for start in range(0, len(images), 7)]


def show(source: Any, out: Path, **options: Any) -> Augmented:
    return augment_source(source, out=out / "page.html", **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "stripes", each=10)


def test_the_versions_are_what_the_batches_of_training_show(folder: Path, tmp_path: Path) -> None:
    settings = {"augmentation": VARIED}
    made = show(folder, tmp_path, rows=5, seed=3, settings=settings)
    source = open_source(folder)
    train = split(source, validation=0.2, seed=3).train
    augmentation = Augmentation(shift=0.1, **VARIED)
    batches = Batches(
        store(source, Shape(height=16, width=16, channels=3)),
        targets=source.targets,
        ids=source.ids,
        positions=train,
        batch_size=len(train),
        seed=3,
        augmentation=augmentation,
        shuffle=True,
    )
    rows = rows_of(made.page)
    stored = {batches.store[p].tobytes(): p for p in train.tolist()}
    shown = [stored[row[0].tobytes()] for row in rows]
    assert len(shown) == 5 and shown == sorted(shown)
    for epoch in range(1, 7):
        batch = batches.batch(epoch, 0)
        for position, row in zip(shown, rows, strict=True):
            expected = batch.pictures_BHWC[batch.positions.tolist().index(position)]
            np.testing.assert_array_equal(row[epoch], expected)


def test_margins_come_into_view_only_in_versions() -> None:
    wide = np.random.default_rng(0).integers(0, 256, (2, 20, 20, 3), np.uint8)
    source = open_source((wide[:, 2:-2, 2:-2], np.arange(2)))
    keys = set(AugmentationSettings.model_fields) - {"fill", "fill_value"}
    off = {key: False if "flip" in key else 0 for key in keys}
    settings = make_settings({"augmentation": {**off, "crop": 2}})
    rows = examples(source, np.arange(2), wide, settings, 2, size=64)
    for row, picture in zip(rows, wide, strict=True):
        windows = {picture[y : y + 16, x : x + 16].tobytes() for y in range(5) for x in range(5)}
        np.testing.assert_array_equal(pixels(row["original"]), picture[2:-2, 2:-2])
        versions = [pixels(each).tobytes() for each in row["versions"]]
        assert len(versions) == 6 and set(versions) <= windows and len(set(versions)) > 2
    assert [row["name"] for row in rows] == ["row 0", "row 1"]


def test_the_page_repeats_and_follows_the_seed(folder: Path, tmp_path: Path) -> None:
    first = show(folder, tmp_path / "a").page.read_text("utf-8")
    assert show(folder, tmp_path / "b", seed=0).page.read_text("utf-8") == first
    assert show(folder, tmp_path / "c", seed=1).page.read_text("utf-8") != first


def test_settings_come_from_recipe_config_and_options(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"data: {{source: {folder}, image_size: 12}}\naugmentation: {{shear: 5}}\n")
    made = show("", tmp_path, config=config, settings={"augmentation": {"shear": 7.0}})
    assert dict(made.settings)["shear"] == "upright lines lean by up to 7° to either side"
    assert made.reason == "small pictures: mirrored and shifted; the rest as the settings say"
    assert rows_of(made.page)[0][0].shape == (12, 12, 3)
    again = show("", tmp_path, config=config, image_size=(10, 14), recipe="cnn3", rows=1)
    assert rows_of(again.page)[0][3].shape == (10, 14, 3)


def test_regression_is_not_varied_and_the_page_says_how(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "angles.csv"
    with table.open("w", newline="") as file:
        names = [path.relative_to(folder) for path in sorted(folder.rglob("*.png"))]
        csv.writer(file).writerows(
            [("picture", "angle"), *((name, len(str(name)) + i) for i, name in enumerate(names))]
        )
    options: dict[str, Any] = {"data": {"images": str(folder), "target": ["angle"]}}
    made = show(table, tmp_path, settings=options)
    assert (made.settings, made.reason) == (
        (), "numbers may depend on position, angle or brightness: nothing is varied"
    )  # fmt: skip
    page = Page(made.page.read_text("utf-8"))
    assert len(page.all("img")) == 8
    assert [e.text for e in page.all("code")] == [made.try_next]
    words = made.try_next.replace("--set ", "").split()
    given = {pair.split("=")[0].split(".")[1]: float(pair.split("=")[1]) for pair in words}
    on = show(table, tmp_path, settings={**options, "augmentation": given})
    assert on.try_next == "" and on.reason == "as the settings say"
    assert [key for key, _ in on.settings] == ["rotation", "shift", "fill"]
    with pytest.raises(UsageError, match=r"augmentation\.cutmix is 1, but the task is regression"):
        show(table, tmp_path, settings={**options, "augmentation": {"cutmix": 1.0}})
    mixed = show(table, tmp_path, settings={**options, "augmentation": {"mixup": 0.2}})
    assert [key for key, _ in mixed.settings] == ["mixup"] and mixed.try_next == made.try_next


def test_pictures_that_cannot_be_read_give_way_to_others(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "some", each=8, size=24)
    cut = sorted(folder.rglob("*.png"))[3]
    cut.write_bytes(cut.read_bytes()[:700])
    ear = Ear()
    made = show(folder, tmp_path, rows=64, listener=ear)
    train = split(open_source(folder), validation=0.2, seed=0).train
    was_train = 3 in train
    assert len(rows_of(made.page)) == len(train) - was_train
    told = [sentence for sentence in ear.warnings if sentence.startswith("across/003.png: ")]
    assert len(told) == was_train and all(each.endswith("; left out.") for each in told)


def test_a_source_without_one_readable_picture(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "none", each=4, size=24)
    for path in folder.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(SourceError) as refused:
        show(folder, tmp_path)
    assert str(refused.value) == (
        "none: none of the 6 training pictures can be read. striate check tells why."
    )
    assert not (tmp_path / "page.html").exists()


def test_nothing_is_read_where_the_page_has_no_place(tmp_path: Path) -> None:
    other = save(stripes(0, 0), tmp_path / "page.html.png")
    with pytest.raises(UsageError, match=r"exists and is no page of striate augment"):
        augment_source(tmp_path / "missing", out=other)
    with pytest.raises(UsageError) as refused:
        show("", tmp_path)
    assert str(refused.value) == (
        "Name a source: a folder, a CSV, an .npz, or a data set (striate datasets)."
    )


def test_every_setting_has_words() -> None:
    fields = set(AugmentationSettings.model_fields) - {"fill", "fill_value"}
    on = {key: True if "flip" in key else 1 if key == "crop" else 0.25 for key in fields}
    said = dict(in_words(AugmentationSettings(**on)))
    assert set(said) == fields | {"fill"} and all(said.values())
    assert said["zoom"] == "0.75 to 1.25 times the size, each axis by itself"
    assert said["shift"] == "up to 25 % of the height and of the width, to every side"
    assert in_words(AugmentationSettings(**dict.fromkeys(fields, None))) == []
    grey = AugmentationSettings(rotation=5, fill="constant", fill_value=7)
    assert dict(in_words(grey))["fill"] == "what comes in from outside has grey level 7"
    erased = AugmentationSettings(erase=0.1, fill_value=9)
    assert dict(in_words(erased)) == {
        "erase": "a rectangle of up to 10 % of the area is erased",
        "fill_value": "what is erased becomes grey level 9",
    }


def test_a_run_keeps_four_pictures_with_six_versions(folder: Path, tmp_path: Path) -> None:
    run = striate.train(
        folder, epochs=1, out=tmp_path, threads=1, settings={"augmentation": VARIED}
    )
    results = json.loads((run.folder / "results.json").read_text("utf-8"))
    kept = results["augmented"]
    assert [len(each["versions"]) for each in kept] == [6] * 4
    made = show(folder, tmp_path, settings={"augmentation": VARIED})
    shown = {row[0].tobytes(): row for row in rows_of(made.page)}
    for each in kept:
        page_row = shown[pixels(each["original"]).tobytes()]
        for version, theirs in zip(each["versions"], page_row[1:], strict=True):
            np.testing.assert_array_equal(pixels(version), theirs)
    assert 'id="augmentation"' in run.report.read_text("utf-8")
    off = {"shift": 0.0, "horizontal_flip": False, "mixup": 0.2, "cutmix": 1.0}
    plain = striate.train(folder, epochs=1, out=tmp_path, threads=1, settings={"augmentation": off})
    assert json.loads((plain.folder / "results.json").read_text("utf-8"))["augmented"] == []


def test_excluded_pictures_are_not_shown(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("".join(f"across/{number:03d}.png\n" for number in range(8)))
    made = show(folder, tmp_path, rows=64, settings={"data": {"exclude": str(wrong)}})
    names = {
        e.attributes["alt"].partition(",")[0] for e in Page(made.page.read_text("utf-8")).all("img")
    }
    assert names and not names & set(wrong.read_text().split())
