"""The figures' numbers, read back from the page by the numbers written on the axes."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from report import run_folders
from report.report_page import Page, Plot
from striate.report import write_report

PIXEL = 1.0


def saved(reports: dict[str, Path], kind: str) -> dict:
    return json.loads((reports[kind].parent / "results.json").read_text())


def column(path: Path, name: str) -> np.ndarray:
    with path.open() as file:
        return np.array([float(row[name]) for row in csv.DictReader(file)])


def test_validation_loss_is_drawn_where_it_was(
    reports: dict[str, Path], pages: dict[str, str]
) -> None:
    plot = Plot(pages["three"], "curve-loss")
    places = plot.points("line c1")
    history = reports["three"].parent / "history.csv"
    assert plot.read_x(places[:, 0]) == pytest.approx(
        column(history, "epoch"), abs=PIXEL * plot.per_unit("x")
    )
    assert plot.read_y(places[:, 1]) == pytest.approx(
        column(history, "validation_loss"), abs=PIXEL * plot.per_unit("y")
    )


def test_step_curves_are_medians_of_groups(reports: dict[str, Path], pages: dict[str, str]) -> None:
    plot = Plot(pages["three"], "curve-loss")
    places = plot.points("line c0")
    loss = column(reports["three"].parent / "steps.csv", "loss")
    groups = loss.reshape(-1, 5)
    assert plot.read_y(places[:, 1]) == pytest.approx(
        np.median(groups, axis=1), abs=PIXEL * plot.per_unit("y")
    )
    # The first group holds steps 1 to 5 of the 40 of an epoch.
    assert plot.read_x(places[:, 0])[0] == pytest.approx(3 / 40, abs=PIXEL * plot.per_unit("x"))


def test_speed_and_waiting_are_drawn_from_zero(tmp_path: Path) -> None:
    folder = run_folders.minimal(tmp_path / "run")
    speed, waiting = np.array([555.0, 427.0, np.nan, 330.0]), np.array([0.1, 0.007, 0.002, 0.011])
    columns = {"epoch": np.arange(1, 5), "step": np.arange(1, 5) * 20}
    columns |= {"images_per_second": speed, "waiting": waiting}
    run_folders.write_csv(folder / "history.csv", columns)
    page = write_report(folder).read_text(encoding="utf-8")
    kept = np.isfinite(speed)
    for key, values, shown, name in (
        ("speed", speed[kept], np.arange(1, 5)[kept], "pictures per second"),
        ("waiting", 100 * waiting, np.arange(1, 5), "per cent of the training time"),
    ):
        plot = Plot(page, f"curve-{key}")
        places = plot.points("line c0")
        assert plot.read_x(places[:, 0]) == pytest.approx(shown, abs=PIXEL * plot.per_unit("x"))
        assert plot.read_y(places[:, 1]) == pytest.approx(values, abs=PIXEL * plot.per_unit("y"))
        texts = ["".join(e.itertext()) for e in plot.find("text")]
        assert name in texts and "epochs" in texts
        assert float(plot.read_y([plot_bottom(plot)])[0]) == pytest.approx(
            0, abs=PIXEL * plot.per_unit("y")
        )
    assert Plot(page, "curve-speed").description == (
        "In the middle one of the epochs 427 pictures per second."
    )


def plot_bottom(plot: Plot) -> float:
    """Return the place of the horizontal axis."""
    (axis,) = plot.find("line", "axis")
    return float(axis.get("y1", ""))


@pytest.mark.parametrize("lost", ["images_per_second", "waiting"])
def test_an_older_run_without_a_column_has_no_such_figure(tmp_path: Path, lost: str) -> None:
    folder = run_folders.minimal(tmp_path / "run")
    columns = {"epoch": np.array([1, 2]), "step": np.array([20, 40])}
    columns |= {"images_per_second": np.array([5.0, 6.0]), "waiting": np.array([0.1, 0.0])}
    del columns[lost]
    run_folders.write_csv(folder / "history.csv", columns)
    page = write_report(folder).read_text(encoding="utf-8")
    assert ('id="curve-speed-title"' in page) == (lost != "images_per_second")
    assert ('id="curve-waiting-title"' in page) == (lost != "waiting")


def test_a_learning_rate_over_decades_has_a_logarithmic_axis(tmp_path: Path) -> None:
    folder = run_folders.minimal(tmp_path / "run")
    rate = np.geomspace(1e-6, 0.1, 80)
    run_folders.write_csv(folder / "steps.csv", {"step": np.arange(80), "learning_rate": rate})
    run_folders.write_csv(folder / "history.csv", {"epoch": np.array([1]), "step": np.array([80])})
    plot = Plot(write_report(folder).read_text(encoding="utf-8"), "curve-rate")
    assert "learning rate (logarithmic)" in plot.markup
    drawn = plot.read_y(plot.points("line c0")[:, 1], log=True)
    assert np.log10(drawn) == pytest.approx(np.log10(rate), abs=0.05)


def test_a_rate_that_only_ends_at_zero_has_a_linear_axis(tmp_path: Path) -> None:
    folder = run_folders.minimal(tmp_path / "run")
    rate = 0.01 * (1 - np.arange(80) / 79)
    run_folders.write_csv(folder / "steps.csv", {"step": np.arange(80), "learning_rate": rate})
    plot = Plot(write_report(folder).read_text(encoding="utf-8"), "curve-rate")
    assert "logarithmic" not in plot.markup
    assert plot.read_y(plot.points("line c0")[:, 1]) == pytest.approx(rate, abs=1e-4)


def test_a_hundred_thousand_steps_stay_a_small_page(tmp_path: Path) -> None:
    folder = run_folders.classification(tmp_path / "run", 3, epochs=40, steps=2500)
    path = write_report(folder)
    assert path.stat().st_size < 200_000
    plot = Plot(path.read_text(encoding="utf-8"), "curve-norm")
    drawn = sum(len(e.get("points", "").split()) for e in plot.root.iter())
    assert drawn == 600
    assert "Of every 500 steps" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["binary", "twelve", "hostile"])
def test_the_matrix_holds_every_count(
    reports: dict[str, Path], pages: dict[str, str], kind: str
) -> None:
    confusion = np.array(saved(reports, kind)["details"]["test"]["confusion"])
    plot = Plot(pages[kind], "matrix")
    cells = plot.find("rect", "cell")
    said = [int((cell.findtext("title") or "").rpartition(": ")[2]) for cell in cells]
    assert said == confusion.ravel().tolist()
    side = float(cells[0].get("width", ""))
    rows = np.array([float(cell.get("y", "")) for cell in cells]).reshape(confusion.shape)
    columns = np.array([float(cell.get("x", "")) for cell in cells]).reshape(confusion.shape)
    assert np.diff(rows, axis=0) == pytest.approx(side, abs=0.2)
    assert np.diff(columns, axis=1) == pytest.approx(side, abs=0.2)
    written = [e for e in plot.find("text") if e.get("class") is None and e.text != "answer"]
    assert [int(e.text or "") for e in written] == confusion[confusion > 0].tolist()
    kinds = [cell.get("class") for cell in cells]
    assert kinds == ["cell right" if on else "cell wrong" for on in np.eye(len(confusion)).ravel()]


def test_colour_is_the_share_of_the_row(reports: dict[str, Path], pages: dict[str, str]) -> None:
    confusion = np.array(saved(reports, "twelve")["details"]["test"]["confusion"], float)
    cells = Plot(pages["twelve"], "matrix").find("rect", "cell")
    opacity = np.array([float(cell.get("fill-opacity", "")) for cell in cells])
    share = (confusion / confusion.sum(axis=1, keepdims=True)).ravel()
    expected = np.where(share > 0, 0.15 + 0.55 * np.sqrt(share), 0)
    assert opacity == pytest.approx(expected, abs=0.001)


def test_a_hundred_classes_are_a_map_and_a_list(
    reports: dict[str, Path], pages: dict[str, str]
) -> None:
    confusion = np.array(saved(reports, "hundred")["details"]["test"]["confusion"])
    plot = Plot(pages["hundred"], "matrix")
    assert not plot.find("rect", "cell")
    drawn = sum(e.get("d", "").count("M") for e in plot.find("path", "cell"))
    blocks = confusion.reshape(50, 2, 50, 2).sum(axis=(1, 3))
    assert drawn == (blocks > 0).sum()
    section = Page(pages["hundred"]).section("confusion")
    assert section is not None
    wrong = confusion * (1 - np.eye(100, dtype=int))
    target, answer = np.unravel_index(wrong.argmax(), wrong.shape)
    share = 100 * wrong.max() / confusion[target].sum()
    first = " ".join(section.text.split("of the target's pictures")[1].split())
    assert first.startswith(f"kind {target}kind {answer}{wrong.max()}{share:.1f} %")


def test_bars_are_as_long_as_the_counts(reports: dict[str, Path], pages: dict[str, str]) -> None:
    counts = saved(reports, "twelve")["counts"]
    bars = Plot(pages["twelve"], "counts").find("rect", "bar")
    # One unit of background is left between neighbours.
    lengths = np.array([float(bar.get("width", "")) + 1 for bar in bars])
    expected = np.array([counts["train"], counts["validation"], counts["test"]]).T.ravel()
    unit = lengths.sum() / expected.sum()
    assert lengths == pytest.approx(expected * unit, abs=0.11)


def test_curves_keep_their_points(reports: dict[str, Path], pages: dict[str, str]) -> None:
    details = saved(reports, "three")["details"]["test"]
    for key, name in (("roc", "roc"), ("pr", "precision_recall")):
        plot = Plot(pages["three"], key)
        for style, curve in enumerate(details[name]):
            places = plot.points(f"line c{style}")
            assert plot.read_x(places[:, 0]) == pytest.approx(100 * np.array(curve["x"]), abs=0.4)
            assert plot.read_y(places[:, 1]) == pytest.approx(100 * np.array(curve["y"]), abs=0.4)


def test_calibration_bars_and_dots(reports: dict[str, Path], pages: dict[str, str]) -> None:
    bins = saved(reports, "three")["details"]["test"]["calibration"]
    filled = [each for each in bins if each["count"]]
    plot = Plot(pages["three"], "calibration-figure")
    dots = plot.find("circle", "dot")
    assert len(dots) == len(plot.find("rect", "bar")) == len(filled)
    x = plot.read_x([float(dot.get("cx", "")) for dot in dots])
    y = plot.read_y([float(dot.get("cy", "")) for dot in dots])
    assert x == pytest.approx([100 * each["confidence"] for each in filled], abs=0.4)
    assert y == pytest.approx([100 * each["accuracy"] for each in filled], abs=0.4)
    radii = [float(dot.get("r", "")) for dot in dots]
    assert radii == sorted(radii)


def test_truth_against_answer(reports: dict[str, Path], pages: dict[str, str]) -> None:
    target = saved(reports, "regression")["details"]["test"]["targets"][0]
    plot = Plot(pages["regression"], "scatter-0")
    (path,) = plot.find("path", "dots")
    places = np.array([pair[:-2].split() for pair in path.get("d", "").split("M")[1:]], float)
    assert plot.read_x(places[:, 0]) == pytest.approx(
        target["truth"], abs=PIXEL * plot.per_unit("x")
    )
    assert plot.read_y(places[:, 1]) == pytest.approx(
        target["answer"], abs=PIXEL * plot.per_unit("y")
    )


def test_residuals_are_bars_of_their_counts(
    reports: dict[str, Path], pages: dict[str, str]
) -> None:
    residual = saved(reports, "regression")["details"]["test"]["residuals"][0]
    plot = Plot(pages["regression"], "residuals-0")
    bars = plot.find("rect", "bar")
    tops = plot.read_y([float(bar.get("y", "")) for bar in bars])
    assert tops == pytest.approx(residual["counts"], abs=PIXEL * plot.per_unit("y"))
    left = plot.read_x([float(bar.get("x", "")) - 0.5 for bar in bars])
    assert left == pytest.approx(residual["edges"][:-1], abs=PIXEL * plot.per_unit("x"))


def test_the_words_of_a_figure_name_its_numbers(pages: dict[str, str]) -> None:
    loss = Plot(pages["three"], "curve-loss").description
    assert (
        loss.startswith("Training loss per step 2.") and "Validation loss smallest after 8" in loss
    )
    assert Plot(pages["twelve"], "matrix").description.startswith("212 of 226 on the diagonal.")
    assert "kind 0: area 0.9524" in Plot(pages["three"], "roc").description
