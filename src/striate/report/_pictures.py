"""Pictures from results.json, shown at sizes that suit a page."""

import re
from base64 import b64decode
from typing import Any

from striate.report._blocks import Gallery, Tile

PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+={0,2}")
"""The only kind of picture that the page takes over: nothing may point outside the file."""

BUDGET = 500_000
"""Most bytes of pictures in one gallery; the page stays near 2 MB."""

SMALL = 64
"""Pictures up to this side are enlarged by whole factors, with their pixels left visible."""


def is_picture(uri: Any) -> bool:
    """Return whether `uri` is a PNG picture inside the text itself."""
    return isinstance(uri, str) and PICTURE.fullmatch(uri) is not None


def tile(uri: str, *, alt: str, lines: tuple[tuple[str, str], ...] = (), side: int = 112) -> Tile:
    """Return a picture at about `side` CSS pixels; `lines` are (name, value) pairs under it."""
    width, height = _png_size(uri)
    longest = max(width, height, 1)
    if longest <= SMALL:
        factor: float = max(1, side // longest)
    else:
        factor = side / longest
    return Tile(
        picture=uri,
        alt=alt,
        width=max(1, round(width * factor)),
        height=max(1, round(height * factor)),
        pixelated=longest <= SMALL,
        lines=lines,
    )


def gallery(tiles: list[Tile], *, caption: str, title: str = "") -> Gallery:
    """Return the pictures that fit into the budget of bytes, and how many did not."""
    kept: list[Tile] = []
    used = 0
    for each in tiles:
        used += len(each.picture)
        if used > BUDGET:
            break
        kept.append(each)
    left_out = len(tiles) - len(kept)
    note = f"{left_out} more were left out to keep the page small." if left_out else ""
    return Gallery(tiles=tuple(kept), caption=caption, title=title, note=note)


def _png_size(uri: str) -> tuple[int, int]:
    """Return (width, height) from the header of a PNG file: bytes 16 to 23 of it."""
    header = b64decode(uri.partition(",")[2][:32])
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")
