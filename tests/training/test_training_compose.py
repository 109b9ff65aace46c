"""network.onnx composed of a backbone's file and a head: as PyTorch exports the same network."""

from collections import OrderedDict

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch
from torch import nn

from pictures import stripes
from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.image import Shape
from striate.model._session import Network
from striate.network import Classifier
from striate.task import task_for
from striate.training._compose import compose
from striate.training._export import Features, features_to_onnx, to_onnx
from striate.training._head_model import Head, Model, answers_of
from striate.training._pixels import InputStage
from striate.training._views import Count, Views

SHAPE = Shape(height=10, width=12, channels=3)
VALUES = np.array([[3.0, -200.0], [5.0, 100.0], [9.0, 400.0]])
CASES: list[tuple[Answer, int, npt.NDArray[np.generic]]] = [
    (Classification(("a", "b")), 2, np.array([0, 1])),
    (Classification(("a", "b")), 1, np.array([0, 1])),
    (Classification(("a", "b", "c")), 3, np.array([0, 1, 2])),
    (MultiLabel(("a", "b", "c")), 3, np.eye(3, dtype=np.uint8)),
    (MultiLabel(("a",)), 1, np.array([[0], [1]], np.uint8)),
    (Regression(("x",)), 1, VALUES[:, :1]),
    (Regression(("x", "y")), 2, VALUES),
]
IDS = ["2 classes", "1 logit", "3 classes", "labels", "1 label", "a number", "numbers"]


def tiny(outputs: int) -> Classifier:
    """Return a network with batch norm whose layers bear the names that a composed file uses."""
    torch.default_generator.manual_seed(outputs)
    # Called as the tail's own nodes are, so that a clash would show.
    backbone = nn.Sequential(
        OrderedDict(deviation=nn.Conv2d(3, 7, 3), mean=nn.BatchNorm2d(7), scaled=nn.ReLU())
    )
    head = nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), output=nn.Linear(7, outputs)
        )
    )
    network = Classifier("tiny", backbone, head, shape=(3, 10, 12))
    network(torch.rand(8, 3, 10, 12))  # statistics that aren't 0 and 1
    return network.eval()


def stage() -> InputStage:
    return InputStage([0.4, 0.5, 0.6], [0.2, 0.25, 0.3])


def head_of(network: Classifier) -> Head:
    last = network.head.output
    assert isinstance(last, nn.Linear)
    return Head(weights_KF=last.weight.detach().numpy(), bias_K=last.bias.detach().numpy())


def pictures(count: int = 5) -> npt.NDArray[np.uint8]:
    return np.stack([stripes(at % 3, at, size=12)[:10] for at in range(count)])


def composed(
    network: Classifier, answer: Answer, targets: npt.NDArray[np.generic], views: Count = 1
) -> bytes:
    model = Model(answer, targets)
    return compose(
        features_to_onnx(Features(stage(), network, views), SHAPE),
        head_of(network),
        answer,
        mean_K=model.mean_K,
        deviation_K=model.deviation_K,
    )


def run(data: bytes, answers: int, some: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
    """Return logits and answers of a file that obeys docs/model-folder.md."""
    return list(Network(data, name="m/network.onnx", shape=SHAPE, answers=answers).run(some))


@pytest.mark.parametrize(("answer", "outputs", "targets"), CASES, ids=IDS)
def test_a_composed_file_is_the_exported_one(
    answer: Answer, outputs: int, targets: npt.NDArray[np.generic]
) -> None:
    network = tiny(outputs)
    got = run(composed(network, answer, targets), len(answer.names), pictures())
    task = task_for(answer, train_targets=targets, outputs=outputs)
    expected = run(to_onnx(stage(), network, task, SHAPE), len(answer.names), pictures())
    assert [one.shape for one in got] == [(5, outputs), (5, len(answer.names))]
    for mine, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("views", [2, 6])
def test_a_head_on_the_mean_of_views_gives_the_mean_of_their_logits(views: Count) -> None:
    network, answer = tiny(2), Classification(("a", "b"))
    got = run(composed(network, answer, CASES[0][2], views), 2, pictures())
    task = task_for(answer, train_targets=CASES[0][2], outputs=2)
    expected = run(to_onnx(stage(), Views(network, views), task, SHAPE), 2, pictures())
    once = run(composed(network, answer, CASES[0][2]), 2, pictures())
    for mine, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5, rtol=1e-5)
    assert not np.allclose(got[0], once[0], atol=1e-4)


@pytest.mark.parametrize(("answer", "outputs", "targets"), CASES, ids=IDS)
def test_its_answers_are_those_of_numpy(
    answer: Answer, outputs: int, targets: npt.NDArray[np.generic]
) -> None:
    network = tiny(outputs)
    logits, answers = run(composed(network, answer, targets), len(answer.names), pictures())
    with torch.inference_mode():
        pooled = network.head[:-1](network.backbone(stage()(torch.from_numpy(pictures()))))
    by_hand = head_of(network).logits(pooled.numpy())
    np.testing.assert_allclose(logits, by_hand, atol=1e-5)
    expected = answers_of(Model(answer, targets), by_hand)
    np.testing.assert_allclose(answers, expected, atol=1e-5, rtol=1e-5)


def test_names_are_used_once_and_the_file_is_valid() -> None:
    data = composed(tiny(2), Regression(("x", "y")), VALUES)
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    made = [name for node in model.graph.node for name in node.output]
    held = [one.name for one in model.graph.initializer]
    assert len({*made, *held}) == len(made) + len(held)
    assert [one.name for one in model.graph.output] == ["logits", "answer"]


def test_composing_twice_gives_the_same_bytes() -> None:
    network, answer = tiny(2), Classification(("a", "b"))
    backbone = features_to_onnx(Features(stage(), network), SHAPE)
    some = [
        compose(backbone, head_of(network), answer, mean_K=np.zeros(2), deviation_K=np.ones(2))
        for _ in range(2)
    ]
    assert some[0] == some[1]
