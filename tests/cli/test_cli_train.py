"""`striate train` as a user meets it: the screen, the JSON document, exit codes, signals."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pictures import write_folder
from striate.cli import main

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Run the program in this process, in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["striate", *words])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return int(left.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def stripes_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_folder(tmp_path_factory.mktemp("data") / "stripes", each=20))


def test_the_screen_tells_facts_epochs_figures_and_paths(cli: Cli, stripes_folder: str) -> None:
    code, out, err = cli("train", stripes_folder, "--epochs", "2", "--log-every", "3")
    assert code == 0
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == "source        stripes: 40 pictures of 16×16 px"
    assert any(line.startswith("task          classification: 2 (across, down)") for line in lines)
    assert any(line.startswith("split         train 32, validation 8") for line in lines)
    assert any(line.startswith("step 3  epoch 2 (50 %)  loss ") for line in lines)
    assert [line[:9] for line in lines if line.startswith("epoch ")] == ["epoch   1", "epoch   2"]
    assert lines[-2].split() == ["report", "runs/stripes/report.html"]
    assert lines[-1].split() == ["model", "runs/stripes/model"]
    assert "\r" not in out


def test_json_is_one_document_on_stdout(cli: Cli, stripes_folder: str) -> None:
    code, out, err = cli("train", stripes_folder, "--epochs", "1", "--json")
    document = json.loads(out)
    assert code == 0
    assert set(document) == {
        "folder", "model", "report", "best_epoch", "stopped", "samples", "parts",
    }  # fmt: skip
    assert document["parts"]["validation"]["total"] == 8
    assert "epoch   1/1" in err


def test_the_end_names_the_users_pictures_that_were_taken(cli: Cli, stripes_folder: str) -> None:
    _, out, _ = cli("train", stripes_folder, "--epochs", "1")
    assert "The model folder holds 5 of your pictures, small, without metadata, to" in out
    _, out, _ = cli("train", stripes_folder, "--epochs", "1", "--samples", "none")
    assert "of your pictures" not in out


def test_quiet_prints_the_result_only(cli: Cli, stripes_folder: str) -> None:
    _, out, err = cli("train", stripes_folder, "--epochs", "1", "--quiet")
    assert err == ""
    assert [line.split(":")[0].split()[0] for line in out.splitlines() if line] == [
        "all",
        "train",
        "validation",
        "The",
        "verify",
        "(--samples",
        "report",
        "model",
    ]


def test_options_settings_and_config_meet_in_config_yaml(
    cli: Cli, stripes_folder: str, tmp_path: Path
) -> None:
    (tmp_path / "c.yaml").write_text("training: {epochs: 9, batch_size: 4}\nloss: {name: nll}\n")
    words = ["--config", "c.yaml", "--epochs", "1", "--set", "optimizer.name=sgd"]
    code, _, _ = cli("train", stripes_folder, *words, "--image-size", "12x16", "--name", "n")
    assert code == 0
    import yaml

    used = yaml.safe_load((tmp_path / "runs" / "n" / "config.yaml").read_text())
    assert used["training"]["epochs"] == 1
    assert used["training"]["batch_size"] == 4
    assert used["loss"]["name"] == "nll"
    assert used["optimizer"]["name"] == "sgd"
    assert used["data"]["image_size"] == [12, 16]


LETTERS = [
    (
        ["train", "digits", "--epoch", "3"],
        2,
        "striate: No such option: --epoch (Possible options: --epochs)",
    ),
    (["trian", "digits"], 2, "striate: No such command 'trian'. Did you mean 'train'?"),
    (
        ["train"],
        2,
        "striate: Name a source: a folder, a CSV, an .npz, or a data set (striate datasets).",
    ),
    (
        ["train", "nowhere"],
        3,
        "striate: There is no file or folder 'nowhere', and no data set of that name. "
        "Data sets: digits, mnist, fashion-mnist, cifar10, cifar100.",
    ),
    (
        ["train", "digits", "--network", "lenet"],
        2,
        "striate: There is no network called 'lenet'. Did you mean 'lenet5'? Known: compact, cnn3, "
        "cnn3-dropout, cnn3-batchnorm, cnn5, cnn64, cnn64-small, cnn-gap, airbench, lenet5, mlp, "
        "alexnet, vgg16, vgg19, vgg16-binary, googlenet, inception-v3, resnet18, resnet34, "
        "resnet50, resnet101, efficientnet-lite0, efficientnet-lite1, efficientnet-lite2. "
        "'striate networks' says what each is.",
    ),
    (
        ["train", "digits", "--network", "cnn64"],
        2,
        "striate: Network 'cnn64' doesn't fit. A picture of 8×8 shrinks below 1×1 in the middle: "
        "layer 6 'max 2' gets 1×1; a picture of at least 10×10 would do.",
    ),
    (
        ["train", "digits", "--image-size", "wide"],
        2,
        "striate: --image-size expects pixels, as in 128, or 96x128 (height x width); it got 'wide'.",
    ),
    (
        ["train", "digits", "--split", "train=a.txt,vla=b.txt"],
        2,
        "striate: --split: 'vla=b.txt' isn't one of train=FILE, val=FILE, test=FILE. "
        "Did you mean 'val'?",
    ),
    (
        ["train", "digits", "--set", "loss.name=mse"],
        2,
        "striate: The loss 'mse' is for regression; it doesn't fit classification with 10 classes. "
        "Losses that fit: cross-entropy, nll, multi-class-hinge.",
    ),
    (
        ["train", "digits", "--set", "optimizer.name=adm"],
        2,
        "striate: There is no optimizer called 'adm'. Did you mean 'adam'? "
        "Known: adam, adamw, sgd, rmsprop, adagrad, muon.",
    ),
    (
        ["train", "digits", "--set", "schedule.name=onecycle"],
        2,
        "striate: There is no schedule called 'onecycle'. Did you mean 'one-cycle'? "
        "Known: constant, one-cycle, cosine, linear, plateau.",
    ),
    (
        ["train", "digits", "--set", "network.dropuot=0.5"],
        2,
        "striate: There is no option of network 'compact' called 'dropuot'. "
        "Did you mean 'dropout'? Known: width, dropout.",
    ),
]


@pytest.mark.parametrize(("words", "code", "letter"), LETTERS)
def test_letters_and_exit_codes(
    cli: Cli, tmp_path: Path, words: list[str], code: int, letter: str
) -> None:
    got, out, err = cli(*words)
    assert err.splitlines()[0] == letter
    assert got == code
    assert out == ""
    assert not (tmp_path / "runs").exists()


def test_an_existing_run_leaves_with_7(cli: Cli, stripes_folder: str, tmp_path: Path) -> None:
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    code, _, err = cli("train", stripes_folder, "--name", "mine")
    assert code == 7
    assert err == (
        "striate: runs/mine exists already and was left as it is. "
        "Choose another --name, or remove it.\n"
    )


def test_an_output_folder_that_cannot_be_written_leaves_with_74(
    cli: Cli, stripes_folder: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    code, _, err = cli("train", stripes_folder, "--out", "file")
    assert code == 74
    assert err == "striate: file: can't be written (File exists). Choose another --out.\n"


def test_without_the_training_packages_a_letter_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None in sys.modules is how Python says that a module can't be imported.
    for name in [
        key for key in sys.modules if key.startswith(("striate.training", "striate.flow"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydantic", None)
    code, _, err = cli("train", "digits")
    assert code == 2
    assert err == (
        "striate: this needs the package 'pydantic', which isn't installed. "
        "Install what training needs: pip install 'striate[train]'\n"
    )


def train_in_background(folder: str, cwd: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "striate", "train", folder, *words],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_keeps_what_is_done(
    stripes_folder: str, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Ctrl-C ends with a model; whoever sends the others doesn't wait for one."""
    process = train_in_background(stripes_folder, tmp_path, "--epochs", "10000", "--name", "n")
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if line.startswith("epoch   2/"):
            process.send_signal(number)
            break
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert "Stopping after this step; what is done so far is kept." in out
    run = tmp_path / "runs" / "n"
    assert (run / "checkpoints" / "00000001.json").exists()
    if number != signal.SIGINT:
        assert err == (
            "striate: Stopped; what is done is saved. Go on with: striate train --resume runs/n\n"
        )
        assert not (run / "report.html").exists()
        return
    assert "stopped by a signal in epoch" in out
    assert err == ""
    assert (run / "report.html").exists()
    import striate

    assert striate.load(tmp_path / "runs" / "n").answer.names == ("across", "down")


