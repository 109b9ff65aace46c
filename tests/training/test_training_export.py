"""What is written as network.onnx: paddings that follow from the size are numbers in it."""

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from striate.answer import Classification
from striate.image import Shape
from striate.task import task_for
from striate.training._export import to_onnx
from striate.training._pixels import InputStage

SHAPE = Shape(height=37, width=52, channels=3)


def as_written() -> nn.Module:
    """Return a network with every kind of timm's "same" padding: convolution, largest and mean."""
    from timm.layers.conv2d_same import Conv2dSame
    from timm.layers.pool2d_same import AvgPool2dSame, MaxPool2dSame

    return nn.Sequential(
        Conv2dSame(3, 4, 3, stride=2),
        MaxPool2dSame(3, stride=2),
        AvgPool2dSame(3, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )


def sources(graph: onnx.GraphProto, value: str) -> set[str]:
    """Return the names of everything that a value is worked out from."""
    makers = {name: one for one in graph.node for name in one.output}
    found, left = set(), [value]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += makers[name].input if name in makers else []
    return found


def test_same_padding_is_a_number_in_the_file() -> None:
    torch.manual_seed(0)
    network, stage = as_written().eval(), InputStage([127.5] * 3, [64.0] * 3)
    task = task_for(Classification(classes=("a", "b")), train_targets=np.arange(2), outputs=2)
    data = to_onnx(stage, network, task, SHAPE)
    graph = onnx.load_from_string(data).graph
    pads = [one for one in graph.node if one.op_type == "Pad"]
    assert len(pads) == 3
    assert "pictures" in sources(graph, pads[0].input[0])
    assert not [one for one in pads if "pictures" in sources(graph, one.input[1])]
    pictures = np.random.default_rng(0).integers(0, 256, (5, 37, 52, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (got,) = session.run(["logits"], {"pictures": pictures})
    with torch.inference_mode():
        expected = network(stage(torch.from_numpy(pictures)))
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_timm_is_left_as_it_was_found() -> None:
    from timm.layers import padding

    before = padding.get_same_padding
    test_same_padding_is_a_number_in_the_file()
    assert padding.get_same_padding is before
