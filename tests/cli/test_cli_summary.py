"""`striate summary` and `striate networks`."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

import striate.model
from striate.cli import _network
from striate.cli.networks import networks
from striate.cli.summary import summary
from striate.errors import DiskError, ModelError, NetworkError, UsageError


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(summary)
    app.command()(networks)
    return CliRunner().invoke(app, list(arguments))


def test_a_network_by_name() -> None:
    done = run("summary", "cnn3", "--input", "1x28x28", "--classes", "10", "--no-measure", "--json")
    document = json.loads(done.stdout)
    assert document["parameters"] == 421_642
    assert document["layers"][0]["formula"] == "(28 − 3 + 2·1)/1 + 1 = 28"
    assert {"name", "kind", "output", "parameters", "flops", "receptive_field", "formula"} <= set(
        document["layers"][0]
    )


def test_without_options_the_network_is_taken_as_it_was_made() -> None:
    lines = run("summary", "cnn64", "--no-measure").stdout.splitlines()
    assert lines[0] == "cnn64 for 3×64×64"
    assert any(line.startswith("1,625,281 parameters, ") for line in lines)


def test_layers_are_timed_where_pytorch_is_installed() -> None:
    document = json.loads(run("summary", "lenet5", "--json").stdout)
    assert all(layer["milliseconds"] >= 0 for layer in document["layers"])


def test_without_pytorch_nothing_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_network, "find_spec", lambda _name: None)
    document = json.loads(run("summary", "lenet5", "--json").stdout)
    assert document["milliseconds"] is None
    assert str(run("summary", "lenet5", "--measure").exception) == (
        "--measure runs the network with PyTorch, which isn't installed. "
        "Install striate[train], or leave --measure out."
    )


@pytest.mark.parametrize(
    ("text", "shape"),
    [("3x20x24", (3, 20, 24)), ("28x30", (1, 28, 30)), ("28", (1, 28, 28)), ("3×9×8", (3, 9, 8))],
)
def test_forms_of_input(text: str, shape: tuple[int, int, int]) -> None:
    assert _network.parse_input(text) == shape


@pytest.mark.parametrize("text", ["", "0x28x28", "1x2x3x4", "28*28", "28x", "-3", "3, 4"])
def test_wrong_forms_of_input(text: str) -> None:
    error = run("summary", "cnn3", f"--input={text}").exception
    assert isinstance(error, UsageError)
    assert str(error) == (
        "--input takes channels x height x width, as 1x28x28 or 3x224x224; 28x28 and 28 mean "
        f"one channel. Got '{text}'."
    )


def test_an_unknown_network_and_a_missing_folder() -> None:
    error = run("summary", "cnn4").exception
    assert isinstance(error, NetworkError)
    assert str(error).startswith("There is no network called 'cnn4'. Did you mean 'cnn")
    assert isinstance(run("summary", "./runs/none").exception, ModelError)


def test_a_picture_that_is_too_small() -> None:
    assert str(run("summary", "cnn5", "--input", "3", "--no-measure").exception) == (
        "Network 'cnn5' doesn't fit. A picture of 3×3 shrinks below 1×1 in the middle: "
        "layer 6 'max 2' gets 1×1; a picture of at least 4×4 would do."
    )


def of_model(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, parameters: int, names: int
) -> Result:
    """Run the command on a folder whose manifest says this."""
    manifest = SimpleNamespace(
        network={"name": name, "options": {}, "parameters": parameters},
        shape=SimpleNamespace(channels=3, height=20, width=24),
        answer=SimpleNamespace(names=tuple("abc"[:names])),
    )
    monkeypatch.setattr(striate.model, "load", lambda _path: SimpleNamespace(manifest=manifest))
    return run("summary", str(folder), "--no-measure", "--json")


@pytest.mark.parametrize(
    ("name", "names", "outputs", "parameters"),
    [("cnn64", 2, 1, 117_953), ("cnn64", 2, 2, 118_082), ("mlp", 3, 3, 739_331)],
)
def test_a_model_folder_says_everything(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    names: int,
    outputs: int,
    parameters: int,
) -> None:
    document = json.loads(of_model(monkeypatch, tmp_path, name, parameters, names).stdout)
    assert document["network"] == name
    assert document["input"] == [3, 20, 24]
    assert document["parameters"] == parameters
    assert document["layers"][-1]["output"] == [outputs]


def test_a_model_that_this_version_would_build_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert str(of_model(monkeypatch, tmp_path, "mlp", 739_330, 3).exception) == (
        f"{tmp_path}: model.json says that 'mlp' has 739,330 parameters, but with its options and "
        "input it has 739,331. Another version of striate may have made it."
    )
    assert str(of_model(monkeypatch, tmp_path, "MyNet", 5, 3).exception) == (
        f"{tmp_path}: its network 'MyNet' isn't one of `striate networks`, so its layers aren't "
        "known. In Python, striate.summary takes the module itself."
    )


def test_the_list_of_networks() -> None:
    entries = json.loads(run("networks", "--json").stdout)
    by_name = {entry["name"]: entry for entry in entries}
    assert by_name["lenet5"]["parameters"] == 61_706
    assert by_name["cnn-gap"]["options"][0] == {
        "name": "widths",
        "default": [32, 64],
        "takes": "a list of whole numbers of 1 or more",
        "meaning": "Channels of each block.",
    }
    text = run("networks").stdout
    assert "  LeNet-5; Y. LeCun et al." in text
    assert "  1,625,281 parameters for 3×64×64 and 1 output; " in text
    assert by_name["vgg16"]["flops"] == 30_940_528_640
    assert "1000 outputs; 30,940,528,640 FLOPs a picture\n" in text
    given = "pooling grid, known_classes 0, dense [4096, 4096], dropout 0.5, stem auto"
    assert f"  Options, explained at the end: {given}.\n" in text
    assert text.count("What makes a vector of the backbone's map.") == 1


def test_findings_are_printed_below_the_table_and_in_the_document() -> None:
    assert "! Between dense1 and dense2 there is no activation, so together they" in (
        run("summary", "cnn5", "--no-measure").stdout
    )
    document = json.loads(run("summary", "cnn5", "--no-measure", "--json").stdout)
    assert [(one["level"], one["layer"]) for one in document["findings"]] == [("warn", "dense1")]
    assert json.loads(run("summary", "cnn3", "--no-measure", "--json").stdout)["findings"] == []


def test_a_network_as_drawing(tmp_path: Path) -> None:
    assert run("summary", "cnn3", "--mermaid").stdout.startswith("flowchart TD\n")
    file = tmp_path / "cnn3.svg"
    done = run("summary", "cnn3", "--svg", str(file))
    assert (done.stdout, done.stderr) == ("", f"Wrote {file}.\n")
    assert file.read_text(encoding="utf-8") == run("summary", "cnn3", "--svg", "-").stdout
    assert file.read_text(encoding="utf-8").startswith("<svg ")


def test_drawings_that_cannot_be(tmp_path: Path) -> None:
    assert str(run("summary", "cnn3", "--mermaid", "--json").exception) == (
        "--json and --mermaid each say what to print; give one of them."
    )
    error = run("summary", "cnn3", "--svg", str(tmp_path / "none" / "a.svg")).exception
    assert isinstance(error, DiskError)
    assert str(error).startswith(f"{tmp_path}/none/a.svg: ")
    assert "No such file or directory" in str(error)
    assert str(run("summary", "cnn3", "--svg", "-", "--measure").exception) == (
        "A drawing has no milliseconds; leave --measure out, or --svg."
    )


def test_a_drawing_replaces_nothing_but_an_older_one(tmp_path: Path) -> None:
    other = tmp_path / "mine.svg"
    other.write_text("<svg/>")
    done = run("summary", "cnn3", "--svg", str(other))
    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == (
        f"--svg: {other} exists and is no drawing of striate summary, so it was left as it is. "
        "Choose another --svg."
    )
    assert other.read_text() == "<svg/>"
    ours = tmp_path / "ours.svg"
    for _ in range(2):
        assert run("summary", "cnn3", "--svg", str(ours)).exit_code == 0
