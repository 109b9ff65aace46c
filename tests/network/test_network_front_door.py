"""What striate.network offers, and what it takes to import it."""

import subprocess
import sys

import numpy as np
import pytest
from torch import nn

import striate.network
from striate.network import build, first_kernels


def test_the_public_names() -> None:
    assert striate.network.__all__ == [
        "Activation", "Add", "BatchNorm", "Calculation", "Classifier", "Concatenate", "Conv",
        "Dense", "Dropout", "Entry", "Finding", "Flatten", "GlobalPool", "Layer", "Network",
        "Option", "Parallel", "Pixels", "Pool", "Pretrained", "Report", "Residual", "Row",
        "Shape", "Sides", "Sizes", "Specification", "Summary", "build", "canonical", "convolve",
        "entry", "find_weights", "first_kernels", "fit_weights", "freeze", "has_backbone",
        "initialise",
        "installed", "is_depthwise", "known_classes", "layer_units", "look", "networks", "parse", "pool",
        "read_maps", "read_number", "require_fit", "specify", "summary", "whiten",
        "written_line",
    ]  # fmt: skip
    assert all(hasattr(striate.network, name) for name in striate.network.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        striate.network.nothing  # noqa: B018


def test_tables_need_no_pytorch() -> None:
    program = (
        "import sys, striate.network as n\n"
        "for one in n.networks():\n"
        "    if one.builder: n.summary(one.name).table()\n"
        "    one.to_json()\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("False", "")


def test_first_kernels_are_a_copy_of_the_first_convolution() -> None:
    network = build("cnn64", channels=3, height=64, width=64, outputs=1)
    found = first_kernels(network)
    assert found is not None
    name, kernels = found
    assert (name, kernels.shape, kernels.dtype) == ("conv1", (32, 3, 3, 3), np.float32)
    np.testing.assert_array_equal(kernels, network.layers.conv1.weight.detach().numpy())
    kernels[:] = 0
    assert network.layers.conv1.weight.abs().sum() > 0


def test_a_network_without_convolution_has_no_kernels() -> None:
    assert first_kernels(nn.Linear(2, 2)) is None
