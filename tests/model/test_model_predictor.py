"""Prediction: every way to give a picture, one answer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from onnx_models import expected, write_tiny_model
from pictures import save, stripes
from striate.answer import Classification, MultiLabel, Regression
from striate.errors import ModelError, PictureError, UsageError
from striate.image import Shape, decode, fit
from striate.model import Predictor, load
from striate.model._readahead import read_ahead

CLASSES = ("ant", "bee", "cat")


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("models") / "run" / "model"
    return load(write_tiny_model(folder, Classification(CLASSES)))


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("models") / "grey"
    shape = Shape(height=6, width=9, channels=1, rule="squash")
    return load(write_tiny_model(folder, Classification(CLASSES), shape=shape))


def test_a_model_is_loaded_from_its_folder_or_its_run(predictor: Predictor) -> None:
    model = predictor.path
    assert load(model).path == load(str(model)).path == load(model.parent).path == model
    assert predictor.answer == Classification(CLASSES)
    assert predictor.shape == Shape(height=8, width=8, channels=3)
    assert repr(predictor) == f"<Predictor {model}: classification, 3 numbers from 8×8×3>"


def test_a_prediction_names_the_classes_in_order(predictor: Predictor, tmp_path: Path) -> None:
    picture = stripes(1, 5, size=8)
    path = save(picture, tmp_path / "one.png")
    (prediction,) = predictor.predict(path)
    wanted = expected("classification", picture[None], 3)[0]
    assert prediction.path == str(path)
    assert prediction.error is None
    assert prediction.probabilities is not None
    assert list(prediction.probabilities) == list(CLASSES)
    np.testing.assert_allclose(list(prediction.probabilities.values()), wanted, atol=1e-6)
    assert prediction.label == CLASSES[wanted.argmax()]
    assert prediction.probability == max(prediction.probabilities.values())
    assert (prediction.labels, prediction.values) == (None, None)
    assert prediction.to_json() == {
        "path": str(path),
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": prediction.probabilities,
    }


def test_the_other_tasks(tmp_path: Path) -> None:
    picture = stripes(2, 1, size=8)
    labels = load(write_tiny_model(tmp_path / "labels", MultiLabel(("a", "b", "c"))))
    (found,) = labels.predict(picture)
    chances = expected("multi-label", picture[None], 3)[0]
    assert found.labels == [n for n, p in zip("abc", chances, strict=True) if p >= 0.5]
    assert found.probabilities == pytest.approx(dict(zip("abc", chances, strict=True)), abs=1e-6)
    assert (found.label, found.values, found.path) == (None, None, None)
    numbers = load(write_tiny_model(tmp_path / "numbers", Regression(("x", "y"))))
    (found,) = numbers.predict(picture)
    values = expected("regression", picture[None], 2)[0]
    assert found.values == pytest.approx(dict(zip("xy", values, strict=True)), rel=1e-5)
    assert (found.label, found.labels, found.probabilities) == (None, None, None)
    assert repr(numbers).endswith("regression, 2 numbers from 8×8×3>")


def _modes() -> Iterator[Any]:
    rgb = Image.fromarray(stripes(1, 3, size=20))
    alpha = rgb.copy()
    alpha.putalpha(rgb.convert("L"))
    yield pytest.param(rgb, id="RGB")
    yield pytest.param(alpha, id="RGBA")
    yield pytest.param(alpha.convert("LA"), id="LA")
    for mode in ("1", "L", "P"):
        yield pytest.param(rgb.convert(mode), id=mode)
    deep = np.arange(400, dtype=np.uint16).reshape(20, 20) * 160
    yield pytest.param(Image.fromarray(deep), id="I;16")


@pytest.mark.parametrize("image", list(_modes()))
def test_a_pil_image_is_answered_as_its_file(
    predictor: Predictor, grey: Predictor, tmp_path: Path, image: Image.Image
) -> None:
    image.save(tmp_path / "one.png")
    for model in (predictor, grey):
        np.testing.assert_array_equal(model.pixels(image), model.pixels(tmp_path / "one.png"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_pil_image_is_turned_upright(
    predictor: Predictor, tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    Image.fromarray(stripes(1, 3, size=24)[:16]).save(path, exif=exif, quality=95)
    with Image.open(path) as image:
        np.testing.assert_array_equal(predictor.pixels(image), predictor.pixels(path))


def test_a_cmyk_image_is_read(predictor: Predictor) -> None:
    image = Image.fromarray(stripes(1, 3, size=8)).convert("CMYK")
    plain = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(predictor.pixels(image), plain)


def test_every_way_to_give_a_picture_gives_the_same(predictor: Predictor, tmp_path: Path) -> None:
    picture = stripes(3, 2, size=13)
    path = save(picture, tmp_path / "one.png")
    ways = [path, str(path), path.read_bytes(), Image.fromarray(picture), picture]
    answers = [prediction.answer for prediction in predictor.predict(ways)]
    assert answers == [answers[0]] * len(ways)
    alone = [predictor.predict(way)[0] for way in ways]
    assert [one.path for one in alone] == [str(path), str(path), None, None, None]
    for one in alone:
        assert one.probabilities == pytest.approx(answers[0]["probabilities"], abs=1e-6)


def test_pixels_are_what_decode_and_fit_make(grey: Predictor, tmp_path: Path) -> None:
    path = save(stripes(1, 1, size=30), tmp_path / "one.jpg")
    wanted = fit(decode(path, name="x", channels=1), grey.shape)
    np.testing.assert_array_equal(grey.pixels(path), wanted)
    assert wanted.shape == (6, 9, 1)


def test_grey_and_colour_arrays_are_brought_to_the_model_s_channels(
    predictor: Predictor, grey: Predictor
) -> None:
    flat = stripes(1, 1, size=8, channels=1)
    np.testing.assert_array_equal(predictor.pixels(flat[..., 0]), np.repeat(flat, 3, axis=2))
    np.testing.assert_array_equal(predictor.pixels(flat), np.repeat(flat, 3, axis=2))
    colour = stripes(1, 1, size=8)
    as_grey = np.asarray(Image.fromarray(colour).convert("L"))[..., None]
    np.testing.assert_array_equal(grey.pixels(colour), fit(as_grey, grey.shape))


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((4, 4, 3), np.float32),
         "an array should be uint8, 0 to 255, but this is float32: convert it first"),
        (np.zeros((4, 4, 4), np.uint8),
         "an array should be (H, W) or (H, W, 1 or 3), but this is (4, 4, 4)"),
        (np.zeros((0, 4, 3), np.uint8),
         "an array should be (H, W) or (H, W, 1 or 3), but this is (0, 4, 3)"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_pictures(
    predictor: Predictor, array: npt.NDArray[Any], reason: str
) -> None:
    with pytest.raises(PictureError) as caught:
        predictor.predict(array)
    assert str(caught.value) == f"picture 1: {reason}"


def test_what_is_no_picture_at_all_is_a_mistake_of_the_caller(predictor: Predictor) -> None:
    with pytest.raises(UsageError) as caught:
        predictor.predict([stripes(0, 0), 3])  # type: ignore[list-item]
    assert str(caught.value) == (
        "picture 2: a picture is a path, the bytes of a file, a PIL image or a uint8 array, but "
        "this is int."
    )


def test_a_damaged_pil_image_is_named(predictor: Predictor) -> None:
    written = BytesIO()
    Image.fromarray(stripes(0, 0, size=64)).save(written, "PNG")
    image = Image.open(BytesIO(written.getvalue()[:900]))
    with image, pytest.raises(PictureError) as caught:
        predictor.pixels(image)
    assert str(caught.value).startswith("the picture: the PIL image can't be read (")


def test_predict_stops_at_an_unreadable_picture(predictor: Predictor, tmp_path: Path) -> None:
    missing = tmp_path / "missing.png"
    with pytest.raises(PictureError) as caught:
        predictor.predict([stripes(0, 0), missing])
    assert caught.value.name == str(missing)


def test_predict_each_goes_on(predictor: Predictor, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nope")
    given = [bad, stripes(0, 0), bad, b"", stripes(1, 0)]
    found = list(predictor.predict_each(given, batch_size=2))
    assert [one.error is None for one in found] == [False, True, False, False, True]
    assert [one.path for one in found] == [str(bad), None, str(bad), None, None]
    assert found[0].error is not None
    assert found[0].to_json() == {"path": str(bad), "error": found[0].error.reason}
    assert found[3].error is not None
    assert found[3].error.name == "picture 4"
    assert found[1].label == predictor.predict(stripes(0, 0))[0].label


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 32])
def test_batches_change_nothing(predictor: Predictor, batch_size: int) -> None:
    pictures = np.stack([stripes(seed % 4, seed, size=8) for seed in range(7)])
    found = predictor.predict(pictures, batch_size=batch_size)
    answers = [list((one.probabilities or {}).values()) for one in found]
    np.testing.assert_allclose(answers, expected("classification", pictures, 3), atol=1e-6)
    assert predictor.predict([]) == []


def test_a_batch_of_nothing_is_refused(predictor: Predictor) -> None:
    with pytest.raises(UsageError, match=r"^batch_size should be 1 or more, but it is 0\.$"):
        predictor.predict_each([], batch_size=0)
    with pytest.raises(UsageError, match=r"^threads should be 1 or more, but it is 0\.$"):
        load(predictor.path, threads=0)


def test_pictures_are_taken_as_they_are_needed(predictor: Predictor) -> None:
    taken = 0

    def endless() -> Iterator[npt.NDArray[np.uint8]]:
        nonlocal taken
        while True:
            taken += 1
            yield stripes(0, 0)

    stream = predictor.predict_each(endless(), batch_size=3)
    for _ in range(7):
        next(stream)
    # Three batches are answered, and two more may be on their way.
    assert taken <= 5 * 3
    before = threading.active_count()
    stream.close()  # type: ignore[attr-defined]
    assert threading.active_count() < before


def test_one_predictor_serves_several_threads(predictor: Predictor) -> None:
    pictures = [stripes(seed % 4, seed) for seed in range(24)]
    alone = [predictor.predict(picture)[0] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: predictor.predict(picture)[0], pictures))
    assert together == alone


def test_an_exception_while_reading_ahead_stands_in_its_place() -> None:
    def halved(number: int) -> int:
        if number == 3:
            raise ZeroDivisionError
        return number // 2

    stream = read_ahead(halved, range(100), window=4)
    assert [next(stream) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(stream)
    assert list(read_ahead(halved, [8], window=1)) == [4]
    assert list(read_ahead(halved, [8, 10, 12], window=1)) == [4, 5, 6]
    assert list(read_ahead(halved, [], window=4)) == []


def test_the_bytes_that_were_checked_are_the_ones_that_are_used(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever swaps the file after its hash was taken changes nothing: it isn't read again."""
    folder = write_tiny_model(tmp_path / "model", Classification(CLASSES))
    import striate.model._predictor as module

    real = module.read_checked

    def read_then_swap(*given: Any) -> bytes:
        data = real(*given)
        (folder / "network.onnx").write_bytes(b"something else")
        return data

    monkeypatch.setattr(module, "read_checked", read_then_swap)
    answer = load(folder).predict(stripes(0, 0))[0].answer
    assert answer == predictor.predict(stripes(0, 0))[0].answer
    with pytest.raises(ModelError, match=r"'network\.onnx' was changed"):
        load(folder)
