"""The second look at a network, as a run tells it."""

from pathlib import Path
from typing import Any

import pytest
from torch import nn

import striate
from pictures import write_folder
from striate.training import Silent


class Ear(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)


def warnings_of(folder: Path, out: Path, **options: Any) -> list[str]:
    ear = Ear()
    striate.train(folder, epochs=1, out=out, listener=ear, **options)
    return ear.warnings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "stripes", each=6)


def test_the_default_network_is_not_complained_about(folder: Path, tmp_path: Path) -> None:
    assert warnings_of(folder, tmp_path) == []


def test_two_dense_layers_without_an_activation_are_told(folder: Path, tmp_path: Path) -> None:
    told = warnings_of(folder, tmp_path, network="cnn5")
    assert any(
        sentence.startswith("Between dense1 and dense2 there is no activation") for sentence in told
    )
    assert any("times the" in sentence and "heart" in sentence for sentence in told)


def test_a_network_with_nothing_to_train_is_refused(folder: Path, tmp_path: Path) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2)).requires_grad_(False)
    with pytest.raises(striate.NetworkError, match="nothing could be learnt"):
        striate.train(folder, network=module, out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_head_that_was_added_is_told(folder: Path, tmp_path: Path) -> None:
    heard: list[Any] = []

    class Facts(Silent):
        def found(self, facts: Any) -> None:
            heard.extend(facts)

    line = "conv 4 3 pad 1 | relu | max 2"
    striate.train(folder, network=line, epochs=1, out=tmp_path, listener=Facts())
    reason = next(why for name, _, why in heard if name == "network")
    assert reason == "it didn't end in a dense layer, so one was added"
