"""Originals beside augmented versions: the report's section, and the page of `striate augment`."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pictures import stripes
from report import run_folders
from report.report_page import Page
from striate.errors import DiskError, UsageError
from striate.report import write_report
from striate.report._augmented_page import KIND, AugmentedPage, render, write_augmented
from striate.report._place import check_place

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")

# Elements that reach beyond the window, or whose content reaches beyond them.
WIDER = """() => [...document.querySelectorAll('body *')].filter(e => {
  const box = e.getBoundingClientRect();
  return box.right > innerWidth + 1 || box.left < -1
    || ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth;
}).map(e => e.tagName + ': ' + e.textContent.slice(0, 40))"""


def example(number: int, versions: int = 6) -> dict[str, Any]:
    drawn = [run_folders.png(stripes(kind, number)) for kind in range(versions + 1)]
    return {"name": f"a/{number:03d}.png", "original": drawn[0], "versions": drawn[1:]}


SHOWN = AugmentedPage(
    title="ants",
    facts=(("source", "ants: 245 training pictures"), ("seed", "0")),
    settings=(("rotation", "up to 10° to either side"), ("mixup", "each picture is blended")),
    reason="photographs: slightly turned",
    mixes=True,
    examples=tuple(example(number) for number in range(3)),
    try_next="",
)
OFF = replace(
    SHOWN,
    settings=(),
    mixes=False,
    examples=tuple(example(number, versions=0) for number in range(3)),
    try_next="--set augmentation.rotation=8",
)


def with_examples(folder: Path, examples: list[dict[str, Any]]) -> str:
    """Return the report of a run whose results hold these examples."""
    run_folders.classification(folder, 3)
    path = folder / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"augmented": examples}))
    return write_report(folder).read_text(encoding="utf-8")


def test_the_report_shows_originals_beside_versions(tmp_path: Path) -> None:
    examples = [example(number) for number in range(4)]
    page = Page(with_examples(tmp_path / "run", examples))
    keys = [e.attributes["id"] for e in page.all("section")]
    assert keys[:4] == ["figures", "data", "augmentation", "curves"]
    heads = [e.text for e in page.all("th") if e.text.startswith(("original", "epoch"))]
    assert heads == ["original", *(f"epoch {n}" for n in range(1, 7))]
    shown = [e.attributes for e in page.all("img") if "table" in e.above]
    wanted = [uri for each in examples for uri in (each["original"], *each["versions"])]
    assert [attributes["src"] for attributes in shown] == wanted
    assert [attributes["alt"] for attributes in shown[:3]] == [
        "a/000.png, original", "a/000.png, epoch 1", "a/000.png, epoch 2",
    ]  # fmt: skip
    assert {(a["width"], a["height"]) for a in shown} == {("80", "80")}


@pytest.mark.parametrize(
    "examples",
    [[], [example(0, versions=0)], [{"name": "x", "original": "http://evil", "versions": ["y"]}]],
)
def test_without_versions_there_is_no_section(
    tmp_path: Path, examples: list[dict[str, Any]]
) -> None:
    page = with_examples(tmp_path / "run", examples)
    assert Page(page).section("augmentation") is None and "http://evil" not in page


def test_many_bytes_of_pictures_are_cut_by_rows(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    heavy = {
        "name": "n",
        "original": run_folders.png(noise),
        "versions": [run_folders.png(noise)] * 6,
    }
    page = Page(with_examples(tmp_path / "run", [heavy] * 4))
    section = page.section("augmentation")
    assert section is not None and "3 more were left out to keep the page small." in section.text


def test_the_share_of_waiting_is_told(tmp_path: Path) -> None:
    folder = run_folders.classification(tmp_path / "run", 3)
    assert "waiting for pictures" not in write_report(folder).read_text(encoding="utf-8")
    columns = {"epoch": np.array([1, 2]), "step": np.array([40, 80])}
    columns |= {"validation_loss": np.array([1.0, 0.5]), "waiting": np.array([0.031, 0.009])}
    run_folders.write_csv(folder / "history.csv", columns)
    told = (
        "On average over the epochs, 2.0\N{NO-BREAK SPACE}% of the training time was spent waiting"
    )
    assert told in write_report(folder).read_text(encoding="utf-8")


def test_the_page_says_what_is_varied_and_why() -> None:
    page = Page(render(SHOWN))
    settings, pictures = page.section("settings"), page.section("pictures")
    assert settings is not None and pictures is not None
    terms = [e.text for e in page.all("dt", "dd")]
    assert terms == [
        "source", "ants: 245 training pictures", "seed", "0",
        "augmentation", "onphotographs: slightly turned",
        "rotation", "up to 10° to either side", "mixup", "each picture is blended",
    ]  # fmt: skip
    assert "Mixing isn't shown: it is done to whole batches, in the training step." in pictures.text
    assert len(page.all("img")) == 21 and not page.all("code", "script")
    assert page.all("title")[0].text == "ants: augment"


def test_a_page_without_augmentation_says_how_to_switch_it_on() -> None:
    page = Page(render(OFF))
    terms = [e.text for e in page.all("dt", "dd")]
    assert terms[-2:] == ["augmentation", "offphotographs: slightly turned"]
    assert [e.text for e in page.all("code")] == ["--set augmentation.rotation=8"]
    pictures = page.section("pictures")
    assert pictures is not None and "every epoch shows these as they are" in pictures.text
    assert len(page.all("img")) == 3 and not page.all("table")


def test_hostile_names_are_text_and_nothing_points_outside() -> None:
    named = [{**example(n), "name": name} for n, name in enumerate(run_folders.HOSTILE)]
    source = render(replace(SHOWN, title=run_folders.HOSTILE[0], examples=tuple(named)))
    page = Page(source)
    assert "<script" not in source and "<img src=http" not in source and "\u202e" not in source
    assert not page.all("script", "iframe", "object", "form")
    assert all(e.attributes["src"].startswith("data:image/png;base64,") for e in page.all("img"))
    source.encode("utf-8")


def test_only_a_page_of_its_kind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    write_augmented(path, OFF)
    write_augmented(path, SHOWN)
    assert path.read_text(encoding="utf-8") == render(SHOWN)
    assert list(path.parent.iterdir()) == [path]
    report = write_report(run_folders.minimal(tmp_path / "run"))
    for other in (report, tmp_path / "run" / "config.yaml"):
        before = other.read_bytes()
        with pytest.raises(UsageError) as refused:
            write_augmented(other, SHOWN)
        assert str(refused.value) == (
            f"--out: {other} exists and is no page of striate augment, so it was left as it is. "
            "Choose another --out."
        )
        assert other.read_bytes() == before


def test_places_that_cannot_hold_the_page(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        check_place(tmp_path, KIND)
    assert str(refused.value) == (
        f"--out: expected a file for the page, but {tmp_path} can't be replaced (Is a directory). "
        "Choose another --out."
    )
    (tmp_path / "loop").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DiskError) as stopped:
        write_augmented(tmp_path / "loop" / "page.html", SHOWN)
    assert str(stopped.value) == (
        f"{tmp_path}/loop: can't be made (File exists). Choose another --out."
    )


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright isn't installed: pip install 'striate[dev]'"
    )
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    with playwright.sync_playwright() as running:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        launched = running.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield launched
        launched.close()


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 700, 1100, 1280])
@pytest.mark.parametrize("shown", [SHOWN, OFF], ids=["on", "off"])
def test_the_page_in_a_browser(
    browser: "Browser", tmp_path: Path, shown: AugmentedPage, width: int, theme: Any
) -> None:
    path = tmp_path / "page.html"
    write_augmented(path, shown)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri())
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    assert complaints == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    # No column is cut off, and none hides behind a scroll bar of its own.
    wider = page.evaluate(WIDER)
    assert wider == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}[theme]
    # Every version stands in one line with its original, however narrow the window is.
    tops = page.evaluate(
        "[...document.querySelectorAll('.strips tbody tr')]"
        ".map(r => new Set([...r.querySelectorAll('img')].map(i => i.offsetTop)).size)"
    )
    assert all(different == 1 for different in tops)
    context.close()
