"""Networks that break the contract of docs/model-folder.md are refused with what they have."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onnx_models import expected, tiny_classifier
from pictures import stripes
from striate.errors import ModelError, UsageError
from striate.image import Shape
from striate.model._external import points_elsewhere
from striate.model._session import Network

SHAPE = Shape(height=8, width=8, channels=3)
Edit = Callable[[onnx.ModelProto], object]


def _open(data: bytes, *, answers: int = 2) -> Network:
    return Network(data, name="m/network.onnx", shape=SHAPE, answers=answers)


def _edited(edit: Edit) -> bytes:
    model = onnx.load_from_string(tiny_classifier(2))
    edit(model)
    return model.SerializeToString()


def _refused(data: bytes) -> str:
    with pytest.raises(ModelError) as caught:
        _open(data)
    return str(caught.value)


def _dimension(value: onnx.ValueInfoProto, axis: int) -> onnx.TensorShapeProto.Dimension:
    return value.type.tensor_type.shape.dim[axis]


def _fix_n(model: onnx.ModelProto) -> None:
    _dimension(model.graph.input[0], 0).dim_value = 1


def _wide(model: onnx.ModelProto) -> None:
    _dimension(model.graph.input[0], 2).dim_value = 9
    matrix = np.zeros((8 * 9 * 3, 2), np.float32)
    next(t for t in model.graph.initializer if t.name == "matrix").CopyFrom(
        numpy_helper.from_array(matrix, "matrix")
    )


def _float_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def _rename_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = model.graph.node[0].input[0] = "images"


def _second_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


INPUT = "m/network.onnx: expected one input 'pictures', tensor(uint8) of (N, 8, 8, 3), but it has "


@pytest.mark.parametrize(
    ("edit", "has"),
    [
        (_fix_n, "'pictures', tensor(uint8) of (1, 8, 8, 3)."),
        (_wide, "'pictures', tensor(uint8) of (N, 8, 9, 3)."),
        (_float_input, "'pictures', tensor(float) of (N, 8, 8, 3)."),
        (_rename_input, "'images', tensor(uint8) of (N, 8, 8, 3)."),
        (_second_input, "'pictures', tensor(uint8) of (N, 8, 8, 3); 'more', tensor(float) of (1)."),
    ],
)
def test_another_input_is_refused(edit: Edit, has: str) -> None:
    assert _refused(_edited(edit)) == INPUT + has


def _drop_logits(model: onnx.ModelProto) -> None:
    del model.graph.output[0]


def _more_outputs(model: onnx.ModelProto) -> None:
    model.graph.output.append(
        helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["N", 8 * 8 * 3])
    )


OUTPUTS = (
    "m/network.onnx: expected the outputs 'logits' and 'answer', tensor(float) of (N, K), with 2 "
    "numbers in an answer, but it has "
)
LOGITS, ANSWER = "'logits', tensor(float) of (N, 2)", "'answer', tensor(float) of (N, 2)"


@pytest.mark.parametrize(
    ("edit", "has"),
    [
        (_drop_logits, f"{ANSWER}."),
        (_more_outputs, f"{LOGITS}; {ANSWER}; 'rows', tensor(float) of (N, 192)."),
    ],
)
def test_other_outputs_are_refused(edit: Edit, has: str) -> None:
    assert _refused(_edited(edit)) == OUTPUTS + has


def test_another_number_of_answers_is_refused() -> None:
    three = LOGITS.replace("2", "3"), ANSWER.replace("2", "3")
    assert _refused(tiny_classifier(3)) == OUTPUTS + "; ".join(three) + "."


def test_an_open_number_of_answers_is_found_out_by_the_first_run() -> None:
    def leave_open(model: onnx.ModelProto) -> None:
        """Keep the columns whose first number is over -1e30: how many, no one can know before."""
        model.graph.node[-1].output[0] = "all"
        model.graph.node.extend(
            [
                helper.make_node("Gather", ["logits", "zero"], ["first"], axis=0),
                helper.make_node("Greater", ["first", "lowest"], ["kept"]),
                helper.make_node("Compress", ["all", "kept"], ["answer"], axis=1),
            ]
        )
        for name, value in {"zero": np.int64(0), "lowest": np.float32(-1e30)}.items():
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        _dimension(model.graph.output[1], 1).dim_param = "K"

    network = _open(_edited(leave_open), answers=3)
    with pytest.raises(ModelError) as caught:
        network.run(np.zeros((4, 8, 8, 3), np.uint8))
    assert str(caught.value) == (
        "m/network.onnx: expected 3 numbers in an answer, but got (4, 2) for 4 pictures."
    )


def test_numbers_that_are_not_finite_are_refused() -> None:
    def spoil(model: onnx.ModelProto) -> None:
        middle = next(t for t in model.graph.initializer if t.name == "middle")
        middle.CopyFrom(numpy_helper.from_array(np.float32(np.nan), "middle"))

    with pytest.raises(ModelError) as caught:
        _open(_edited(spoil)).run(np.zeros((1, 8, 8, 3), np.uint8))
    assert str(caught.value) == "m/network.onnx: the network gives numbers that aren't finite."


@pytest.mark.parametrize(
    ("shape", "dtype", "got"),
    [
        ((1, 8, 9, 3), "uint8", "uint8 of (1, 8, 9, 3)"),
        ((8, 8, 3), "uint8", "uint8 of (8, 8, 3)"),
        ((1, 8, 8, 3), "float32", "float32 of (1, 8, 8, 3)"),
    ],
)
def test_pictures_of_another_size_are_refused(shape: tuple[int, ...], dtype: str, got: str) -> None:
    with pytest.raises(UsageError) as caught:
        _open(tiny_classifier(2)).run(np.zeros(shape, dtype))
    assert str(caught.value) == (
        f"The network takes uint8 pictures of (N, 8, 8, 3), but got {got}."
    )


@pytest.mark.parametrize("threads", [1, 2, None])
def test_the_number_of_threads_does_not_change_the_answer(threads: int | None) -> None:
    pictures = np.stack([stripes(kind, 0, size=8) for kind in range(3)])
    network = Network(tiny_classifier(5), name="m", shape=SHAPE, answers=5, threads=threads)
    np.testing.assert_allclose(
        network.run(pictures)[1], expected("classification", pictures, 5), atol=1e-6
    )


def test_an_operator_that_is_unknown_is_refused() -> None:
    def unknown(model: onnx.ModelProto) -> None:
        model.graph.node[-1].op_type = "Softestmax"

    assert _refused(_edited(unknown)).startswith(
        "m/network.onnx: ONNX Runtime refuses this network: "
    )


@pytest.mark.parametrize("data", [b"", b"\x00", b"not a network", b"\x08\x09", b"\xff" * 40])
def test_what_is_no_network_is_refused(data: bytes) -> None:
    assert _refused(data).startswith("m/network.onnx: ")


@given(st.binary(max_size=80))
@settings(deadline=None, max_examples=60)
def test_any_bytes_are_refused_with_a_letter(data: bytes) -> None:
    assert _refused(data).startswith("m/network.onnx: ")


@given(position=st.integers(0, 4000), other=st.integers(1, 255))
@settings(deadline=None, max_examples=100)
def test_a_damaged_network_is_opened_or_refused(position: int, other: int) -> None:
    """Names that are no UTF-8 among them, which ONNX Runtime only notices when it says them."""
    data = bytearray(tiny_classifier(2))
    data[position % len(data)] ^= other
    try:
        _open(bytes(data)).run(np.zeros((1, 8, 8, 3), np.uint8))
    except ModelError as error:
        assert str(error).startswith("m/network.onnx: ")


def test_nothing_is_printed_about_damaged_networks(capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output holds the JSON document of `--json` and nothing else."""
    for position in range(1, 420, 3):
        data = bytearray(tiny_classifier(2))
        data[-position] ^= 0x80
        try:
            _open(bytes(data)).run(np.zeros((1, 8, 8, 3), np.uint8))
        except ModelError as error:
            assert str(error).startswith("m/network.onnx: ")
    assert capfd.readouterr() == ("", "")


