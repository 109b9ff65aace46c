"""Tiny networks that obey the contract of docs/model-folder.md, made without PyTorch.

Each is one matrix over all pixels: logits = (pixels / 255 − 0.5) · weights, weights from a seed.
`expected` computes the same in NumPy.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from pictures import stripes
from striate.answer import Answer
from striate.image import MAX_PIXELS, Shape, encode_png
from striate.model import Manifest, write_model

_SPREAD = np.array([3.0, 40.0], dtype=np.float32)


def weights(answers: int, height: int, width: int, channels: int) -> npt.NDArray[np.float32]:
    """Return the matrix (H · W · C, K)."""
    rng = np.random.default_rng((answers, height, width, channels))
    size = height * width * channels
    return (rng.normal(size=(size, answers)) * 4 / np.sqrt(size)).astype(np.float32)


def expected(
    task: str, pictures_NHWC: npt.NDArray[np.uint8], answers: int
) -> npt.NDArray[np.float64]:
    """Return the answers (N, K) that the tiny network for `task` must give."""
    matrix = weights(answers, *pictures_NHWC.shape[1:]).astype(np.float64)
    logits_NK = (pictures_NHWC.reshape(len(pictures_NHWC), -1) / 255 - 0.5) @ matrix
    if task == "regression":
        return logits_NK * float(_SPREAD[0]) + float(_SPREAD[1])
    if task == "multi-label":
        return 1 / (1 + np.exp(-logits_NK))
    odds_NK = np.exp(logits_NK - logits_NK.max(axis=1, keepdims=True))
    return odds_NK / odds_NK.sum(axis=1, keepdims=True)


def tiny_classifier(classes: int, height: int = 8, width: int = 8, channels: int = 3) -> bytes:
    """Return an ONNX file whose answer is a softmax over `classes`."""
    return _network("classification", classes, height, width, channels)


def tiny_labeller(labels: int, height: int = 8, width: int = 8, channels: int = 3) -> bytes:
    """Return an ONNX file whose answer is a sigmoid for each of `labels`."""
    return _network("multi-label", labels, height, width, channels)


def tiny_regressor(targets: int, height: int = 8, width: int = 8, channels: int = 3) -> bytes:
    """Return an ONNX file whose answer is `targets` numbers, 3 · logits + 40."""
    return _network("regression", targets, height, width, channels)


def tiny_manifest(answer: Answer, shape: Shape) -> Manifest:
    """Return a manifest without samples and files, as `write_model` takes it."""
    return Manifest(
        answer=answer,
        shape=shape,
        mean=(0.5,) * shape.channels,
        deviation=(1.0,) * shape.channels,
        network={"name": "tiny", "options": {"bias": False}, "parameters": 1},
        training={"samples": 24, "fingerprint": "0" * 64, "seed": 7},
        versions={"python": "3.11.0", "numpy": np.__version__},
    )


def write_tiny_model(
    folder: Path, answer: Answer, *, shape: Shape | None = None, max_pixels: int = MAX_PIXELS
) -> Path:
    """Write the model folder `folder` of a tiny network with two synthetic samples; return it."""
    shape = shape or Shape(height=8, width=8, channels=3)
    sizes = (shape.height, shape.width, shape.channels)
    write_model(
        folder,
        replace(tiny_manifest(answer, shape), max_pixels=max_pixels),
        onnx=_network(answer.task, len(answer.names), *sizes),
        weights=b"the weights",
        samples=[
            (f"stripes-{kind}.png", encode_png(stripes(kind, 0, channels=shape.channels)))
            for kind in range(2)
        ],
        sample_source="synthetic",
    )
    return folder


def _network(task: str, answers: int, height: int, width: int, channels: int) -> bytes:
    matrix = weights(answers, height, width, channels)
    constants = {
        "scale": np.float32(255),
        "middle": np.float32(0.5),
        "matrix": matrix,
        "spread": _SPREAD[0],
        "centre": _SPREAD[1],
    }
    last = {
        "classification": [helper.make_node("Softmax", ["logits"], ["answer"], axis=1)],
        "multi-label": [helper.make_node("Sigmoid", ["logits"], ["answer"])],
        "regression": [
            helper.make_node("Mul", ["logits", "spread"], ["spreaded"]),
            helper.make_node("Add", ["spreaded", "centre"], ["answer"]),
        ],
    }
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["pictures"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Div", ["floats", "scale"], ["fractions"]),
            helper.make_node("Sub", ["fractions", "middle"], ["centred"]),
            helper.make_node("Flatten", ["centred"], ["rows"], axis=1),
            helper.make_node("MatMul", ["rows", "matrix"], ["logits"]),
            *last[task],
        ],
        "tiny",
        [helper.make_tensor_value_info(
            "pictures", TensorProto.UINT8, ["N", height, width, channels]
        )],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", answers]),
            helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["N", answers]),
        ],
        [
            numpy_helper.from_array(np.asarray(value), name)
            for name, value in constants.items()
            if task == "regression" or name not in ("spread", "centre")
        ],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
