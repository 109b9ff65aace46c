"""`decode` and `header` on files made here: formats, colours, depth, orientation, damage."""

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from image.picture_files import chunk, encoded, grey_profile, png, tiff
from pictures import stripes
from striate.errors import PictureError
from striate.image import decode, header

RGB = stripes(1, 0, size=24)[:, :20]
LOSSLESS = ("PNG", "TIFF", "BMP", "PPM")


def reason(data: bytes | Path) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data, name="a/b.png")
    assert caught.value.name == "a/b.png"
    return caught.value.reason


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "PPM"])
def test_formats(kind: str, tmp_path: Path) -> None:
    data = encoded(Image.fromarray(RGB), kind)
    path = tmp_path / "picture.of-no-known-suffix"
    path.write_bytes(data)
    picture = decode(path, name="x")
    assert picture.dtype == np.uint8 and picture.flags.c_contiguous and picture.flags.writeable
    assert header(path, name="x") == header(data, name="x") == picture.shape == (24, 20, 3)
    assert np.array_equal(picture, decode(data, name="x"))
    if kind in LOSSLESS:
        assert np.array_equal(picture, RGB)
    else:
        assert np.array_equal(picture, np.array(Image.open(io.BytesIO(data)).convert("RGB")))


def test_grey_keeps_one_channel_and_is_repeated_on_request() -> None:
    grey = RGB[..., 0]
    data = encoded(Image.fromarray(grey), "PNG")
    assert np.array_equal(decode(data, name="x"), grey[..., None])
    assert np.array_equal(decode(data, name="x", channels=3), np.stack([grey] * 3, axis=2))
    assert header(data, name="x") == (24, 20, 1)


def test_colour_to_grey_is_pillows_luma() -> None:
    picture = decode(encoded(Image.fromarray(RGB), "PNG"), name="x", channels=1)
    by_hand = RGB @ np.array([0.299, 0.587, 0.114])
    assert picture.shape == (24, 20, 1)
    assert np.abs(picture[..., 0] - by_hand).max() <= 0.51


def test_one_bit_is_black_and_white() -> None:
    bits = RGB[..., 0] > 128
    data = encoded(Image.fromarray(bits), "PNG")
    assert np.array_equal(decode(data, name="x"), np.where(bits, 255, 0)[..., None])
    assert header(data, name="x")[2] == 1


