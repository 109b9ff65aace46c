"""One page as text: the template filled with sections."""

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from striate._version import __version__
from striate.report._blocks import Section


def page(
    sections: Sequence[Section], *, title: str, kind: str, subtitle: str = "", origin: str
) -> str:
    """Return a page: one file, no script, nothing that is fetched.

    Args:
        sections: in their order; those without blocks are left out.
        title: what the page is about.
        kind: what the page is, in a word: its title ends with it, and it names the generator.
        subtitle: a line under the title.
        origin: what the page was made from, as the end of "Made by striate 1.0 from".
    """
    template, style, style_hash = _template()
    return template.render(
        title=title,
        kind=kind,
        subtitle=subtitle,
        origin=origin,
        sections=[section for section in sections if section.blocks],
        style=style,
        style_hash=style_hash,
        version=__version__,
    )


@cache
def _template() -> tuple[Template, Markup, str]:
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
