"""One picture, one tensor: whoever reads it, training, evaluation or prediction."""

import json
import warnings
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from command_line import striate
from image.golden import golden, picture
from image.picture_files import cmyk_profile, encoded, rgb_profile
from onnx_models import write_tiny_model
from striate.answer import Classification
from striate.data import Source, store
from striate.data._files import FilePictures
from striate.errors import PictureError
from striate.evaluation._decoded import Decoded
from striate.image import MAX_PIXELS, Shape, decode, load
from striate.model import Predictor
from striate.model import load as load_model

SHAPES = {
    "colour": Shape(height=4, width=5, channels=3, background=100),
    "margin": Shape(height=4, width=4, channels=3, margin=2, rule="pad", background=0),
    "grey": Shape(height=7, width=3, channels=1, rule="squash", interpolation="bicubic"),
    "green": Shape(height=4, width=4, channels=1, plane="green", margin=1),
}
NUMBER = len(golden())


def hash_of(pixels: npt.NDArray[np.uint8]) -> str:
    return sha256(np.ascontiguousarray(pixels).tobytes() + repr(pixels.shape).encode()).hexdigest()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("golden")
    paths = [folder / f"{number:03d}.picture" for number in range(NUMBER)]
    for path, one in zip(paths, golden(), strict=True):
        path.write_bytes(one.data)
    return paths


@pytest.fixture(scope="module", params=SHAPES)
def predictor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Predictor:
    folder = tmp_path_factory.mktemp("models") / request.param
    return load_model(
        write_tiny_model(folder, Classification(("ant", "bee")), shape=SHAPES[request.param])
    )


def _source(files: list[Path]) -> Source:
    return Source(
        name="golden",
        kind="folder",
        pictures=FilePictures([path.name for path in files], list(map(str, files))),
        ids=np.arange(NUMBER, dtype=np.uint64),
        answer=Classification(("ant", "bee")),
        targets=np.zeros(NUMBER, np.int64),
        parts=np.full(NUMBER, -1, np.int8),
    )


def test_the_same_tensor_for_everyone(
    predictor: Predictor, files: list[Path], tmp_path: Path
) -> None:
    shape, source = predictor.shape, _source(files)
    assert shape in SHAPES.values()
    positions = np.arange(NUMBER)
    loaded = [load(path, shape, name="x") for path in files]
    expected = [hash_of(fitted.picture_HWC) for fitted in loaded]
    assert expected == [hash_of(load(one.data, shape, name="x").picture_HWC) for one in golden()]
    assert expected == [hash_of(predictor.pixels(path)) for path in files]
    assert expected == [hash_of(predictor.pixels(str(path))) for path in files]
    assert expected == [hash_of(predictor.pixels(one.data)) for one in golden()]
    assert expected == [
        hash_of(source.pictures.load(position, shape).picture_HWC) for position in range(NUMBER)
    ]
    with store(source, shape, threads=2, cache=tmp_path) as kept:
        assert kept.unreadable == ()
        assert expected == [hash_of(pixels) for pixels in kept.take(positions)]
        matrices = np.stack([fitted.matrix for fitted in loaded])
        np.testing.assert_allclose(kept.matrices, matrices, rtol=1e-6, atol=1e-4)
    decoded = Decoded(source.pictures, shape, max_pixels=MAX_PIXELS, threads=2, strict=True)
    assert expected == [hash_of(pixels) for pixels in decoded.take(positions)]
    # They are not all one picture.
    assert len(set(expected)) > 40


def test_the_command_line_says_what_the_predictor_says(
    predictor: Predictor, files: list[Path]
) -> None:
    some = files[::20]
    done = striate("predict", predictor.path, *some, "--json")
    assert done.code == 0
    said = json.loads(done.out)
    _, answers = predictor.run(np.stack([predictor.pixels(path) for path in some]))
    for one, answer in zip(said, answers, strict=True):
        assert [one["probabilities"][name] for name in ("ant", "bee")] == pytest.approx(
            answer.tolist(), abs=1e-6
        )


