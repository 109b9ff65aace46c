"""The pretrained classifier's answers as features, against NumPy's and SciPy's arithmetic."""

import numpy as np
import pytest
import torch
from scipy.special import softmax

import striate
from striate.network import build
from striate.network._known_classes import KnownClasses


def test_features_stay_and_roots_of_probabilities_follow() -> None:
    torch.manual_seed(0)
    layer, features_NF = KnownClasses(4, 3), torch.randn(5, 4)
    got = layer(features_NF).detach().numpy()
    weight, bias = (one.detach().numpy() for one in layer.classifier.parameters())
    probabilities = softmax(features_NF.numpy() @ weight.T + bias, axis=1)
    np.testing.assert_array_equal(got[:, :4], features_NF)
    np.testing.assert_allclose(got[:, 4:], np.sqrt(probabilities), atol=1e-6)
    np.testing.assert_allclose((got[:, 4:] ** 2).sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("size", [1.0, 1e4])
def test_gradients_are_finite_also_where_probabilities_underflow(size: float) -> None:
    torch.manual_seed(0)
    layer = KnownClasses(4, 3)
    features_NF = (size * torch.randn(5, 4)).requires_grad_()
    layer(features_NF)[:, 4:].sum().backward()
    assert torch.isfinite(features_NF.grad).all()
    assert [one.grad for one in layer.parameters()] == [None, None]


def test_the_layer_table_counts_them_and_they_are_not_trained() -> None:
    options = {"known_classes": 1000}
    table = striate.summary("resnet18", input=(3, 64, 64), outputs=10, options=options)
    network = build("resnet18", channels=3, height=64, width=64, outputs=10, options=options)
    total = sum(one.numel() for one in network.parameters())
    assert total == 11_176_512 + 513 * 1000 + (512 + 1000 + 1) * 10
    assert table.parameters == total
    assert table.trainable == total - 513 * 1000
    assert [row.name for row in table.rows][-2:] == ["head.known.classifier", "head.output"]
