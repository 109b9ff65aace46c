"""The page of `striate evaluate --robustness`: its curves, read back, and its words."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from report.report_page import Page, Plot
from striate.errors import UsageError
from striate.report._robustness import render_robustness, write_robustness

STRENGTHS = {
    "shift": ("fraction of the side", 0.0, [0.0, 0.1, 0.2]),
    "rotation": ("degrees, counter-clockwise", 0.0, [-90.0, 0.0, 180.0]),
    "scale": ("factor", 1.0, [0.5, 1.0, 2.0]),
    "flip": ("", "none", ["none", "horizontal"]),
    "brightness": ("factor", 1.0, [0.5, 1.0, 2.0]),
    "blur": ("deviation in pixels", 0.0, [0.0, 1.5]),
    "noise": ("deviation as a fraction of 255", 0.0, [0.0, 0.3]),
}


def document(metric: str = "accuracy", agreement: str = "accuracy") -> dict[str, Any]:
    rng = np.random.default_rng(0)
    families = []
    for name, (unit, unchanged, strengths) in STRENGTHS.items():
        points = []
        for strength in strengths:
            same = strength == unchanged
            value = 0.975 if same else round(float(rng.uniform(0.1, 0.9)), 4)
            point = {"strength": strength, metric: value}
            if metric == "accuracy":
                point |= {"accuracy_low": value - 0.02, "accuracy_high": value + 0.02}
            best = 0.0 if agreement == "mae" else 1.0
            points.append(point | {"agreement": best if same else round(value / 2, 4)})
        families.append({"name": name, "unit": unit, "unchanged": unchanged, "points": points})
    return {
        "model": "runs/first/model",
        "source": "pictures",
        "robustness": {
            "part": "test",
            "samples": 400,
            "metric": metric,
            "agreement": agreement,
            "fill": "nearest",
            "families": families,
        },
    }


DRAWN = [name for name, (unit, *_) in STRENGTHS.items() if unit]


@pytest.mark.parametrize("name", DRAWN)
def test_curves_are_drawn_where_the_figures_are(name: str) -> None:
    given = document()
    family = next(f for f in given["robustness"]["families"] if f["name"] == name)
    plot = Plot(render_robustness(given), f"robustness-{name}")
    for classes, key in (("line c0", "accuracy"), ("line c1", "agreement")):
        places = plot.points(classes)
        values = [100 * point[key] for point in family["points"]]
        assert plot.read_y(places[:, 1]) == pytest.approx(values, abs=0.4)
        strengths = np.array([point["strength"] for point in family["points"]])
        log = family["unit"] == "factor"
        read = plot.read_x(places[:, 0], log=log)
        span = strengths.max() - strengths.min()
        assert read == pytest.approx(strengths, abs=0.01 * span)
    (band,) = plot.find("polygon", "band")
    assert len(band.get("points", "").split()) == 2 * len(family["points"])
    # The dotted line marks the unchanged pictures.
    (hint,) = plot.find("line", "hint")
    unchanged = [point["strength"] for point in family["points"]].index(family["unchanged"])
    assert float(hint.get("x1", "")) == pytest.approx(plot.points("line c0")[unchanged, 0], abs=0.1)
    for point in family["points"]:
        assert f"{100 * point['accuracy']:.1f}" in plot.description or point["accuracy"] == 0.975


def test_the_page_is_whole_and_names_everything() -> None:
    page = Page(render_robustness(document()))
    assert page.all("h1")[0].text == "runs/first/model on pictures"
    assert page.all("title")[0].text == "runs/first/model on pictures: robustness"
    assert [section.attributes["id"] for section in page.all("section")] == [
        *("unchanged", "moves", "pixels", "all")
    ]
    first = page.section("unchanged")
    assert first is not None
    words = " ".join(first.text.split())
    assert "97.5\xa0% accuracy".replace("\xa0", " ") in words.replace("\xa0", " ")
    assert "95 % interval" in words
    assert "400 pictures of the test part" in words
    assert "Agreement is the share of pictures whose answer is the same" in words
    footer = page.all("footer")[0].text
    assert footer.endswith("from the figures of one evaluation.")
    assert "run folder" not in footer
    assert [e.tag for e in page.all("script", "iframe", "object")] == []


def test_flips_are_a_table_and_all_figures_are_listed() -> None:
    page = Page(render_robustness(document()))
    flips, every = page.all("table")
    assert "none97.5\xa0%100\xa0%" in "".join(flips.text.split("\n"))
    count = sum(len(strengths) for _, _, strengths in STRENGTHS.values())
    assert every.text.count("%") == 2 * count
    assert every.text.count("shift, fraction of the side") == 3


def test_numbers_have_one_unit_and_no_band() -> None:
    page = render_robustness(document("mae", "mae"))
    plot = Plot(page, "robustness-blur")
    assert not plot.find("polygon", "band")
    assert plot.read_y(plot.points("line c0")[:, 1])[0] == pytest.approx(0.975, abs=0.01)
    assert plot.read_y(plot.points("line c1")[:, 1])[0] == pytest.approx(0, abs=0.01)
    assert "mean absolute change" in page
    assert "The pale band" not in page


def test_f1_without_an_interval() -> None:
    page = render_robustness(document("f1", "exact_match"))
    assert "the share of pictures whose labels are the same" in page
    assert "95 % interval" not in page


def test_names_are_escaped() -> None:
    given = document() | {"model": "<script>alert(1)</script>", "source": "a&b"}
    page = render_robustness(given)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; on a&amp;b" in page


def test_writing_replaces_an_older_page_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    for _ in range(2):
        write_robustness(path, document())
        assert path.read_text(encoding="utf-8") == render_robustness(document())
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"exists and is no page of striate robustness"):
        write_robustness(path, document())
    assert path.read_text() == "mine"
    with pytest.raises(UsageError, match="can't be replaced"):
        write_robustness(path / "below" / "page.html", document())
