"""The page as HTML: whole, escaped, self-contained, with the sections that its data allow."""

import json
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from report import run_folders
from report.report_page import Page
from striate.report import write_report

KINDS = (
    "binary",
    "three",
    "twelve",
    "hundred",
    "multi-label",
    "regression",
    "hostile",
    "frozen",
    "minimal",
)
COMMON = ["figures", "data", "curves"]
ENDING = ["mistakes", "kernels", "layers", "use", "repeat"]
CLASSES = [*COMMON, "confusion", "classes", "calibration", *ENDING]
SECTIONS = {
    "binary": CLASSES,
    "hundred": CLASSES,
    "hostile": CLASSES,
    "multi-label": [*COMMON, "classes", "calibration", *ENDING],
    "regression": [*COMMON, "residuals", *ENDING],
    "frozen": ["figures", "data", "head", "confusion", "classes", "calibration", *ENDING],
    "minimal": [],
}


@pytest.mark.parametrize("kind", KINDS)
def test_tags_are_balanced_and_headings_in_order(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    levels = [int(e.tag[1]) for e in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    (html,) = page.all("html")
    assert html.attributes["lang"] == "en"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_points_outside_the_file(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    assert not page.all("script", "iframe", "object", "embed", "base", "form")
    for element in page.elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on") and name not in ("style", "srcset", "action")
            if name == "src":
                assert value.startswith("data:image/png;base64,")
            if name in ("href", "xlink:href"):
                assert value.startswith("#") or value == "data:,"
    (style,) = page.all("style")
    assert "url(" not in style.text and "@import" not in style.text


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_unique_and_every_reference_is_met(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    wanted = [e.attributes["href"][1:] for e in page.all("a")]
    assert wanted == [e.attributes["id"] for e in page.all("section")]
    for element in page.elements:
        assert set(element.attributes.get("aria-labelledby", "").split()) <= set(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_and_picture_has_words(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    assert all(e.attributes["alt"] for e in page.all("img"))
    figures = [e for e in page.all("svg") if e.attributes.get("role") == "img"]
    assert len(figures) == len(page.all("figure"))
    titles, texts = page.all("title"), page.all("desc")
    assert all(e.text for e in titles) and all(len(e.text) > 10 for e in texts)
    assert len(texts) == len(figures)
    assert all(e.text for e in page.all("figcaption"))


@pytest.mark.parametrize("kind", SECTIONS)
def test_sections_are_those_with_data(pages: dict[str, str], kind: str) -> None:
    keys = [e.attributes["id"] for e in Page(pages[kind]).all("section")]
    assert keys == SECTIONS[kind]


def test_the_policy_permits_this_style_and_nothing_else(pages: dict[str, str]) -> None:
    page = Page(pages["three"])
    policy = next(e for e in page.all("meta") if "http-equiv" in e.attributes)
    (style,) = page.all("style")
    hashed = b64encode(sha256(style.text.encode()).digest()).decode()
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{hashed}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_hostile_names_are_text(pages: dict[str, str]) -> None:
    source = pages["hostile"]
    page = Page(source)
    assert "<script" not in source and "<img src=http" not in source
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in source
    assert "{{ 7 * 7 }}" in source
    assert "\u202e" not in source and "\x00" not in source
    data = page.section("data")
    assert data is not None
    for name in run_folders.HOSTILE[:2] + run_folders.HOSTILE[6:]:
        assert name in data.text
    # A name is isolated from the writing direction of what stands beside it.
    shown = [e for e in page.elements if e.text == run_folders.HOSTILE[3]]
    assert sum(e.tag == "bdi" for e in shown) > 10


def test_only_pictures_inside_the_text_are_shown(pages: dict[str, str]) -> None:
    samples = [e for e in Page(pages["hostile"]).all("img") if "far" in e.attributes["alt"]]
    assert samples == []


def test_the_headline_names_figures_and_conditions(
    reports: dict[str, Path], pages: dict[str, str]
) -> None:
    page = Page(pages["three"])
    test, validation, train = (" ".join(e.text.split()) for e in page.all("article"))
    results = json.loads((reports["three"].parent / "results.json").read_text())
    confusion = np.array(results["details"]["test"]["confusion"])
    right, total, most = np.trace(confusion), confusion.sum(), confusion.sum(axis=1)
    share = right / total
    assert test == (
        f"test {100 * share:.1f} % accuracy 95 % interval (Wilson): {100 * share - 2:.1f} % to "
        f"{100 * share + 1:.1f} % {right} of {total} right average loss 0.2871 "
        f"always answering “kind {most.argmax()}” would reach {100 * most.max() / total:.1f} % "
        "Seen neither in training nor when the best epoch was chosen: the figure to quote."
    )
    assert "slightly optimistic" in validation
    assert "on a seeded sample of 5,000 pictures" in train
    figures = page.section("figures")
    assert figures is not None
    assert "2 cores of an AMD EPYC, 8 GB" in figures.text and "torch 2.14.1" in figures.text


def test_regression_shows_errors_in_the_users_units(pages: dict[str, str]) -> None:
    page = Page(pages["regression"])
    first = " ".join(page.all("article")[0].text.split())
    assert first.startswith("test 2.51 mean absolute error RMSE: 3.13 R²: 0.985")
    assert "Samples per" not in pages["regression"]
    mistakes = page.section("mistakes")
    assert mistakes is not None and "error 16.4" in mistakes.text


def test_commands_hold_the_real_paths(tmp_path: Path) -> None:
    folder = run_folders.classification(tmp_path / "it's mine", 3)
    page = Page(write_report(folder).read_text(encoding="utf-8"))
    use = page.section("use")
    assert use is not None
    quoted = f"'{tmp_path}/it'\"'\"'s mine/model'"
    assert f"striate predict {quoted} picture.jpg" in use.text
    assert f'striate.load("{tmp_path}/it\'s mine/model")' in use.text
    for snippet in page.all("code"):
        if "import" in snippet.text:
            compile(snippet.text, "snippet", "exec")


def test_pictures_keep_their_shape_and_pixels(pages: dict[str, str]) -> None:
    sizes = {
        (e.attributes["width"], e.attributes["height"], e.attributes.get("class"))
        for e in Page(pages["three"]).all("img")
    }
    # 16 px pictures seven-fold, 3 px kernels eighteen-fold.
    assert sizes == {("112", "112", "pixels"), ("54", "54", "pixels")}


def test_many_large_pictures_do_not_make_a_large_page(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    folder = run_folders.classification(tmp_path / "run", 3)
    results = json.loads((folder / "results.json").read_text())
    row = {"picture": run_folders.png(noise), "name": "n", "target": "t", "answer": "a"}
    results["samples"] = results["mistakes"] = [row] * 30
    (folder / "results.json").write_text(json.dumps(results))
    path = write_report(folder)
    assert path.stat().st_size < 2_000_000
    assert "27 more were left out to keep the page small." in path.read_text(encoding="utf-8")


def test_the_page_replaces_an_older_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    folder = run_folders.minimal(tmp_path / "run")
    (folder / "report.html").write_text("<p>an older page")
    before = {path.name for path in folder.iterdir()}
    assert write_report(folder) == folder / "report.html"
    assert {path.name for path in folder.iterdir()} == before
    assert "an older page" not in (folder / "report.html").read_text(encoding="utf-8")
    plain = tmp_path / "plain"
    plain.write_text("")
    assert (folder / "report.html").stat().st_mode == plain.stat().st_mode
