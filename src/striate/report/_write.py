"""From a run folder to its page."""

from pathlib import Path

from striate._files import write_file
from striate.report._augmented import augmented
from striate.report._calibration import calibration
from striate.report._classes import classes
from striate.report._confusion import confusion
from striate.report._curves import curves
from striate.report._data import data
from striate.report._head import head
from striate.report._headline import headline
from striate.report._mistakes import mistakes
from striate.report._network import kernels, layers
from striate.report._numbers import numbers
from striate.report._page import page
from striate.report._run import Run, read_run
from striate.report._states import states
from striate.report._use import repeat, use
from striate.report._words import words

SECTIONS = (
    headline,
    data,
    augmented,
    head,
    curves,
    confusion,
    numbers,
    classes,
    calibration,
    mistakes,
    kernels,
    layers,
    states,
    use,
    repeat,
)
"""In the order of the page; a section without blocks is left out."""


def write_report(run_folder: Path) -> Path:
    """Write `report.html` from the folder's saved results and return its path.

    Reads config.yaml, history.csv, steps.csv, metrics.json and results.json
    (docs/run-folder.md). The page is one file: no script, nothing that is fetched.

    Raises:
        RunFolderError: a file is missing or can't be read.
        DiskError: the page can't be written; an older one is then left as it was.
    """
    path = run_folder / "report.html"
    write_file(path, render(read_run(run_folder)))
    return path


def render(run: Run) -> str:
    """Return the page as text."""
    task = words(run.metrics.get("task"))
    return page(
        [make(run) for make in SECTIONS],
        title=words(run.results.get("title")) or run.folder.resolve().name,
        kind="report",
        subtitle=f"Report of a {task} run" if task else "",
        origin="the run folder's saved results",
    )