@pytest.mark.parametrize("value", range(2, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "TIFF"])
def test_exif_orientation(kind: str, value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    data = encoded(Image.fromarray(RGB), kind, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    picture = decode(data, name="x")
    assert np.array_equal(picture, np.array(upright))
    assert header(data, name="x") == picture.shape == ((20, 24, 3) if value >= 5 else (24, 20, 3))


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_behind_the_pixels_of_a_png(order: str) -> None:
    tiff = {"<": b"II*\0", ">": b"MM\0*"}[order]
    entry = struct.pack(order + "HHLHH", 0x0112, 3, 1, 6, 0)
    exif = tiff + struct.pack(order + "L", 8) + struct.pack(order + "H", 1) + entry + bytes(4)
    data = png(RGB, 8, 2, after=chunk(b"eXIf", exif))
    assert np.array_equal(decode(data, name="x"), np.rot90(RGB, -1))
    assert header(data, name="x") == (20, 24, 3)


@pytest.mark.parametrize(
    "exif", [b"", b"II*\0", b"II*\0\xff\0\0\0", b"MM\0*\0\0\0\x08\0\x05\x01\x12", b"rubbish"]
)
def test_broken_exif_counts_as_upright(exif: bytes) -> None:
    for data in (
        png(RGB, 8, 2, chunk(b"eXIf", exif)),
        encoded(Image.fromarray(RGB), "JPEG", exif=b"Exif\0\0" + exif),
    ):
        assert decode(data, name="x").shape == header(data, name="x") == (24, 20, 3)


@pytest.mark.parametrize("maker", [b"", b"Adobe"])
def test_cmyk_jpeg_is_inverted_only_with_adobes_marker(maker: bytes) -> None:
    cmyk = Image.fromarray(RGB).convert("CMYK")
    data = encoded(cmyk, "JPEG", quality=100, subsampling=0)
    assert b"Adobe" in data
    if not maker:
        # The same picture without the marker: its samples are stored as they are.
        data = encoded(Image.eval(cmyk, lambda v: 255 - v), "JPEG", quality=100, subsampling=0)
        at = data.index(b"\xff\xee")
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
        assert b"Adobe" not in data
    difference = np.abs(decode(data, name="x").astype(int) - RGB)
    assert difference.mean() < 3
    assert header(data, name="x")[2] == 3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_sixteen_bit_png_is_scaled_exactly(channels: int, alpha: bool) -> None:
    rng = np.random.default_rng(0)
    deep = rng.integers(0, 65536, (9, 7, channels + alpha)).astype(np.uint32)
    deep[0, 0] = 65535
    deep[0, 1] = 127
    deep[0, 2] = 129
    if alpha:
        deep[..., -1] = 65535
    data = png(deep, 16, {1: 0, 3: 2}[channels] + 4 * alpha)
    expected = np.rint(deep[..., :channels] / 257).astype(np.uint8)
    assert np.array_equal(decode(data, name="x"), expected)
    assert header(data, name="x") == (9, 7, channels)


def test_sixteen_bit_alpha_and_transparent_values_are_laid_over_white() -> None:
    pixels = np.array([[[1000, 2000, 3000, 0], [1000, 2000, 3000, 65535]]])
    assert decode(png(pixels, 16, 6), name="x").tolist() == [[[255] * 3, [4, 8, 12]]]
    colours = np.array([[[1000, 2000, 3000], [1000, 2000, 3001]]])
    key = chunk(b"tRNS", struct.pack(">HHH", 1000, 2000, 3000))
    assert decode(png(colours, 16, 2, key), name="x").tolist() == [[[255] * 3, [4, 8, 12]]]
    greys = np.array([[[1000], [1001]]])
    key = chunk(b"tRNS", struct.pack(">H", 1000))
    assert decode(png(greys, 16, 0, key), name="x").tolist() == [[[255], [4]]]


@pytest.mark.parametrize("kind", ["TIFF", "PPM"])
def test_sixteen_bit_grey_of_other_formats(kind: str) -> None:
    deep = np.arange(0, 65536, 331, dtype=np.uint16).reshape(-1, 1).repeat(2, axis=1)
    data = encoded(Image.fromarray(deep), kind)
    assert np.array_equal(decode(data, name="x")[..., 0], np.rint(deep / 257))
    assert header(data, name="x")[2] == 1


def test_alpha_is_laid_over_white() -> None:
    alpha = np.linspace(0, 255, RGB.shape[0] * RGB.shape[1]).reshape(RGB.shape[:2])
    rgba = np.dstack([RGB, alpha]).astype(np.uint8)
    share = rgba[..., 3:] / 255
    expected = np.rint(RGB * share + 255 * (1 - share))
    for kind in ("PNG", "TIFF"):
        picture = decode(encoded(Image.fromarray(rgba), kind), name="x")
        assert np.abs(picture - expected).max() <= 1
        assert picture.shape[2] == 3
    grey = encoded(Image.fromarray(rgba[..., 2:]), "PNG")
    assert np.abs(decode(grey, name="x") - expected[..., 2:]).max() <= 1
    assert header(grey, name="x")[2] == 1


def test_palette_with_transparency() -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "L").convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    as_bytes = encoded(image, "PNG", transparency=bytes([255, 0, 128]))
    assert decode(as_bytes, name="x").tolist() == [[[10, 20, 30], [255] * 3, [162, 167, 172]]]
    as_index = encoded(image, "GIF", transparency=1)
    assert decode(as_index, name="x").tolist() == [[[10, 20, 30], [255] * 3, [70, 80, 90]]]
    assert header(as_bytes, name="x") == header(as_index, name="x") == (1, 3, 3)


def test_transparent_colour_of_an_rgb_png() -> None:
    data = png(np.array([[[1, 2, 3], [1, 2, 4]]]), 8, 2, chunk(b"tRNS", bytes([0, 1, 0, 2, 0, 3])))
    assert decode(data, name="x").tolist() == [[[255, 255, 255], [1, 2, 4]]]


@pytest.mark.parametrize("kind", ["GIF", "WebP", "PNG"])
def test_first_frame_of_an_animation(kind: str) -> None:
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    options = {"lossless": True} if kind == "WebP" else {}
    data = encoded(first, kind, save_all=True, append_images=[second], **options)
    assert np.abs(decode(data, name="x").astype(int) - RGB).mean() < 12


def test_icc_profile_is_obeyed() -> None:
    # A grey profile of gamma 1 makes mid grey much lighter in sRGB.
    profile = grey_profile(gamma=1.0)
    data = encoded(Image.fromarray(np.full((2, 2), 55, np.uint8)), "PNG", icc_profile=profile)
    linear = 55 / 255
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert abs(int(decode(data, name="x")[0, 0, 0]) - expected) <= 2


@pytest.mark.parametrize("kind", ["rubbish", "grey", "srgb"])
def test_profiles_that_change_nothing(kind: str) -> None:
    profile = {
        "rubbish": b"this is no profile",
        "grey": grey_profile(1.0),
        "srgb": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    }[kind]
    data = encoded(Image.fromarray(RGB), "PNG", icc_profile=profile)
    assert np.array_equal(decode(data, name="x"), RGB)


def test_the_limit_of_pixels_holds_before_decoding() -> None:
    with pytest.raises(PictureError) as caught:
        decode(encoded(Image.fromarray(RGB), "PNG"), name="big.png", max_pixels=479)
    assert str(caught.value) == "big.png: 20 × 24 pixels, more than the limit of 479 pixels"
    assert decode(encoded(Image.fromarray(RGB), "PNG"), name="x", max_pixels=480).size
    # Only a header: had it been decoded, it would be "truncated".
    head = chunk(b"IHDR", struct.pack(">LLBBBBB", 50000, 40000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b""))
    assert reason(bomb) == "50000 × 40000 pixels, more than the limit of 40,000,000 pixels"
    assert header(bomb, name="x") == (40000, 50000, 3)


FORMATS_SENTENCE = (
    "not a picture in a format striate reads (JPEG, PNG, WebP, TIFF, BMP, GIF, PPM): it begins with"
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "the file is empty"),
        (b"<html><body>", f"{FORMATS_SENTENCE} '<html><body>'"),
        (b"  {\n", f"{FORMATS_SENTENCE} '{{'"),
        (b"\0\1\2\3\4\5\6\7", f"{FORMATS_SENTENCE} the bytes 00 01 02 03 04 05"),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0",
            "HEIC, a format striate doesn't read: convert it to PNG or JPEG; "
            "the package pillow-heif reads it",
        ),
        (
            b"\0\0\0\x18ftypavif\0\0\0\0",
            "AVIF, a format striate doesn't read: convert it to PNG or JPEG; "
            "the package pillow reads it",
        ),
        (tiff(np.zeros((2, 2, 5)), 8, 1), "its pixels are of a kind that striate doesn't read"),
        (
            tiff(np.zeros((2, 2, 4)), 16, 5, apart=True),
            "its channels lie apart in a way that striate doesn't read",
        ),
        (b"P6\n0 3\n255\n", "damaged (its header names no size or no colours)"),
        (b"8BPS\0\1\0\0", f"{FORMATS_SENTENCE} '8BPS'"),
        (b"\x89PNG\r\n\x1a\n\0\0", "truncated"),
    ],
)
def test_reasons(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_reasons_of_files(tmp_path: Path) -> None:
    assert reason(tmp_path / "none.png") == "there is no such file"
    assert reason(tmp_path) == "a folder, not a picture"
    empty = tmp_path / "empty.png"
    empty.touch()
    assert reason(empty) == "the file is empty"


def test_pixels_of_unknown_range_are_refused() -> None:
    data = encoded(Image.fromarray(np.ones((2, 2), np.float32)), "TIFF")
    assert reason(data) == (
        "its pixels are of kind F; striate reads grey, RGB and CMYK of 8 or 16 bits"
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "PPM"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated(kind: str, share: float) -> None:
    data = encoded(Image.fromarray(stripes(1, 0, size=64)), kind)
    assert reason(data[: int(len(data) * share)]) == "truncated"


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"subsampling": 2}, {"restart_marker_blocks": 2}])
@pytest.mark.parametrize("share", [0.5, 0.6, 0.7, 0.8, 0.9])
def test_a_jpeg_cut_short_and_closed_is_no_grey_fill(
    mode: str, options: dict[str, int], share: float
) -> None:
    image = Image.fromarray(stripes(1, 0, size=100)[:80]).convert(mode)
    data = encoded(image, "JPEG", **options)
    assert decode(data, name="x").shape[:2] == (80, 100)
    cut = data[: int(len(data) * share)].rstrip(b"\xff") + b"\xff\xd9"
    # Pillow alone takes it: the rest is grey.
    assert Image.open(io.BytesIO(cut)).resize((10, 8)).getbbox()
    assert reason(cut) == "truncated"