def _opened() -> Iterator[Any]:
    """Yield files whose pixels Pillow's own `Image.open` loses nothing of."""
    lost = ("16-bit RGB", "16-bit grey, alpha", "16-bit grey, clear", "0 is white", "tRNS", "plain")
    for one in golden():
        # A PGM of 16 bits comes as mode I, whose range isn't known; 12 bits as if they were 16.
        if not any(word in one.name for word in (*lost, "PGM 16-bit", "12-bit")):
            yield pytest.param(one.data, id=one.name)


COLOUR = Shape(height=24, width=17, channels=3, rule="pad")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("models") / "large"
    return load_model(write_tiny_model(folder, Classification(("ant", "bee")), shape=COLOUR))


@pytest.mark.parametrize("data", list(_opened()))
def test_an_opened_pil_image_is_read_as_its_file(large: Predictor, data: bytes) -> None:
    with warnings.catch_warnings():
        # Pillow warns of broken EXIF data where the caller opens them.
        warnings.simplefilter("ignore")
        image = Image.open(BytesIO(data))
    with image:
        assert np.array_equal(large.pixels(image), large.pixels(data))


def test_a_pil_image_of_cmyk_keeps_its_profile_and_orientation(large: Predictor) -> None:
    corners = np.full((2, 2, 2, 2, 3), 128)
    corners[..., 0] = np.rint(255 - np.indices((2, 2, 2, 2)).sum(0) * 63.75)
    turned = Image.Exif()
    turned[0x0112] = 6
    image = Image.fromarray(picture()).convert("CMYK")
    data = encoded(image, "JPEG", icc_profile=cmyk_profile(corners), exif=turned)
    plain = encoded(image, "JPEG", exif=turned)
    with Image.open(BytesIO(data)) as opened:
        assert np.array_equal(large.pixels(opened), large.pixels(data))
        assert not np.array_equal(large.pixels(opened), large.pixels(plain))


def test_other_modes_of_pil_images(large: Predictor) -> None:
    rgb = Image.fromarray(picture())
    deep = np.arange(24 * 17, dtype=np.uint16).reshape(24, 17) * 160
    expected = np.repeat(np.rint(deep / 257).astype(np.uint8)[..., None], 3, axis=2)
    swapped = Image.frombytes("I;16B", (17, 24), deep.astype(">u2").tobytes())
    assert np.array_equal(large.pixels(swapped), expected)
    assert np.array_equal(large.pixels(rgb.convert("RGBX")), picture())
    ycc = rgb.convert("YCbCr")
    assert np.array_equal(large.pixels(ycc), np.asarray(ycc.convert("RGB")))
    alpha = rgb.copy()
    alpha.putalpha(rgb.convert("L"))
    multiplied = alpha.convert("RGBa")
    assert np.array_equal(large.pixels(multiplied), large.pixels(multiplied.convert("RGBA")))


@pytest.mark.parametrize("mode", ["I", "F", "LAB"])
def test_modes_of_unknown_range_are_refused_not_clipped(large: Predictor, mode: str) -> None:
    with pytest.raises(PictureError) as caught:
        large.pixels(Image.new(mode, (4, 4)), name="mine")
    assert str(caught.value) == (
        f"mine: a PIL image of mode {mode}: convert it to L, I;16, RGB or CMYK first"
    )


def test_notes_reach_the_source_s_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.fromarray(picture()), "PNG", icc_profile=b"nothing"))
    pictures = FilePictures(["a.png"], [str(path)])
    assert pictures.load(0, COLOUR).notes == ("its colour profile is broken and was ignored",)
    path.write_bytes(encoded(Image.fromarray(picture()), "PNG", icc_profile=rgb_profile("P3", 2.2)))
    assert pictures.load(0, COLOUR).notes == ()


def test_the_limit_of_pixels_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.fromarray(picture()), "PNG"))
    pictures = FilePictures(["a.png"], [str(path)])
    with pytest.raises(PictureError) as caught:
        pictures.load(0, COLOUR, 407)
    assert str(caught.value) == "a.png: 17 × 24 pixels, more than the limit of 407 pixels"
    assert np.array_equal(pictures.load(0, COLOUR, 408).picture_HWC, decode(path, name="x"))
