"""Reading a run folder: what is refused, in which words."""

import re
from pathlib import Path

import numpy as np
import pytest

from report import run_folders
from striate.errors import DiskError, RunFolderError
from striate.report import write_report
from striate.report._curve_figure import epochs_of_rows, epochs_of_steps
from striate.report._run import read_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folders.minimal(tmp_path / "run")


def refused(folder: Path) -> str:
    with pytest.raises(RunFolderError) as caught:
        write_report(folder)
    assert not (folder / "report.html").exists()
    return str(caught.value)


def test_a_folder_without_the_files(tmp_path: Path) -> None:
    assert refused(tmp_path) == (
        "A report is made from config.yaml, history.csv, steps.csv, metrics.json, results.json; "
        f"{tmp_path} has no config.yaml, history.csv, steps.csv, metrics.json, results.json. "
        "Give the folder of a finished run."
    )


def test_one_missing_file_is_named(folder: Path) -> None:
    (folder / "metrics.json").unlink()
    assert refused(folder).endswith(
        f"{folder} has no metrics.json. Give the folder of a finished run."
    )


def test_a_damaged_document(folder: Path) -> None:
    (folder / "metrics.json").write_text("{")
    assert refused(folder) == (
        f"{folder}/metrics.json should hold a JSON object, but can't be read: Expecting property "
        "name enclosed in double quotes: line 1 column 2 (char 1). Repeat the run."
    )


def test_a_document_of_another_kind(folder: Path) -> None:
    (folder / "metrics.json").write_text("[]")
    assert refused(folder) == (
        f"{folder}/metrics.json should hold a JSON object, but holds a list. Repeat the run."
    )


def test_another_format(folder: Path) -> None:
    (folder / "results.json").write_text('{"format": 7}')
    assert refused(folder) == (
        f"{folder}/results.json should say format 0, but says 7. "
        "Make the report with the striate that trained."
    )


def test_a_word_among_numbers(folder: Path) -> None:
    (folder / "steps.csv").write_text("step,loss\n1,2.5\n2,much\n")
    assert refused(folder) == (
        f"{folder}/steps.csv: expected numbers under loss, but could not convert string to float: "
        "'much'. Repeat the run."
    )


def test_a_short_line(folder: Path) -> None:
    (folder / "steps.csv").write_text("step,loss\n1\n2,0.5\n")
    assert refused(folder) == (
        f"{folder}/steps.csv, line 2: expected 2 values (step, loss), got 1. Repeat the run."
    )


def test_half_a_line_at_the_end_and_empty_cells_are_taken(folder: Path) -> None:
    (folder / "steps.csv").write_text("step,loss,gradient_norm\n1,2.5,\n2,1.5,\n3,0")
    steps = read_run(folder).steps
    assert steps["loss"].tolist() == [2.5, 1.5]
    assert np.isnan(steps["gradient_norm"]).all()
    write_report(folder)


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    (folder / "report.html").mkdir()
    with pytest.raises(DiskError) as caught:
        write_report(folder)
    told = re.sub(r"[0-9,]+ bytes", "N bytes", str(caught.value))
    assert told == (
        f"{folder}/report.html: N bytes can't be written (Is a directory). "
        "Make room or permit writing there."
    )
    assert not list(folder.glob(".report-*"))


def csv(folder: Path, history: str, steps: list[int]) -> Path:
    (folder / "history.csv").write_text(f"epoch,step\n{history}")
    (folder / "steps.csv").write_text("step\n" + "".join(f"{step}\n" for step in steps))
    return folder


def test_steps_lie_between_the_ends_of_their_epochs(folder: Path) -> None:
    # Two epochs of 4 and 6 steps, then three steps of an unfinished one.
    run = read_run(csv(folder, "1,4\n2,10\n", [0, 2, 4, 7, 10, 13]))
    assert epochs_of_rows(run).tolist() == [1, 2]
    assert epochs_of_steps(run).tolist() == [0, 0.5, 1, 1.5, 2, 2.5]


def test_a_row_before_training_is_epoch_0(folder: Path) -> None:
    run = read_run(csv(folder, "0,0\n1,4\n", [2, 4]))
    assert epochs_of_rows(run).tolist() == [0, 1]
    assert epochs_of_steps(run).tolist() == [0.5, 1]


def test_steps_without_a_finished_epoch_fill_the_first(folder: Path) -> None:
    run = read_run(csv(folder, "", [0, 1, 2, 3]))
    assert epochs_of_steps(run).tolist() == [0.25, 0.5, 0.75, 1]
