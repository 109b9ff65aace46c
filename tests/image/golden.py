"""Pictures of every kind, each with the pixels that must come out, computed in NumPy alone."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from image.picture_files import (
    Floats,
    Pixels,
    after_start,
    chunk,
    cmyk_profile,
    encoded,
    exif,
    grey_profile,
    png,
    rgb_profile,
    segment,
    tiff,
    to_xyz,
    webp,
)

BROKEN = "its colour profile is broken and was ignored"
FOREIGN = "its colour profile is made for other colours and was ignored"


@dataclass(frozen=True)
class Golden:
    """A file, and what must come out of it.

    Attributes:
        name: what the file is.
        data: the file.
        expected: (H, W, 1 or 3), 0 to 255, not rounded where it is no whole number.
        rule: "exact"; "jpeg" (mean error at most 2); "deep" (error below 1 everywhere); "colours"
            (error at most 2 everywhere: LittleCMS counts in 8 and 16 bits).
        background: grey level under transparent pixels.
        note: what is said of the file.
    """

    name: str
    data: bytes
    expected: Floats
    rule: str = "exact"
    background: int = 255
    note: str = ""


def picture(height: int = 24, width: int = 17, channels: int = 3) -> npt.NDArray[np.uint8]:
    """Return a smooth picture (H, W, C) that no flip and no turn leaves as it is."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [
        128 + 100 * np.sin(x / 6 + phase) * np.cos(y / 9 + phase) + y - x
        for phase in (0.0, 1.0, 2.0)
    ]
    made: npt.NDArray[np.uint8] = np.clip(np.stack(planes, 2), 0, 255).astype(np.uint8)
    return made[..., :channels]


def stored(upright: Pixels, orientation: int) -> Pixels:
    """Return the pixels as a file with that orientation keeps them (Exif 2.32, 4.6.4).

    Numbers say what the file's first row and first column are: 6 is "right, top".
    """
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: upright[:, ::-1].swapaxes(0, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: upright[::-1].swapaxes(0, 1),
    }
    return np.ascontiguousarray(turned[orientation])


def over(colour: Pixels, alpha: Pixels, background: int = 255) -> Floats:
    """Return colours (H, W, C) laid over a grey level; alpha (H, W), 0 to 255."""
    share = alpha[..., None] / 255
    laid: Floats = np.rint(colour * share + background * (1 - share))
    return laid


def luma(rgb: Pixels) -> Floats:
    """Return Rec. 601's grey of colours (H, W, 3), as (H, W, 1)."""
    grey: Floats = rgb.astype(float) @ np.array([[0.299], [0.587], [0.114]])
    return grey


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _jpeg(pixels: Pixels, **options: object) -> bytes:
    return encoded(_image(pixels), "JPEG", **{"quality": 95, "subsampling": 0, **options})


def _orientations() -> Iterator[Golden]:
    for channels in (1, 3):
        upright = picture(channels=channels)
        colour = "grey" if channels == 1 else "RGB"
        for value in range(1, 9):
            kept = stored(upright, value)
            data = exif(value, "<>"[value % 2])
            tag = chunk(b"eXIf", data)
            kind = 0 if channels == 1 else 2
            files = {
                "JPEG": after_start(_jpeg(kept), segment(0xE1, b"Exif\0\0" + data)),
                "PNG": png(kept, 8, kind, tag),
                "PNG, behind": png(kept, 8, kind, after=tag),
                "TIFF": tiff(kept, 8, 1 if channels == 1 else 2, tags=[(0x0112, 3, [value])]),
            }
            if channels == 3:
                files["WebP"] = webp(kept, exif=data)
            for kind_name, file in files.items():
                rule = "jpeg" if kind_name == "JPEG" else "exact"
                name = f"{kind_name} {colour}, orientation {value}"
                yield Golden(name, file, upright.astype(float), rule)