def _external(location: Path) -> onnx.TensorProto:
    tensor = TensorProto(name="matrix", data_type=TensorProto.FLOAT, dims=[192, 2])
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", str(location)
    return tensor


def _in_initializer(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    next(t for t in model.graph.initializer if t.name == "matrix").CopyFrom(tensor)


def _in_constant(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    model.graph.node.insert(0, helper.make_node("Constant", [], ["unused"], value=tensor))


def _in_branch(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    inner = helper.make_graph([], "inner", [], [], [tensor])
    node = helper.make_node("If", ["yes"], ["maybe"], then_branch=inner, else_branch=inner)
    model.graph.node.insert(0, node)


def _in_function(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    node = helper.make_node("Constant", [], ["y"], value=tensor)
    model.functions.append(
        helper.make_function("own", "F", [], ["y"], [node], [helper.make_opsetid("", 17)])
    )


def _in_sparse(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(tensor)


PLACES = [_in_initializer, _in_constant, _in_branch, _in_function, _in_sparse]


@pytest.mark.parametrize("place", PLACES)
def test_a_network_that_points_to_another_file_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: Callable[[onnx.ModelProto, onnx.TensorProto], None],
) -> None:
    np.zeros((192, 2), np.float32).tofile(tmp_path / "secret.bin")
    monkeypatch.chdir(tmp_path)
    tensor = _external(Path("secret.bin"))
    assert _refused(_edited(lambda model: place(model, tensor))) == (
        "m/network.onnx: the network keeps numbers in another file, which is refused. Export it "
        "as one file."
    )


@pytest.mark.parametrize("place", PLACES)
def test_the_default_location_is_not_another_file(
    place: Callable[[onnx.ModelProto, onnx.TensorProto], None],
) -> None:
    tensor = numpy_helper.from_array(np.zeros((192, 2), np.float32), "matrix")
    # Written out, though it is the default.
    tensor.data_location = TensorProto.DEFAULT
    assert not points_elsewhere(_edited(lambda model: place(model, tensor)))


def test_messages_nested_too_deep_are_refused() -> None:
    model = onnx.load_from_string(tiny_classifier(2))
    graph = model.graph
    for _ in range(40):
        outer = onnx.GraphProto(name="outer")
        outer.node.append(helper.make_node("If", ["yes"], ["y"]))
        attribute = outer.node[0].attribute.add(name="then_branch")
        attribute.type = onnx.AttributeProto.GRAPH
        attribute.g.CopyFrom(graph)
        graph = outer
    model.graph.CopyFrom(graph)
    assert _refused(model.SerializeToString()) == (
        "m/network.onnx: this is not an ONNX network: nested too deep."
    )
