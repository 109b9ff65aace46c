"""A real model folder measured on real files."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pictures import save, stripes, write_folder
from striate.answer import Classification
from striate.data import open_source, store
from striate.evaluation import answers, evaluate
from striate.image import Shape
from striate.model import Manifest, Predictor, write_model

SIZE = 16


def _constant(name: str, values: list[int]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def _change_along(axis: int, name: str) -> list[onnx.NodeProto]:
    """Return nodes that give the mean absolute difference of neighbours along an axis, (N, 1)."""
    mean = {"axes": [1, 2, 3], "keepdims": 0}
    return [
        helper.make_node("Slice", ["grey", "one", "end", f"axis{axis}"], [f"{name}_later"]),
        helper.make_node("Slice", ["grey", "zero", "last", f"axis{axis}"], [f"{name}_earlier"]),
        helper.make_node("Sub", [f"{name}_later", f"{name}_earlier"], [f"{name}_step"]),
        helper.make_node("Abs", [f"{name}_step"], [f"{name}_size"]),
        helper.make_node("ReduceMean", [f"{name}_size"], [f"{name}_mean"], **mean),
        helper.make_node("Unsqueeze", [f"{name}_mean", "axis1"], [name]),
    ]


def _stripes_network() -> bytes:
    """Return a network.onnx that tells stripes across from stripes down, without any training."""
    nodes = [
        helper.make_node("Cast", ["pictures"], ["grey"], to=TensorProto.FLOAT),
        *_change_along(2, "across"),
        *_change_along(1, "down"),
        helper.make_node("Concat", ["across", "down"], ["logits"], axis=1),
        helper.make_node("Softmax", ["logits"], ["answer"], axis=1),
    ]
    numbers = {"zero": [0], "one": [1], "end": [SIZE], "last": [-1], "axis1": [1], "axis2": [2]}
    graph = helper.make_graph(
        nodes,
        "stripes",
        [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["N", SIZE, SIZE, 3])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2])
            for name in ("logits", "answer")
        ],
        [_constant(name, values) for name, values in numbers.items()],
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    manifest = Manifest(
        answer=Classification(("across", "down")),
        shape=Shape(height=SIZE, width=SIZE, channels=3),
        mean=(0.0, 0.0, 0.0),
        deviation=(1.0, 1.0, 1.0),
        network={"name": "stripes", "options": {}, "parameters": 0},
        training={"samples": 1, "fingerprint": "0" * 64, "seed": 0},
        versions={},
    )
    folder = tmp_path_factory.mktemp("run") / "model"
    return write_model(folder, manifest, onnx=_stripes_network(), weights=b"")


def test_a_folder_of_pictures_is_measured(model: Predictor, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "stripes", each=9, size=SIZE)
    found = evaluate(model, open_source(folder))
    assert (found.part, found.samples, found.metrics["accuracy"]) == ("all", 18, 1)
    assert found.sentence.endswith(
        "18/18 correct, accuracy 100.00 % (95 % interval 82.41 to 100.00 %)"
    )


def test_a_picture_in_the_wrong_folder_is_the_worst(model: Predictor, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "stripes", each=9, size=SIZE)
    save(stripes(0, 99, size=SIZE), folder / "down" / "wrong.png")
    found = evaluate(model, open_source(folder))
    assert found.metrics["correct"] == 18
    assert [(Path(row["name"]).name, row["target"]) for row in found.worst] == [
        ("wrong.png", "down")
    ]
    assert found.worst[0]["answer"]["label"] == "across"


def test_a_damaged_picture_is_left_out(model: Predictor, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "stripes", each=9, size=SIZE)
    damaged = folder / "across" / "000.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    found = evaluate(model, open_source(folder))
    assert (found.samples, found.metrics["accuracy"]) == (17, 1)
    assert [Path(left.name).name for left in found.unreadable] == ["000.png"]


def test_store_file_and_evaluation_give_the_same_answers(model: Predictor, tmp_path: Path) -> None:
    """Pictures of other sizes go through the same resizing, whoever asks."""
    folder = write_folder(tmp_path / "stripes", each=5, size=29)
    source = open_source(folder)
    every = np.arange(len(source))
    with store(source, model.shape) as stored:
        _, stored_NK = answers(model, stored, every)
    read: list[npt.NDArray[np.uint8]] = []
    for position in every.tolist():
        file = source.pictures.file(position)
        assert file is not None
        read.append(model.pixels(file))
    assert np.array_equal(model.run(np.stack(read))[1], stored_NK)
    expected = source.answer.metrics(stored_NK, source.targets)
    assert evaluate(model, source, part="all").metrics == expected