@pytest.mark.parametrize(
    ("words", "letter"),
    [
        (
            ("--minutes", "1", "--epochs", "3"),
            "--epochs (training.epochs) and --minutes (training.minutes) both say how long to train. "
            "Leave one of them out.",
        ),
        (
            ("--minutes", "-1"),
            "--minutes (training.minutes) = -1.0: input should be greater than 0.",
        ),
    ],
)
def test_minutes_that_can_not_be(
    cli: Cli, stripes_folder: str, words: tuple[str, ...], letter: str
) -> None:
    assert cli("train", stripes_folder, *words) == (2, "", f"striate: {letter}\n")


def test_too_few_minutes_are_refused_before_anything_is_written(
    cli: Cli, stripes_folder: str
) -> None:
    code, out, err = cli("train", stripes_folder, "--minutes", "0.001")
    assert (code, out) == (2, "")
    assert err.startswith("striate: --minutes 0.001 (training.minutes): ")
    assert not Path("runs").exists()


@pytest.mark.slow
def test_training_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "stripes", each=6)
    code = (
        "import sys, striate\n"
        f"striate.train({str(folder)!r}, epochs=1, out={str(tmp_path / 'runs')!r})\n"
        "print(*sorted(name for name in sys.modules if '.' not in name or name == 'torch._dynamo'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "torch" in loaded
    assert not loaded & {
        "torchvision", "timm", "sklearn", "matplotlib", "scipy", "pandas", "torch._dynamo", "sympy",
        "rich", "optuna", "torchmetrics",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "letter"),
    [
        (["--freeze"], "--freeze is for pretrained weights, and this run starts from random ones. Add "
         "--weights package, or the weights' file."),
        (["--fine-tune", "alway"], "--fine-tune (network.fine_tune) = 'alway': input should be 'auto', "
         "'always' or 'never'. Did you mean 'always'?"),
        (["--network", "resnet18", "--weights", "absent.pth"], "absent.pth: there is no such file of "
         "weights. Check its name."),
        (["--network", "resnet18", "--weights", "absent.pth", "--no-freeze", "--fine-tune", "never"],
         "--fine-tune never with --no-freeze would train nothing. Leave one out."),
    ],
)  # fmt: skip
def test_pretrained_weights_that_cannot_be_had_or_used_are_a_letter(
    cli: Cli, stripes_folder: str, words: list[str], letter: str
) -> None:
    code, out, err = cli("train", stripes_folder, *words)
    assert (code, err) == (2, f"striate: {letter}\n")
    assert "source" not in out
