"""A head on frozen features: how its penalty was chosen, and what is said of parts and epochs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from report import run_folders
from report.report_page import Page, Plot
from report.run_folders import HEAD
from striate.report import write_report

PIXEL = 1.0


def page_of(folder: Path) -> Page:
    return Page(write_report(folder).read_text(encoding="utf-8"))


def tried(key: str) -> np.ndarray:
    return np.array([one[key] for one in HEAD["tried"]])


def spoken(page: Page) -> dict[str, str]:
    """Return what each part's card says of its worth."""
    cards = (" ".join(card.text.split()) for card in page.all("article"))
    return {
        card.partition(" ")[0]: card.rpartition("would reach ")[2].partition("% ")[2]
        for card in cards
    }


@pytest.mark.parametrize(
    ("key", "column", "scale"), [("loss", "loss", 1), ("measure", "figure", 100)]
)
def test_penalties_are_drawn_where_they_were(
    pages: dict[str, str], key: str, column: str, scale: float
) -> None:
    plot = Plot(pages["frozen"], f"head-{key}")
    places = plot.points("line c0")
    decade = np.ptp(np.log10(plot.read_x([100, 101], log=True)))
    read = np.log10(plot.read_x(places[:, 0], log=True))
    assert read == pytest.approx(np.log10(tried("strength")), abs=PIXEL * decade)
    assert plot.read_y(places[:, 1]) == pytest.approx(
        scale * tried(column), abs=PIXEL * plot.per_unit("y")
    )
    (mark,) = plot.find("line", "hint")
    assert mark.get("x1") == mark.get("x2")
    chosen = np.log10(plot.read_x([float(mark.get("x1", ""))], log=True))[0]
    assert chosen == pytest.approx(np.log10(HEAD["strength"]), abs=PIXEL * decade)


def test_figures_in_words(pages: dict[str, str]) -> None:
    assert Plot(pages["frozen"], "head-loss").description == (
        "Smallest loss 0.0955 at a penalty of 31.6; 0.4666 at the strongest, 0.0973 at the weakest."
    )
    assert Plot(pages["frozen"], "head-measure").description == (
        "accuracy 96.7\xa0% at the chosen penalty, between 95.5\xa0% and 97.1\xa0% in all."
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"known_share": 0.25},
            "0.25 times as much as theythe one with the smaller loss on held-out pictures, at its best "
            "penalty",
        ),
        (
            {"known_share": 1.0},
            "as much as theythe one with the smaller loss on held-out pictures, at its best penalty",
        ),
        (
            {"known_share": 0.25, "tried": []},
            "0.25 times as much as theythe smaller one: too few pictures to hold any out and choose by "
            "them",
        ),
    ],
)
def test_the_weights_own_answers_are_told_with_their_share(
    tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    page = page_of(run_folders.with_head(tmp_path, HEAD | {"known_classes": 1000} | more))
    cells = [" ".join(one.text.split()) for one in page.all("dt", "dd")]
    at = cells.index("the weights' own answers")
    assert cells[at + 1] == (
        "probabilities of the 1,000 classes that the weights were trained on, read beside the features "
        f"and varying {said}"
    )


def test_without_them_nothing_is_said(pages: dict[str, str]) -> None:
    assert "own answers" not in pages["frozen"]


def test_the_table_names_every_penalty_and_the_one_taken(pages: dict[str, str]) -> None:
    cells = [e.text for e in Page(pages["frozen"]).all("th", "td")]
    start = cells.index("penalty")
    assert cells[start : start + 18] == [
        *("penalty", "loss", "accuracy"),
        *("1,000", "0.4666", "96.3\xa0%"),
        *("316", "0.2169", "96.7\xa0%"),
        *("100", "0.1164", "97.1\xa0%"),
        *("31.6, taken", "0.0955", "96.7\xa0%"),
        *("10", "0.0973", "95.5\xa0%"),
    ]


def test_a_loss_over_decades_is_drawn_on_a_logarithmic_axis(tmp_path: Path) -> None:
    head = HEAD | {
        "measure": "mae",
        "tried": [
            {"strength": 10.0**-n, "loss": 1000 * 10.0**-n, "figure": 30 * 3.0**-n}
            for n in range(6)
        ],
        "strength": 1e-5,
    }
    folder = run_folders.with_head(tmp_path / "run", head)
    text = write_report(folder).read_text(encoding="utf-8")
    plot = Plot(text, "head-loss")
    read = plot.read_y(plot.points("line c0")[:, 1], log=True)
    assert read == pytest.approx([1000 * 10.0**-n for n in range(6)], rel=0.05)
    assert Plot(text, "head-measure").description == (
        "mean absolute error 0.1235 at the chosen penalty, between 0.1235 and 30 in all."
    )


def test_without_folds_the_usual_penalty_is_named(tmp_path: Path) -> None:
    head = HEAD | {"strength": 10.0, "folds": 1, "tried": []}
    section = page_of(run_folders.with_head(tmp_path / "run", head)).section("head")
    assert section is not None
    assert " ".join(section.text.split()).endswith(
        "penalty10too few pictures to hold any out and choose by them: the usual one"
    )


def test_a_run_without_epochs_names_none(pages: dict[str, str]) -> None:
    page = Page(pages["frozen"])
    assert "best epoch" not in pages["frozen"] and page.section("curves") is None
    assert spoken(page) == {
        "test": "Seen neither in training nor when the head's penalty was chosen: the figure to quote.",
        "validation": "Not trained on; only whether to train the whole network was decided on it.",
        "train": spoken(page)["train"],
    }
    section = page.section("head")
    assert section is not None and "there were no epochs" in section.text


def test_a_validation_part_that_decided_nothing(tmp_path: Path) -> None:
    head = HEAD | {"decided_on_validation": False}
    page = page_of(run_folders.with_head(tmp_path / "run", head))
    assert spoken(page)["validation"].endswith(
        "Not trained on, and nothing was chosen on it in this run."
    )


def test_a_fine_tuned_run_shows_head_and_epochs(tmp_path: Path) -> None:
    page = page_of(run_folders.with_head(tmp_path / "run", HEAD, epochs=8, best_epoch=7))
    head, course, figures = (page.section(key) for key in ("head", "curves", "figures"))
    assert head is not None and "Before the first epoch a head" in head.text
    assert course is not None and "marks the epoch whose weights were kept" in course.text
    assert figures is not None and "best epoch7" in "".join(figures.text.split("\n"))
    assert "the best epoch was chosen on it" in spoken(page)["validation"]


def test_a_head_that_no_epoch_improved_on(tmp_path: Path) -> None:
    page = page_of(run_folders.with_head(tmp_path / "run", HEAD, epochs=8, best_epoch=0))
    course, figures = page.section("curves"), page.section("figures")
    assert course is not None and "so these were kept" in course.text
    assert "whose weights were kept" not in course.text
    assert figures is not None and "best epoch" not in figures.text.replace("the best epoch", "")
    assert spoken(page)["validation"].endswith(
        "what was kept was chosen on it: slightly optimistic."
    )
