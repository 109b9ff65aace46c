"""docs/learn: printed results are those that commands print, and figures are those of the script."""

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import command_line
from doc_pages import DOCS, ROOT, printed

LEARN = sorted((DOCS / "learn").glob("*.md"))
FIGURES = DOCS / "learn" / "figures"


@pytest.mark.parametrize("page", LEARN, ids=lambda page: page.name)
def test_what_a_page_shows_is_what_is_printed(page: Path) -> None:
    for where, command, output in printed(page):
        done = command_line.striate(*shlex.split(command)[1:])
        assert done.out.rstrip() == output, f"{where}: {command}"


def test_there_are_results_to_compare() -> None:
    assert sum(len(printed(page)) for page in LEARN) > 10


def test_figures_are_what_the_script_draws_and_all_are_shown(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_figures", tmp_path],
        check=True,
        capture_output=True,
    )
    names = sorted(path.name for path in FIGURES.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    text = "".join(page.read_text(encoding="utf-8") for page in LEARN)
    for name in names:
        assert f"(figures/{name})" in text
        assert (FIGURES / name).stat().st_size < 60_000
        committed, drawn = (
            np.asarray(Image.open(folder / name).convert("RGB"), np.float64)
            for folder in (FIGURES, tmp_path)
        )
        # Letters may be drawn a little differently by another version of Pillow.
        assert committed.shape == drawn.shape
        assert np.abs(committed - drawn).mean() < 1
