"""The golden set: every kind of file gives the pixels that were computed without a library."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from image.golden import BROKEN, FOREIGN, Golden, error_of, golden, luma, picture
from image.picture_files import encoded, rgb_profile
from striate.image import Shape, decode, header, load

EACH = pytest.mark.parametrize("one", golden(), ids=lambda one: one.name)


def test_the_set_is_large_and_each_is_another() -> None:
    assert len(golden()) >= 160
    assert len({one.name for one in golden()}) == len(golden())
    assert len({(one.data, one.background) for one in golden()}) == len(golden())


@EACH
def test_pixels_are_right(one: Golden) -> None:
    got = decode(one.data, name="x", background=one.background)
    assert error_of(got, one) is None
    assert header(one.data, name="x") == got.shape


@EACH
def test_loading_at_its_own_size_is_decoding(one: Golden) -> None:
    height, width, channels = one.expected.shape
    shape = Shape(height=height, width=width, channels=channels, background=one.background)
    fitted = load(one.data, shape, name="x")
    decoded = decode(one.data, name="x", background=one.background)
    assert np.array_equal(fitted.picture_HWC, decoded)
    assert np.array_equal(fitted.matrix, np.eye(2, 3))
    assert fitted.notes == ((one.note,) if one.note else ())


@EACH
def test_other_channels(one: Golden) -> None:
    own = decode(one.data, name="x", background=one.background)
    height, width, channels = own.shape
    if channels == 1:
        colour = decode(one.data, name="x", channels=3, background=one.background)
        assert np.array_equal(colour, np.repeat(own, 3, axis=2))
        return
    grey = decode(one.data, name="x", channels=1, background=one.background)
    assert np.abs(grey - luma(own)).max() <= 0.51
    for index, plane in enumerate(("red", "green", "blue")):
        shape = Shape(
            height=height, width=width, channels=1, plane=plane, background=one.background
        )
        fitted = load(one.data, shape, name="x").picture_HWC
        assert np.array_equal(fitted, own[..., index : index + 1])


def test_the_rules_would_catch_what_they_are_for() -> None:
    # Each family, read as a library does that doesn't know the rule.
    named = {one.name: one for one in golden()}

    def plain(name: str) -> str | None:
        image = Image.open(io.BytesIO(named[name].data))
        got = np.asarray(image.convert("L" if image.mode == "I;16" else "RGB"))
        return error_of(got if got.ndim == 3 else got[..., None], named[name])

    assert plain("WebP") is None
    for name in (
        "JPEG RGB, orientation 6",
        "PNG RGB, orientation 3",
        "JPEG CMYK, plain",
        "TIFF 16-bit RGB, <, apart",
        "PNG with P3's profile",
        "JPEG with Adobe's profile",
        "PNG RGBA over 255",
        "PNG 2-bit grey, tRNS over black",
        "PNG 16-bit grey",
        "TIFF 16-bit grey, 0 is white",
    ):
        assert plain(name) is not None, name


def test_a_profile_of_more_than_four_mebibytes_is_ignored() -> None:
    profile = rgb_profile("P3", 2.2)
    rgb = picture()
    shape = Shape(height=24, width=17, channels=3)
    large = encoded(Image.fromarray(rgb), "TIFF", icc_profile=profile + bytes(2**22))
    fitted = load(large, shape, name="x")
    assert fitted.notes == ("its colour profile is larger than 4 MiB and was ignored",)
    assert np.array_equal(fitted.picture_HWC, rgb)
    assert (BROKEN, FOREIGN) == (
        "its colour profile is broken and was ignored",
        "its colour profile is made for other colours and was ignored",
    )


def test_a_profile_that_changes_one_channel_only_is_obeyed() -> None:
    # Green alone differs from sRGB's; a probe of a few colours could miss it.
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    other = rgb_profile("sRGB", 1.0)
    curve = other[other.index(b"curv") :][:14]
    profile = _with_green_curve(bytes(srgb), curve)
    data = encoded(Image.fromarray(picture()), "PNG", icc_profile=profile)
    got = decode(data, name="x").astype(int)
    assert np.abs(got[..., 1] - picture()[..., 1]).mean() > 10


def _with_green_curve(profile: bytes, curve: bytes) -> bytes:
    """Return an ICC profile whose gTRC is `curve`, put behind the rest."""
    count = int.from_bytes(profile[128:132], "big")
    changed = bytearray(profile + bytes(-len(profile) % 4))
    place = len(changed)
    for entry in range(132, 132 + 12 * count, 12):
        if profile[entry : entry + 4] == b"gTRC":
            changed[entry + 4 : entry + 12] = place.to_bytes(4, "big") + len(curve).to_bytes(
                4, "big"
            )
    changed += curve + bytes(-len(curve) % 4)
    changed[:4] = len(changed).to_bytes(4, "big")
    return bytes(changed)
