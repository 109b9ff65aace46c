"""From a run folder to its page."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from striate._files import write_file
from striate._version import __version__
from striate.report._blocks import Section
from striate.report._calibration import calibration
from striate.report._classes import classes
from striate.report._confusion import confusion
from striate.report._curves import curves
from striate.report._data import data
from striate.report._headline import headline
from striate.report._mistakes import mistakes
from striate.report._network import kernels, layers
from striate.report._numbers import numbers
from striate.report._run import Run, read_run
from striate.report._states import states
from striate.report._use import repeat, use
from striate.report._words import words

SECTIONS = (
    headline,
    data,
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
    page = render(read_run(run_folder))
    path = run_folder / "report.html"
    write_file(path, page)
    return path


def render(run: Run) -> str:
    """Return the page as text."""
    sections: list[Section] = [section for make in SECTIONS if (section := make(run)).blocks]
    template, style, style_hash = _page()
    return template.render(
        title=words(run.results.get("title")) or run.folder.resolve().name,
        task=words(run.metrics.get("task")),
        sections=sections,
        style=style,
        style_hash=style_hash,
        version=__version__,
    )


@cache
def _page() -> tuple[Template, Markup, str]:
    """Return the template, the style sheet and the hash by which the page permits it."""
    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (folder / "style.css").read_text(encoding="utf-8")
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    return environment.get_template("page.html.j2"), Markup(style), f"sha256-{hashed}"
