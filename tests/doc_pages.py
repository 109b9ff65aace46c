"""The documentation as tests read it: pages, fenced blocks, and the files that its examples use."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pictures import save, stripes, write_folder

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Fence:
    """A fenced block: the language after its backticks, its lines, and where it begins."""

    language: str
    text: str
    where: str


def fences(page: Path) -> list[Fence]:
    """Return the fenced blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Fence(
            language=match["language"],
            text=match["text"],
            where=f"{page.name}:{text.count(chr(10), 0, match.start()) + 1}",
        )
        for match in _FENCE.finditer(text)
    ]


def commands(page: Path) -> list[tuple[str, str]]:
    """Return (where, command) of each `striate` or `scripts/` line in console and bash blocks."""
    found = []
    for fence in fences(page):
        if fence.language in ("console", "bash"):
            for line in fence.text.splitlines():
                command = line.removeprefix("$ ").strip()
                if command.startswith(("striate ", "scripts/")):
                    found.append((fence.where, command))
    return found


def printed(page: Path) -> list[tuple[str, str, str]]:
    """Return (where, command, output) of each `$ striate` line that output follows in its block.

    Output ends at the next command or at the end of the block; empty lines at its end don't count.
    """
    found = []
    for fence in fences(page):
        if fence.language == "console":
            for piece in re.split(r"^\$ ", fence.text, flags=re.MULTILINE)[1:]:
                command, _, output = piece.partition("\n")
                if output.strip():
                    found.append((fence.where, command, output.rstrip()))
    return found


def write_cast(folder: Path) -> None:
    """Write what docs/data.md says that its examples work on: small pictures from seeds."""
    write_folder(folder / "pictures", classes=("ants", "bees"), each=20)
    rows = ["image,length_mm,width_mm,plant"]
    for number in range(24):
        name = f"leaf_{number:03d}.png"
        save(stripes(number % 4, number), folder / "leaves" / name)
        rows.append(f"{name},{10 + number % 4 * 2.5},{4 + number % 3},plant {number // 3}")
    (folder / "measurements.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    pictures = np.stack([stripes(number % 2, number) for number in range(40)])
    targets = np.arange(40) % 2
    np.savez(
        folder / "arrays.npz",
        x_train=pictures[:36],
        y_train=targets[:36],
        x_test=pictures[36:],
        y_test=targets[36:],
    )
