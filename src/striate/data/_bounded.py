"""How much an archive may unpack to: memory must not follow what a stranger's file declares."""

from pathlib import Path

FLOOR = 256 * 2**20
"""Bytes that any archive may unpack to, however small it is."""

RATIO = 100
"""Times its own size that a larger archive may unpack to; deflate can reach 1,032."""


def most_bytes(path: Path) -> int:
    """Return the number of bytes that what is packed in a file may take."""
    return max(FLOOR, RATIO * path.stat().st_size)
