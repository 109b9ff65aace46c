"""The page in a real browser: nothing fetched, nothing overflows, everything legible."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

pytestmark = pytest.mark.slow

# Texts of figures whose box leaves the figure's own box by more than a pixel.
CLIPPED = """() => [...document.querySelectorAll('svg[role=img]')].flatMap(svg => {
  const around = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < around.left - 1 || box.right > around.right + 1
      || box.top < around.top - 1 || box.bottom > around.bottom + 1;
  }).map(text => svg.querySelector('title').textContent + ': ' + text.textContent);
})"""

# Smallest size of a figure's text on the screen, in CSS pixels.
SMALLEST = """() => Math.min(...[...document.querySelectorAll('svg[role=img]')].map(svg => {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  return scale * parseFloat(getComputedStyle(svg.querySelector('text')).fontSize);
}))"""

# Texts whose contrast with what is painted behind them is below 4.5 (WCAG 2.2, 1.4.3).
FAINT = """() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const blend = (top, alpha, under) => top.slice(0, 3).map((c, i) => alpha*c + (1-alpha)*under[i]);
  const light = colour => {
    const [r, g, b] = colour.map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126*r + 0.7152*g + 0.0722*b;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(e).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const faint = [];
  const check = (text, colour, ground) => {
    const [low, high] = [light(colour), light(ground)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faint.push(ratio.toFixed(2) + ': ' + text.slice(0, 60));
  };
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest('title, desc')) continue;
    const style = getComputedStyle(e);
    if (!e.ownerSVGElement) { check(e.textContent, parse(style.color), behind(e)); continue; }
    let ground = behind(e.ownerSVGElement.parentElement);
    const cell = e.previousElementSibling;
    if (cell && cell.classList.contains('cell'))
      ground = blend(parse(getComputedStyle(cell).fill), +cell.getAttribute('fill-opacity'), ground);
    check(e.textContent, parse(style.fill), ground);
  }
  return faint;
}"""


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright isn't installed: pip install 'striate[dev]'"
    )
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(
    "kind", ["twelve", "hundred", "multi-label", "regression", "hostile", "frozen"]
)
def test_the_page_in_a_browser(
    browser: "Browser", reports: dict[str, Path], kind: str, width: int, theme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    address = reports[kind].as_uri()
    page.goto(address)
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert complaints == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    # Folded parts are opened: they too must fit.
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(SMALLEST) >= 10
    assert page.evaluate(FAINT) == []
    broken = "[...document.images].filter(e => !e.complete || !e.naturalWidth).length"
    assert page.evaluate(broken) == 0
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}[theme]
    context.close()


def test_the_page_needs_no_scripts(browser: "Browser", reports: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(reports["twelve"].as_uri())
    assert page.title() == "stripes-2026-01-05: report"
    assert page.locator("section").count() == 11
    context.close()
