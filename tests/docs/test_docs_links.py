"""Links between pages, and the changelog's newest version."""

import re
from pathlib import Path

import pytest

import striate
from doc_pages import DOCS, PAGES, ROOT

_LINK = re.compile(r"\[[^\]]*\]\((?!https?://)(?P<target>[^)\s]+)\)")
WRITTEN = (*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md")


def without_fences(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.*)$", without_fences(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for match in _LINK.finditer(without_fences(page)):
        file, _, anchor = match["target"].partition("#")
        target = (page.parent / file) if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(match["target"])
    return found


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_link_resolves(page: Path) -> None:
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading\n[a](#a-heading) [b](#b) [c](gone.md) [d](page.md)\n")
    assert broken(page) == ["#b", "gone.md"]


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert [page for page in pages if page != "index.md" and f"({page})" not in index] == []


def test_the_newest_version_of_the_changelog_is_this_one() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.+?)\] - (unreleased|\d{4}-\d{2}-\d{2})$", changelog, re.MULTILINE)
    assert newest is not None and newest[1] == striate.__version__
