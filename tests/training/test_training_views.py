"""Several views of a picture: against views made by hand, and in the exported file."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from striate.answer import Classification
from striate.image import Shape
from striate.task import task_for
from striate.training._export import to_onnx
from striate.training._pixels import InputStage
from striate.training._views import Views, seen


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 5)
    ).eval()


@pytest.fixture
def pictures():
    return np.random.default_rng(0).normal(size=(3, 3, 8, 8)).astype(np.float32)


def by_hand(network, pictures, moves):
    """Return the weighted mean of logits; moves: (weight, down, right) by NumPy's pad."""
    wide = np.pad(pictures, ((0, 0), (0, 0), (1, 1), (1, 1)), "reflect")
    total = 0
    with torch.inference_mode():
        for weight, top, left in moves:
            window = wide[:, :, top : top + 8, left : left + 8]
            for view in (window, window[..., ::-1]):
                total = total + weight / 2 * network(torch.from_numpy(view.copy())).numpy()
    return total


@pytest.mark.parametrize(
    ("views", "moves"),
    [(2, [(1, 1, 1)]), (6, [(0.5, 1, 1), (0.25, 0, 0), (0.25, 2, 2)])],
)
def test_logits_are_the_mean_over_views(network, pictures, views, moves):
    with torch.inference_mode():
        got = Views(network, views)(torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(got, by_hand(network, pictures, moves), rtol=1e-5, atol=1e-6)


def test_one_view_is_the_network_itself(network):
    assert seen(network, 1) is network


@pytest.mark.parametrize("views", [2, 6])
def test_the_exported_file_looks_as_often(network, views):
    task = task_for(Classification(tuple("abcde")), train_targets=np.arange(5), outputs=5)
    stage = InputStage([0.5] * 3, [0.25] * 3)
    shape = Shape(height=8, width=8, channels=3)
    session = onnxruntime.InferenceSession(to_onnx(stage, Views(network, views), task, shape))
    pixels = np.random.default_rng(1).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = Views(network, views)(stage(torch.from_numpy(pixels))).numpy()
    np.testing.assert_allclose(
        session.run(["logits"], {"pictures": pixels})[0], expected, rtol=1e-4, atol=1e-5
    )
