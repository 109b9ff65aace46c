"""`striate lr-find` on the command line."""

import json
from pathlib import Path

import pytest

from command_line import striate
from pictures import write_folder

FEW = ["--steps", 50, "--threads", 1, "--image-size", 8]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_folder(Path("stripes"), each=12)


def test_it_prints_the_rate_with_its_reason_and_writes_the_page(folder: Path) -> None:
    done = striate("lr-find", folder, *FEW)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    rate = lines[0].split()[2]
    assert lines[0] == (
        f"suggested rate  {rate}  (the settings have 0.01: compact, adamw, one-cycle)"
    )
    assert lines[1].startswith("  The smoothed loss falls fastest at ")
    assert lines[2] == f"  One-cycle's largest rate: where the loss is smallest, {rate}."
    assert lines[-2:] == [f"Train with it: --learning-rate {rate}", "page  lr-find.html"]
    assert sorted(path.name for path in Path().iterdir()) == ["lr-find.html", "stripes"]
    again = striate("lr-find", folder, *FEW)
    assert again == done


def test_json_is_one_document(folder: Path) -> None:
    words = ["--network", "mlp", "--set", "optimizer.learning_rate=0.02", "--out", "pages/a.html"]
    done = striate("lr-find", folder, *FEW, *words, "--json")
    document = json.loads(done.out)
    assert done.code == 0 and done.err == ""
    assert set(document) == {
        "page", "network", "optimizer", "schedule", "given", "suggested", "constant", "one_cycle",
        "reason", "rates", "losses", "smoothed",
    }  # fmt: skip
    assert document["network"] == "mlp" and document["given"] == 0.02
    assert document["schedule"] == "constant" and document["suggested"] == document["constant"]
    assert document["rates"][0] == pytest.approx(1e-6)
    assert len(document["rates"]) == len(document["losses"]) == len(document["smoothed"]) <= 50
    assert Path("pages/a.html").is_file()


def test_where_nothing_falls_no_rate_is_suggested(folder: Path) -> None:
    # Weights of zero in every layer have no gradient but that of the last bias.
    pairs = ("convolution=constant", "dense=constant", "bias=zeros", "constant=0")
    words = [word for pair in pairs for word in ("--set", f"network.initialisation.{pair}")]
    done = striate("lr-find", folder, *FEW, "--network", "cnn3", *words)
    assert done.code == 0
    assert done.out.splitlines() == [
        "suggested rate  none  (the settings have 0.001: cnn3, adam, constant)",
        "  The smoothed loss never falls clearly below where it starts: no rate is suggested.",
        "  More --steps, or another network or optimizer, may help.",
        "page  lr-find.html",
    ]


@pytest.mark.parametrize(
    ("words", "letter"),
    [
        ([], "Name a source: a folder, a CSV, an .npz, or a data set (striate datasets)."),
        (
            ["stripes", "--out", "stripes/across/000.png"],
            "--out: stripes/across/000.png exists and is no page of striate lr-find, so it was left "
            "as it is. Choose another --out.",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_refusals(words: list[str], letter: str) -> None:
    done = striate("lr-find", *words)
    assert (done.code, done.out, done.err) == (2, "", f"striate: {letter}\n")
    assert not Path("lr-find.html").exists()


def test_too_few_steps_and_a_mistyped_network(folder: Path) -> None:
    few = striate("lr-find", folder, "--steps", 49)
    assert few.code == 2 and "--steps" in few.err and "49" in few.err
    typo = striate("lr-find", folder, "--network", "compct")
    assert typo.code == 2 and "compact" in typo.err and not Path("lr-find.html").exists()
