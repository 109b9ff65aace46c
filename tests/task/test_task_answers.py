"""Logits → answers: against NumPy, from units to deviations and back, and exported to ONNX."""

import warnings

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.answer import Classification, MultiLabel, Regression
from striate.task import task_for

ZERO_ONE = np.array([0, 1])


class Head(torch.nn.Module):
    """Answers of a task as a network of its own, to be exported."""

    def __init__(self, task):
        super().__init__()
        self.task = task

    def forward(self, logits):
        return self.task.answers(logits)


def tasks():
    numbers = np.random.default_rng(0).normal([1e3, -2.0], [50.0, 1e-3], (40, 2))
    return [
        ("softmax", task_for(Classification(("a", "b", "c")), train_targets=np.arange(3)), 3),
        ("pair", task_for(Classification(("a", "b")), train_targets=ZERO_ONE), 2),
        ("one logit", task_for(Classification(("a", "b")), train_targets=ZERO_ONE, outputs=1), 1),
        ("sigmoid", task_for(MultiLabel(("a", "b")), train_targets=np.eye(2)), 2),
        ("units", task_for(Regression(("a", "b")), train_targets=numbers), 2),
    ]


@pytest.mark.parametrize(
    ("task", "outputs"), [pytest.param(task, outputs, id=title) for title, task, outputs in tasks()]
)
def test_answers_are_the_same_from_the_exported_graph(task, outputs, tmp_path):
    path = tmp_path / "head.onnx"
    logits = torch.randn(7, outputs, generator=torch.Generator().manual_seed(1)) * 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(
            Head(task),
            (logits[:2],),
            str(path),
            input_names=["logits"],
            output_names=["answer"],
            dynamic_axes={"logits": {0: "N"}, "answer": {0: "N"}},
            dynamo=False,
        )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {"logits": logits.numpy()})
    expected = task.answers(logits)
    assert expected.dtype == torch.float32 and expected.shape == (7, len(task.answer.names))
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-6, atol=1e-7)


def test_answers_by_hand():
    by_title = {title: task for title, task, _ in tasks()}
    z = torch.tensor([[np.log(3.0)], [0.0], [-1e4], [1e4]])
    expected = torch.tensor([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
    torch.testing.assert_close(by_title["one logit"].answers(z), expected)
    pair = torch.cat([torch.zeros_like(z), z], dim=1)
    torch.testing.assert_close(by_title["pair"].answers(pair), expected)
    torch.testing.assert_close(by_title["pair"].answers(z), expected)
    torch.testing.assert_close(by_title["sigmoid"].answers(pair)[:, 1], expected[:, 1])
    z = torch.tensor([[0.0, np.log(2.0), np.log(5.0)]])
    torch.testing.assert_close(
        by_title["softmax"].answers(z), torch.tensor([[1 / 8, 2 / 8, 5 / 8]])
    )


def test_half_precision_logits_are_answered_and_measured_in_float32():
    for _, task, outputs in tasks():
        logits = torch.ones(2, outputs, dtype=torch.bfloat16)
        assert task.answers(logits).dtype == torch.float32


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10**6),
    size=st.floats(1e-3, 1e6),
    shift=st.floats(-1e6, 1e6),
    targets=st.integers(1, 3),
)
def test_regression_goes_to_deviations_and_back(seed, size, shift, targets):
    numbers = np.random.default_rng(seed).normal(shift, size, (50, targets))
    task = task_for(Regression(tuple("abc"[:targets])), train_targets=numbers)
    standard = task.tensor(numbers)
    assert standard.dtype == torch.float32
    np.testing.assert_allclose(standard.mean(0).numpy(), 0, atol=1e-5)
    np.testing.assert_allclose(standard.std(0, correction=0).numpy(), 1, rtol=1e-4)
    back = task.answers(standard).numpy()
    np.testing.assert_allclose(back, numbers, rtol=1e-5, atol=1e-5 * (size + abs(shift)))


def test_a_constant_target_has_deviation_one():
    numbers = np.column_stack([np.full(7, 0.1), np.arange(7.0)])
    task = task_for(Regression(("still", "moving")), train_targets=numbers)
    assert task.deviation_T.tolist() == [1.0, 2.0]
    np.testing.assert_allclose(task.tensor(numbers)[:, 0].numpy(), 0, atol=1e-7)
    np.testing.assert_allclose(task.answers(torch.zeros(1, 2)).numpy(), [[0.1, 3.0]], rtol=1e-6)


def test_targets_become_tensors_of_the_losses_types():
    by_title = {title: task for title, task, _ in tasks()}
    frozen = np.array([2, 0, 1], dtype=np.int64)
    frozen.flags.writeable = False
    numbers = by_title["softmax"].tensor(frozen)
    assert numbers.dtype == torch.int64 and numbers.tolist() == [2, 0, 1]
    mixed = by_title["softmax"].tensor(np.array([[0.5, 0.5, 0.0]]))
    assert mixed.dtype == torch.float32 and mixed.tolist() == [[0.5, 0.5, 0.0]]
    labels = by_title["sigmoid"].tensor(np.array([[0, 1]], dtype=np.uint8))
    assert labels.dtype == torch.float32 and labels.tolist() == [[0.0, 1.0]]