@pytest.mark.parametrize("progressive", [False, True])
def test_a_picture_of_middle_grey_is_whole(progressive: bool) -> None:
    grey = np.full((70, 90, 3), 128, np.uint8)
    data = encoded(Image.fromarray(grey), "JPEG", progressive=progressive)
    assert np.array_equal(decode(data, name="x"), grey)


def test_damaged_files_raise_nothing_else_and_warn_of_nothing() -> None:
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a maker of cameras"
    files = [encoded(Image.fromarray(RGB), kind) for kind in ("PNG", "WebP", "BMP", "GIF", "PPM")]
    files += [encoded(Image.fromarray(RGB), kind, exif=exif) for kind in ("JPEG", "TIFF", "WebP")]
    refused = 0
    for _ in range(150):
        for data in files:
            damaged = bytearray(data)
            for at in rng.integers(0, min(len(data), 500), 3):
                damaged[at] = rng.integers(256)
            for function in (decode, header):
                try:
                    function(bytes(damaged), name="x")
                except PictureError:
                    refused += 1
    assert refused > 500


def test_metadata_that_makes_pillow_warn() -> None:
    entry = struct.pack("<HHLL", 0x010F, 2, 500, 5000)
    exif = b"Exif\0\0II*\0" + struct.pack("<LH", 8, 1) + entry + bytes(4)
    data = encoded(Image.fromarray(RGB), "JPEG", exif=exif)
    with warnings.catch_warnings():
        # Pillow itself does warn of this file, or the test shows nothing.
        warnings.resetwarnings()
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match=r"corrupt|larger than file"):
            Image.open(io.BytesIO(data))
        assert decode(data, name="x").shape == (24, 20, 3)


def test_threads_decode_the_same() -> None:
    files = [encoded(Image.fromarray(stripes(k, k)), "JPEG") for k in range(8)]
    alone = [decode(data, name="x") for data in files]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda data: decode(data, name="x"), files * 4))
    assert all(np.array_equal(got, alone[i % 8]) for i, got in enumerate(together))