def _deep() -> Iterator[Golden]:
    rng = np.random.default_rng(0)
    for channels, colour, kind in ((1, "grey", 0), (3, "RGB", 2)):
        values = rng.integers(0, 65536, (9, 7, channels))
        values[0, :4] = np.array([0, 128, 129, 65535])[:, None]
        expected = values / 257
        yield Golden(f"PNG 16-bit {colour}", png(values, 16, kind), expected, "deep")
        opaque = np.dstack([values, np.full((9, 7), 65535)])
        yield Golden(f"PNG 16-bit {colour}, alpha", png(opaque, 16, kind + 4), expected, "deep")
        clear = opaque.copy()
        clear[2:4, :, -1] = 0
        shown = expected.copy()
        shown[2:4] = 255
        yield Golden(f"PNG 16-bit {colour}, clear", png(clear, 16, kind + 4), shown, "deep")
        key = chunk(b"tRNS", struct.pack(f">{channels}H", *values[5, 5]))
        shown = np.where((values == values[5, 5]).all(2)[..., None], 255, expected)
        yield Golden(f"PNG 16-bit {colour}, tRNS", png(values, 16, kind, key), shown, "deep")
        for order in "<>":
            for deflate in (False, True):
                name = f"TIFF 16-bit {colour}, {order}{', deflate' * deflate}"
                photometric = 1 if channels == 1 else 2
                data = tiff(values, 16, photometric, order=order, deflate=deflate)
                yield Golden(name, data, expected, "deep")
                if channels == 3:
                    data = tiff(values, 16, 2, order=order, deflate=deflate, apart=True)
                    yield Golden(f"{name}, apart", data, expected, "deep")
                    alpha = rng.integers(0, 2, (9, 7, 1)) * 65535
                    data = tiff(
                        np.dstack([values, alpha]), 16, 2, order=order, deflate=deflate, extra=2
                    )
                    shown = np.where(alpha == 0, 255, expected)
                    yield Golden(f"{name}, alpha", data, shown, "deep")
        if channels == 1:
            yield Golden(
                "TIFF 16-bit grey, 0 is white", tiff(values, 16, 0), 255 - expected, "deep"
            )
            plain = values.astype(np.uint16)[..., 0]
            twelve = rng.integers(0, 4096, (9, 8, 1))
            twelve[0, :2] = [[0], [4095]]
            bits = (twelve[..., 0, None] >> np.arange(12)[::-1]) & 1
            rows = np.packbits(bits.reshape(9, -1).astype(np.uint8), axis=1)[..., None]
            data = tiff(rows, 8, 1, tags=[(256, 3, [8]), (258, 3, [12])])
            yield Golden("TIFF 12-bit grey", data, twelve * 255 / 4095, "deep")
            yield Golden("PGM 16-bit", encoded(Image.fromarray(plain), "PPM"), expected, "deep")
        else:
            head = b"P6\n7 9\n65535\n"
            yield Golden("PPM 16-bit", head + values.astype(">u2").tobytes(), expected, "deep")
            half = np.full((9, 7, 1), 32768)
            data = tiff(np.dstack([values // 2, half]), 16, 2, extra=1)
            shown = values / 257 * (32768 / 65535) + 255 * (1 - 32768 / 65535)
            yield Golden("TIFF 16-bit RGB, multiplied alpha", data, shown, "deep")


def _cmyk() -> Iterator[Golden]:
    cmyk = np.dstack([picture(), picture()[::-1, :, :1] // 3])
    ink = cmyk.astype(float) / 255
    expected = 255 * (1 - ink[..., :3]) * (1 - ink[..., 3:])
    image = Image.fromarray(cmyk, "CMYK")
    adobe = encoded(image, "JPEG", quality=97, subsampling=0)
    yield Golden("JPEG CMYK, Adobe's, inverted", adobe, expected, "jpeg")
    inverse = Image.fromarray(255 - cmyk, "CMYK")
    data = encoded(inverse, "JPEG", quality=97, subsampling=0)
    at = data.index(b"\xff\xee")
    plain = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    yield Golden("JPEG CMYK, plain", plain, expected, "jpeg")
    for order in "<>":
        yield Golden(f"TIFF CMYK, {order}", tiff(cmyk, 8, 5, order=order), expected, "deep")
        wide = tiff(cmyk.astype(int) * 257, 16, 5, order=order)
        yield Golden(f"TIFF CMYK 16-bit, {order}", wide, expected, "deep")
    yield Golden("TIFF CMYK, apart", tiff(cmyk, 8, 5, apart=True), expected, "deep")
    corners = np.full((2, 2, 2, 2, 3), 128)
    # Four inks that only darken: L from 100 to 0, no colour. (Lighter blacks are drawn to 0.)
    corners[..., 0] = np.rint(255 - np.indices((2, 2, 2, 2)).sum(0) * 63.75)
    profile = cmyk_profile(corners)
    light = 100 - 25 * (cmyk.astype(float) / 255).sum(2)
    grey = 255 * srgb_curve(luminance(light))
    expected = np.repeat(grey[..., None], 3, axis=2)
    data = tiff(cmyk, 8, 5, tags=[(34675, 7, profile)])
    yield Golden("TIFF CMYK, profile", data, expected, "colours")
    data = encoded(image, "JPEG", quality=97, subsampling=0, icc_profile=profile)
    yield Golden("JPEG CMYK, Adobe's, profile", data, expected, "jpeg")


def luminance(light: Floats) -> Floats:
    """Return Y, 0 to 1, of CIE's L, 0 to 100."""
    return np.where(light > 8, ((light + 16) / 116) ** 3, light * 27 / 24389)


def srgb_curve(linear: Floats) -> Floats:
    """Return sRGB's values, 0 to 1, of linear light (IEC 61966-2-1)."""
    bright = 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, bright)


def _converted(rgb: Pixels, space: str, gamma: float) -> Floats:
    linear = (rgb / 255) ** gamma @ to_xyz(space).T @ np.linalg.inv(to_xyz("sRGB")).T
    converted: Floats = 255 * srgb_curve(np.clip(linear, 0, 1))
    return converted


def _with_profile(pixels: Pixels, profile: bytes) -> dict[str, bytes]:
    colours = 2 if pixels.shape[2] == 3 else 1
    files = {
        "PNG": encoded(_image(pixels), "PNG", icc_profile=profile),
        "TIFF": tiff(pixels, 8, colours, tags=[(34675, 7, profile)]),
        "JPEG": _jpeg(pixels, icc_profile=profile),
    }
    return {**files, "WebP": webp(pixels, icc_profile=profile)} if colours == 2 else files


def _profiles() -> Iterator[Golden]:
    rgb, grey = picture(), picture(channels=1)
    gamma = 563 / 256
    for space in ("P3", "Adobe"):
        expected = _converted(rgb, space, gamma)
        for kind, data in _with_profile(rgb, rgb_profile(space, gamma)).items():
            rule = "jpeg" if kind == "JPEG" else "colours"
            yield Golden(f"{kind} with {space}'s profile", data, expected, rule)
    palette = np.arange(16)[None].repeat(2, 0)[..., None]
    colours = rgb[:16, 3]
    profile = rgb_profile("P3", gamma)
    as_palette = Image.fromarray(palette[..., 0].astype(np.uint8), "P")
    as_palette.putpalette(colours.tobytes())
    data = encoded(as_palette, "PNG", icc_profile=profile)
    expected = _converted(colours[palette[..., 0]], "P3", gamma)
    yield Golden("PNG palette with P3's profile", data, expected, "colours")
    linear = 255 * srgb_curve(grey / 255)
    for kind, data in _with_profile(grey, grey_profile(1.0)).items():
        # Linear light pulls dark values far apart, and JPEG's errors with them.
        rule = "jpeg" if kind == "JPEG" else "colours"
        yield Golden(f"{kind} grey with a linear profile", data, linear, rule)
    broken = {
        "rubbish": (b"this is no profile", BROKEN),
        "cut short": (rgb_profile("P3", gamma)[:200], BROKEN),
        "for grey": (grey_profile(1.0), FOREIGN),
        "for CMYK": (cmyk_profile(np.zeros((2, 2, 2, 2, 3))), FOREIGN),
    }
    for what, (profile, note) in broken.items():
        for kind, data in _with_profile(rgb, profile).items():
            rule = "jpeg" if kind == "JPEG" else "exact"
            yield Golden(f"{kind} with a profile {what}", data, rgb.astype(float), rule, note=note)
    body = b"name\0\0this is not deflated"
    data = png(rgb, 8, 2, chunk(b"iCCP", body))
    yield Golden("PNG with a profile not deflated", data, rgb.astype(float), note=BROKEN)
    part = b"ICC_PROFILE\0\x01\x02" + profile
    data = after_start(_jpeg(rgb), segment(0xE2, part))
    yield Golden("JPEG with half a profile", data, rgb.astype(float), "jpeg", note=BROKEN)


def _alpha() -> Iterator[Golden]:
    rgb, grey = picture(), picture(channels=1)
    alpha = np.linspace(0, 255, rgb.shape[0] * rgb.shape[1]).reshape(rgb.shape[:2]).astype(np.uint8)
    rgba, la = np.dstack([rgb, alpha]), np.dstack([grey, alpha])
    for background in (255, 0, 100):
        files = {
            "PNG RGBA": (png(rgba, 8, 6), rgb),
            "PNG LA": (png(la, 8, 4), grey),
            "TIFF RGBA": (tiff(rgba, 8, 2, extra=2), rgb),
            "TIFF LA": (tiff(la, 8, 1, extra=2), grey),
            "TIFF RGBA, apart": (tiff(rgba, 8, 2, extra=2, apart=True), rgb),
            "WebP RGBA": (webp(rgba), rgb),
        }
        for kind, (data, colour) in files.items():
            name = f"{kind} over {background}"
            yield Golden(name, data, over(colour, alpha, background), "exact", background)
    index = (np.arange(24) % 4).reshape(4, 6, 1)
    colours, opacity = rgb[:4, 0], np.array([255, 0, 128, 255])
    plte, trns = chunk(b"PLTE", colours.tobytes()), chunk(b"tRNS", bytes(opacity[:3].tolist()))
    for background in (255, 0, 100):
        expected = over(colours[index[..., 0]], opacity[index[..., 0]], background)
        for depth in (2, 4, 8):
            data = png(index, depth, 3, plte, trns)
            name = f"PNG palette of {depth} bits, alpha over {background}"
            yield Golden(name, data, expected, "exact", background)
    image = Image.fromarray(index[..., 0].astype(np.uint8), "P")
    image.putpalette(colours.tobytes())
    yield Golden("GIF", encoded(image, "GIF"), colours[index[..., 0]].astype(float))
    yield Golden("BMP palette", encoded(image, "BMP"), colours[index[..., 0]].astype(float))
    shown = np.where(index == 2, 100.0, colours[index[..., 0]])
    data = encoded(image, "GIF", transparency=2)
    yield Golden("GIF, transparent over 100", data, shown, "exact", 100)
    tags = [(320, 3, (colours.astype(int).T * 257).ravel().repeat(1).tolist() + [0] * 756)]
    columns = np.zeros((3, 256), int)
    columns[:, :4] = colours.T.astype(int) * 257
    tags = [(320, 3, columns.ravel().tolist())]
    yield Golden("TIFF palette", tiff(index, 8, 3, tags=tags), colours[index[..., 0]].astype(float))
    key = chunk(b"tRNS", struct.pack(">HHH", *rgb[3, 3].tolist()))
    shown = np.where((rgb == rgb[3, 3]).all(2)[..., None], 255.0, rgb)
    yield Golden("PNG RGB, tRNS", png(rgb, 8, 2, key), shown)


def _few_bits() -> Iterator[Golden]:
    bits = (picture(channels=1) > 128).astype(int)
    expected: Floats = bits * 255.0
    yield Golden("PNG 1-bit", png(bits, 1, 0), expected)
    yield Golden("PBM", encoded(Image.fromarray(bits[..., 0] > 0), "PPM"), expected)
    yield Golden("BMP 1-bit", encoded(Image.fromarray(bits[..., 0] > 0), "BMP"), expected)
    rows = np.packbits(bits[..., 0].astype(np.uint8), axis=1)[..., None]
    for photometric in (0, 1):
        width = [(256, 3, [bits.shape[1]]), (258, 3, [1])]
        data = tiff(rows, 8, photometric, tags=width)
        yield Golden(
            f"TIFF 1-bit, {photometric}", data, expected if photometric else 255 - expected
        )
    yield Golden(
        "TIFF 8-bit, 0 is white",
        tiff(picture(channels=1), 8, 0),
        255 - picture(channels=1).astype(float),
    )
    for depth in (1, 2, 4):
        top = 2**depth - 1
        grey = np.arange(32).reshape(4, 8, 1) % (top + 1)
        yield Golden(f"PNG {depth}-bit grey", png(grey, depth, 0), grey * 255 / top)
        key = chunk(b"tRNS", struct.pack(">H", 1))
        shown = np.where(grey == 1, 255, grey * 255 / top)
        yield Golden(f"PNG {depth}-bit grey, tRNS", png(grey, depth, 0, key), shown)
        shown = np.where(grey == 1, 0, grey * 255 / top)
        name = f"PNG {depth}-bit grey, tRNS over black"
        yield Golden(name, png(grey, depth, 0, key), shown, background=0)


def _frames() -> Iterator[Golden]:
    first, second = picture(), 255 - picture()
    images = [Image.fromarray(second)]
    few = np.zeros_like(first)
    few[3:9, 4:12] = (200, 30, 90)
    data = encoded(Image.fromarray(few), "GIF", save_all=True, append_images=images)
    yield Golden("GIF animation", data, few.astype(float))
    data = encoded(
        Image.fromarray(first), "WebP", save_all=True, append_images=images, lossless=True
    )
    yield Golden("WebP animation", data, first.astype(float))
    data = encoded(Image.fromarray(first), "PNG", save_all=True, append_images=images)
    yield Golden("PNG animation", data, first.astype(float))
    data = encoded(
        Image.fromarray(first), "PNG", save_all=True, append_images=images, default_image=True
    )
    yield Golden("PNG animation with a picture before it", data, first.astype(float))
    data = encoded(Image.fromarray(first), "TIFF", save_all=True, append_images=images)
    yield Golden("TIFF of two pages", data, first.astype(float))
    data = encoded(
        Image.fromarray(first),
        "MPO",
        save_all=True,
        append_images=images,
        quality=95,
        subsampling=0,
    )
    yield Golden("MPO", data, first.astype(float), "jpeg")


def _jpegs() -> Iterator[Golden]:
    rgb, grey = picture(40, 50), picture(40, 50, 1)
    for progressive in (False, True):
        for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
            name = f"JPEG {subsampling}{', progressive' * progressive}"
            data = _jpeg(rgb, subsampling=subsampling, progressive=progressive)
            yield Golden(name, data, rgb.astype(float), "jpeg")
        name = f"JPEG grey{', progressive' * progressive}"
        yield Golden(name, _jpeg(grey, progressive=progressive), grey.astype(float), "jpeg")
    data = _jpeg(rgb, restart_marker_blocks=3)
    yield Golden("JPEG with restart markers", data, rgb.astype(float), "jpeg")
    data = _jpeg(rgb, keep_rgb=True)
    yield Golden("JPEG that keeps RGB", data, rgb.astype(float), "jpeg")


def _plain() -> Iterator[Golden]:
    rgb, grey = picture(), picture(channels=1)
    height, width = rgb.shape[:2]
    size = f"{width} {height}"
    text = " ".join(map(str, rgb.ravel().tolist()))
    yield Golden(
        "PPM in words", f"P3\n# a remark\n{size}\n255\n{text}\n".encode(), rgb.astype(float)
    )
    yield Golden("PPM", f"P6 {size} 255\n".encode() + rgb.tobytes(), rgb.astype(float))
    yield Golden("PGM", f"P5 {size} 255\n".encode() + grey.tobytes(), grey.astype(float))
    yield Golden("BMP", encoded(Image.fromarray(rgb), "BMP"), rgb.astype(float))
    rows = [row[:, ::-1].tobytes() + bytes(-3 * width % 4) for row in rgb]
    head = struct.pack("<LllHHLLllLL", 40, width, -height, 1, 24, 0, 0, 0, 0, 0, 0)
    data = b"BM" + struct.pack("<LLL", 54 + sum(map(len, rows)), 0, 54) + head + b"".join(rows)
    yield Golden("BMP from the top", data, rgb.astype(float))
    yield Golden("WebP", webp(rgb), rgb.astype(float))
    yield Golden("TIFF, apart", tiff(rgb, 8, 2, apart=True), rgb.astype(float))
    yield Golden(
        "TIFF, apart, deflate", tiff(rgb, 8, 2, apart=True, deflate=True), rgb.astype(float)
    )


BROKEN_EXIF = {
    "empty": b"",
    "a word": b"rubbish",
    "of no byte order": b"XX*\0\x08\0\0\0" + exif(6)[8:],
    "ends after 4 bytes": exif(6)[:4],
    "ends in its directory": exif(6)[:14],
    "ends before the value": exif(6)[:18],
    "points behind its end": b"II*\0\xff\xff\0\0" + exif(6)[8:],
    "points before its start": b"II*\0\xff\xff\xff\xff" + exif(6)[8:],
    "says 0": exif(0),
    "says 9": exif(9),
    "says it in a word": exif(6)[:12] + struct.pack("<HLL", 2, 1, 0x36) + bytes(4),
    "says it twice over": exif(6)[:14] + struct.pack("<LHH", 2, 6, 6) + bytes(4),
}


def _broken_exif() -> Iterator[Golden]:
    rgb = picture()
    for what, data in BROKEN_EXIF.items():
        files = {
            "JPEG": after_start(_jpeg(rgb), segment(0xE1, b"Exif\0\0" + data)),
            "PNG": png(rgb, 8, 2, chunk(b"eXIf", data)),
            "WebP": webp(rgb, exif=data or b"\0"),
        }
        for kind, file in files.items():
            rule = "jpeg" if kind == "JPEG" else "exact"
            yield Golden(f"{kind} whose EXIF {what}", file, rgb.astype(float), rule)


@cache
def golden() -> tuple[Golden, ...]:
    """Return every picture of the set."""
    families = (
        _orientations, _deep, _cmyk, _profiles, _alpha, _few_bits, _frames, _jpegs, _plain,
        _broken_exif,
    )  # fmt: skip
    return tuple(one for family in families for one in family())


def error_of(got: npt.NDArray[np.uint8], one: Golden) -> str | None:
    """Return None where the pixels are right by the picture's rule, else how far off they are."""
    if got.shape != one.expected.shape:
        return f"{got.shape} instead of {one.expected.shape}"
    far = np.abs(got - one.expected)
    mean, most = float(far.mean()), float(far.max())
    right = {
        "exact": most <= 1e-6,
        "jpeg": mean <= 2,
        "deep": most <= 1,
        "colours": most <= 2,
    }[one.rule]
    return None if right else f"{one.rule}: mean {mean:.3f}, most {most:.3f}"
