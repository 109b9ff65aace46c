"""The page of `striate lr-find`: its figure tells what it was given."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from report import run_folders
from report.report_page import Page, Plot
from striate.errors import UsageError
from striate.report._lr_find_page import RatePage, render, write_rates

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
RATES = np.geomspace(1e-6, 10, 100)
SMOOTHED = 2.3 - 2 * np.exp(-0.5 * (np.log10(RATES) + 1.5) ** 2)

SHOWN = RatePage(
    title="ants",
    facts=(("source", "ants: 245 pictures", ""), ("network", "compact", "the default")),
    suggested=0.03,
    reason="The smoothed loss is smallest at 0.03.",
    constant=0.004,
    one_cycle=0.03,
    rates=RATES,
    losses=SMOOTHED + np.random.default_rng(0).normal(0, 0.05, 100),
    smoothed=SMOOTHED,
)
NONE = replace(SHOWN, suggested=None, constant=None, one_cycle=None, reason="It never falls.")


def lines_at(plot: Plot) -> np.ndarray:
    return plot.read_x([float(line.get("x1", "")) for line in plot.find("line", "hint")], log=True)


def test_the_curve_and_the_marks_can_be_read_back() -> None:
    plot = Plot(render(SHOWN), "rates")
    places = plot.points("line c0")
    np.testing.assert_allclose(plot.read_x(places[:, 0], log=True), RATES, rtol=0.02)
    np.testing.assert_allclose(plot.read_y(places[:, 1]), SMOOTHED, atol=0.02)
    (dots,) = plot.find("path", "dots")
    pairs = [pair.removesuffix("h0").split() for pair in dots.get("d", "").split("M")[1:]]
    np.testing.assert_allclose(plot.read_y([float(y) for _, y in pairs]), SHOWN.losses, atol=0.02)
    np.testing.assert_allclose(lines_at(plot), [0.004, 0.03], rtol=0.02)
    words = ["".join(e.itertext()) for e in plot.find("text") if "tick" not in e.get("class", "")]
    assert words[2:] == ["2/3 of the fall", "0.004", "smallest loss", "0.03, suggested"]
    assert plot.description == SHOWN.reason


def test_losses_that_explode_do_not_flatten_the_rest() -> None:
    losses = SHOWN.losses.copy()
    losses[-3:] = 1e6
    plot = Plot(render(replace(SHOWN, losses=losses)), "rates")
    assert 2.3 <= plot.read_y([plot.find("line", "grid")[-1].get("y1")])[0] <= 5
    (dots,) = plot.find("path", "dots")
    tops = [float(pair.split()[1].removesuffix("h0")) for pair in dots.get("d", "").split("M")[1:]]
    assert min(tops) == tops[-1] == 28.0


@pytest.mark.parametrize(("constant", "one_cycle"), [(1e-6, 2e-6), (5.0, 10.0), (0.02, 0.025)])
def test_words_of_marks_stay_inside_and_apart(constant: float, one_cycle: float) -> None:
    page = render(replace(SHOWN, constant=constant, one_cycle=one_cycle, suggested=constant))
    plot = Plot(page, "rates")
    texts = [e for e in plot.find("text") if "tick" not in e.get("class", "")][2:]
    boxes = []
    for text in texts:
        x, y, wide = float(text.get("x", "")), float(text.get("y", "")), 6.2 * len(text.text or "")
        left = x - wide if text.get("text-anchor") == "end" else x
        assert left >= 0 and left + wide <= 400
        boxes.append((left, left + wide, y))
    for at, (left, right, y) in enumerate(boxes):
        assert all(b < left or a > right or abs(y - v) > 12 for a, b, v in boxes[at + 1 :])


def test_the_page_says_the_rate_with_its_reason() -> None:
    page = Page(render(SHOWN))
    terms = [e.text for e in page.all("dt", "dd")]
    assert terms == [
        "suggested rate", "0.03The smoothed loss is smallest at 0.03.",
        "source", "ants: 245 pictures", "network", "compactthe default",
    ]  # fmt: skip
    assert [e.text for e in page.all("code")] == ["--learning-rate 0.03"]
    assert page.all("title")[0].text == "ants: lr-find" and not page.all("script")


def test_without_a_suggestion_there_is_only_the_curve() -> None:
    source = render(NONE)
    page = Page(source)
    assert page.all("dd")[0].text == "noneIt never falls."
    assert not page.all("code") and not Plot(source, "rates").find("line", "hint")


def test_hostile_names_are_text() -> None:
    for name in run_folders.HOSTILE:
        source = render(replace(SHOWN, title=name, facts=(("source", name, name),), reason=name))
        assert not Page(source).all("script", "iframe", "object", "form", "img")
        assert "\u202e" not in source
        source.encode("utf-8")


def test_only_a_page_of_its_kind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    write_rates(path, NONE)
    write_rates(path, SHOWN)
    assert path.read_text(encoding="utf-8") == render(SHOWN)
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match=r"exists and is no page of striate lr-find"):
        write_rates(tmp_path / "mine", SHOWN)


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
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_in_a_browser(browser: "Browser", tmp_path: Path, width: int, theme: Any) -> None:
    path = tmp_path / "page.html"
    write_rates(path, SHOWN)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri())
    assert requests == [path.as_uri()] and complaints == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    line = page.evaluate("getComputedStyle(document.querySelector('polyline.line')).stroke")
    assert line == {"light": "rgb(11, 92, 173)", "dark": "rgb(111, 178, 245)"}[theme]
    context.close()
