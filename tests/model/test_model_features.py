"""A backbone on ONNX Runtime: features of a picture, whatever stands beside it."""

import numpy as np
import numpy.typing as npt
import pytest
from onnx import TensorProto, helper, numpy_helper

from pictures import stripes
from striate.errors import ModelError
from striate.model import BATCH, Backbone


def backbone(nodes: list[tuple[str, list[str], str]]) -> bytes:
    """Return a file from pictures of 8 x 8 to features: these nodes after a cast to floats."""
    matrix = np.random.default_rng(2).normal(size=(192, 4)).astype(np.float32)
    made = [helper.make_node(kind, inputs, [output]) for kind, inputs, output in nodes]
    cast = helper.make_node("Cast", ["pictures"], ["floats"], to=TensorProto.FLOAT)
    graph = helper.make_graph(
        [cast, *made],
        "features",
        [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["N", 8, 8, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 4])],
        [
            numpy_helper.from_array(matrix, "matrix"),
            numpy_helper.from_array(np.array([5, 192]), "five rows"),
            numpy_helper.from_array(np.array(0), "first"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


LINEAR = backbone([("Flatten", ["floats"], "rows"), ("MatMul", ["rows", "matrix"], "features")])


def pictures(count: int) -> npt.NDArray[np.uint8]:
    return np.stack([stripes(at % 4, at, size=8) for at in range(count)])


def test_features_are_those_of_numpy() -> None:
    matrix = np.random.default_rng(2).normal(size=(192, 4)).astype(np.float32)
    got = Backbone(LINEAR, name="b", threads=1).run(pictures(3))
    expected = pictures(3).reshape(3, -1).astype(np.float64) @ matrix
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("count", [1, 3, BATCH - 1])
def test_they_depend_neither_on_how_many_there_are_nor_on_the_others(count: int) -> None:
    runner = Backbone(LINEAR, name="b", threads=1)
    whole = runner.run(pictures(BATCH))
    np.testing.assert_array_equal(runner.run(pictures(count)), whole[:count])
    np.testing.assert_array_equal(runner.run(pictures(BATCH)[::-1])[-count:], whole[:count][::-1])


def test_every_run_has_the_same_number_of_pictures() -> None:
    # These features are the number of pictures in the run: a file that tells.
    counted = backbone(
        [
            ("Flatten", ["floats"], "rows"),
            ("MatMul", ["rows", "matrix"], "some"),
            ("Sub", ["some", "some"], "zeros"),
            ("Shape", ["pictures"], "sizes"),
            ("Gather", ["sizes", "first"], "count"),
            ("CastLike", ["count", "zeros"], "number"),
            ("Add", ["zeros", "number"], "features"),
        ]
    )
    got = Backbone(counted, name="b", threads=1).run(pictures(3))
    np.testing.assert_array_equal(got, np.full((3, 4), BATCH))


def test_numbers_that_are_not_finite_are_refused() -> None:
    # The root of less than 0 isn't a number.
    root = backbone(
        [
            ("Flatten", ["floats"], "rows"),
            ("MatMul", ["rows", "matrix"], "signed"),
            ("Sqrt", ["signed"], "features"),
        ]
    )
    with pytest.raises(ModelError) as caught:
        Backbone(root, name="the kept backbone", threads=1).run(pictures(2))
    assert str(caught.value) == "the kept backbone: the backbone gives numbers that aren't finite."


def test_what_fails_inside_is_a_letter() -> None:
    wrong = backbone([("Reshape", ["floats", "five rows"], "features")])
    with pytest.raises(ModelError, match=r"^the kept backbone: the backbone fails: .*"):
        Backbone(wrong, name="the kept backbone", threads=1).run(pictures(2))


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ModelError, match=r"^the kept backbone"):
        Backbone(b"no network", name="the kept backbone")
