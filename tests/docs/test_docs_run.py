"""Everything that the documentation tells people to type is typed here."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import command_line
import weights_package
from doc_pages import PAGES, ROOT, commands, fences, write_cast

pytestmark = pytest.mark.slow

README = PAGES[0]


@pytest.fixture(scope="module", autouse=True)
def one_processor() -> Iterator[None]:
    """Let runs see a single processor: the threads of several workers only wait for each other."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[os.getpid() % len(before)]})
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of the examples and the run that the README makes."""
    folder = tmp_path_factory.mktemp("cast")
    write_cast(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        run_commands(README)
    finally:
        os.chdir(before)
    return folder


def run_commands(page: Path) -> None:
    """Run the commands of a page in the current folder, one after the other, each to exit code 0.

    Of `scripts/` lines only the file is looked at: CI runs check and test (and with them setup),
    test_docs_demo.py the demo.
    """
    for where, command in commands(page):
        words = shlex.split(command, comments=True)
        if words[0].startswith("scripts/"):
            assert os.access(ROOT / words[0], os.X_OK), f"{where}: {command}"
            continue
        done = command_line.striate(*words[1:])
        assert done.code == 0, f"{where}: {command}\n{done.err}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES[1:] if commands(page)], ids=lambda page: page.name
)
def test_every_command_of_a_page_works(
    page: Path, cast: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cast)
    if "--weights package" in page.read_text(encoding="utf-8"):
        # Such a page takes the package to be installed; here its weights are random ones.
        weights_package.install(tmp_path, weights_package.lite0())
        monkeypatch.syspath_prepend(tmp_path)
    run_commands(page)


def test_the_readme_leaves_what_it_lists(cast: Path) -> None:
    run = cast / "runs" / "first"
    listed = next(fence.text for fence in fences(README) if "runs/first/\n" in fence.text)
    names = [line.split()[0] for line in listed.splitlines()[1:]]
    assert len(names) == 7
    assert [name for name in names if not (run / name).exists()] == []


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(fence.language == "python" for fence in fences(page))],
    ids=lambda page: page.name,
)
def test_every_python_block_of_a_page_works(
    page: Path, cast: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cast)
    names: dict[str, object] = {"__name__": "documentation"}
    for fence in fences(page):
        if fence.language == "python":
            exec(compile(fence.text, fence.where, "exec"), names)
