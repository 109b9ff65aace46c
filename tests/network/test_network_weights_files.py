"""Files of weights: safetensors read strictly, pickles in a child; hostile ones harm nothing."""

import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save
from safetensors.torch import save as save_torch

from striate.errors import UsageError
from striate.network import find_weights
from striate.network._weights_child import RefusedError, check_archive, plain_tensors
from striate.network._weights_safetensors import ORDER, read_safetensors
from weight_files import Marker, bomb, entry, safetensors


def saved(content: Any, **options: Any) -> bytes:
    made = io.BytesIO()
    torch.save(content, made, **options)
    return made.getvalue()


def test_safetensors_are_read_as_the_library_writes_them() -> None:
    tensors = {
        "b": torch.randn(2, 3), "a": torch.randn(4, dtype=torch.float64),
        "half": torch.randn(3).half(), "brain": torch.randn(5).bfloat16(),
        "count": torch.tensor(3), "scalar": torch.tensor(2.5),
    }  # fmt: skip
    found = read_safetensors(save_torch(tensors), file="x")
    assert set(found.by_name) == set(tensors) - {"count"}
    for name, one in found.by_name.items():
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, tensors[name].float().numpy())


def test_the_order_is_known_only_where_the_file_tells_it() -> None:
    arrays = {name: np.zeros(2, np.float32) for name in ("w", "b")}
    told = read_safetensors(save(arrays, {ORDER: "w\nb"}), file="x")
    assert (list(told.by_name), told.ordered) == (["w", "b"], True)
    assert not read_safetensors(save(arrays), file="x").ordered
    lied = read_safetensors(save(arrays, {ORDER: "w\nz"}), file="x")
    assert list(lied.by_name) == ["b", "w"]


F = "x.safetensors isn't a whole safetensors file: "


@pytest.mark.parametrize(
    ("data", "letter"),
    [
        (b"abc", F + "its header should have 6,513,249 bytes, but the file has 3"),
        (b"\xff" * 16, F + "its header should have 18,446,744,073,709,551,615 bytes, but the file "
         "has 16"),
        (safetensors([1]), F + "its header is no JSON object"),
        (safetensors({"a": {"dtype": "F32"}}),
         F + "'a' should have dtype, shape and data_offsets, no more and no less"),
        (safetensors({"a": entry([1], 0, 4, "F4")}, bytes(4)),
         F + "'a' is of type F4; read are F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, "
         "U8, BOOL"),
        (safetensors({"a": entry([-1], 0, 4)}, bytes(4)),
         F + "the shape of 'a' should be at most 8 whole numbers"),
        (safetensors({"a": entry([10**18, 10**18], 0, 4)}, bytes(4)),
         F + f"'a' of shape ({10**18}, {10**18}) needs {4 * 10**36:,} bytes, but its offsets hold 4"),
        (safetensors({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
         F + "'b' should begin at byte 8, not 4"),
        (safetensors({"a": entry([2], 0, 8), "b": entry([2], 0, 8)}, bytes(8)),
         F + "'b' should begin at byte 8, not 0"),
        (safetensors({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, bytes(12)),
         F + "'b' should begin at byte 4, not 8"),
        (safetensors({"a": entry([2], 0, 8)}, bytes(7)),
         F + "its tensors need 8 bytes, but 7 are there"),
        (safetensors({"a": entry([1], 0, 4)}, bytes(9)),
         F + "its tensors need 4 bytes, but 9 are there"),
        (safetensors(b'{"a": 1, "a": 2}'),
         "x.safetensors: the key 'a' stands twice in one object."),
        (safetensors(b"[" * 10_000), "x.safetensors: nested deeper than 32."),
    ],
)  # fmt: skip
def test_a_damaged_safetensors_file_is_refused(data: bytes, letter: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_safetensors(data, file="x.safetensors")
    ending = ". Fetch it again." if letter.startswith(F) else (
        " Expected a safetensors file: fetch it again."
    )  # fmt: skip
    assert str(caught.value) == letter + ending


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("x.bin", "expected a file of weights that ends in .safetensors, .pth, .pt. "
         "Name one, or save the network's state dict as one."),
        ("none.pth", "there is no such file of weights. Check its name."),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_weights(name: str, letter: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_weights("resnet18", tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: {letter}"


def test_a_file_that_changed_after_it_was_found_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(save({"a": np.zeros(1, np.float32)}))
    found = find_weights("alexnet", path)
    path.write_bytes(save({"a": np.ones(1, np.float32)}))
    with pytest.raises(UsageError) as caught:
        _ = found.tensors
    assert str(caught.value) == f"{path}: the file changed while it was read. Try again."


@pytest.mark.slow
def test_a_foreign_state_dict_comes_back_from_the_child_in_its_order(tmp_path: Path) -> None:
    state = OrderedDict(z=torch.randn(2, 3), count=torch.tensor(1), a=torch.randn(4).half())
    path = tmp_path / "x.pth"
    path.write_bytes(saved({"state_dict": state, "epoch": 3}))
    found = find_weights("alexnet", path).tensors
    assert (list(found.by_name), found.ordered) == (["z", "a"], True)
    np.testing.assert_array_equal(found.by_name["z"], state["z"].numpy())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["reduce", "zip-reduce", "truncated"])
def test_a_hostile_pickle_is_refused_and_runs_nothing(kind: str, tmp_path: Path) -> None:
    marker, path = tmp_path / "marker", tmp_path / "x.pth"
    whole = {
        "reduce": lambda: pickle.dumps(Marker(marker), protocol=2),
        "zip-reduce": lambda: saved({"a": Marker(marker)}),
        "truncated": lambda: saved({"a": torch.randn(50)})[:-100],
    }[kind]()
    path.write_bytes(whole)
    with pytest.raises(UsageError) as caught:
        _ = find_weights("resnet18", path).tensors
    reasons = {
        "reduce": "but it asks for posix.mkdir, which weights don't need. ",
        "zip-reduce": "but it asks for posix.mkdir, which weights don't need. ",
        "truncated": "but it is a damaged zip (File is not a zip file). ",
    }
    assert str(caught.value) == (
        f"{path}: expected a state dict saved by torch.save, {reasons[kind]}"
        "Save the network's state dict as safetensors, and name that file."
    )
    assert not marker.exists()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bomb(), "its zip is compressed or encrypted, which PyTorch's never is"),
        (b"PK\x03\x04", "it is a damaged zip (File is not a zip file)"),
    ],
)
def test_a_zip_that_pytorch_did_not_write_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_archive(io.BytesIO(data), len(data))
    assert str(caught.value) == reason


def test_pytorchs_own_zip_passes_and_the_file_is_at_its_start() -> None:
    file = io.BytesIO(saved({"a": torch.zeros(3)}))
    check_archive(file, len(file.getvalue()))
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([1], "expected tensors by name, came list"),
        ({}, "expected tensors by name, came dict"),
        ({"a": 1}, "expected tensors by name, but 'a' is no tensor"),
        ({"a": torch.zeros(1).expand(10**9, 10**9)},
         "up to 'a' its tensors hold more than twice the file's bytes"),
        ({"a": torch.zeros(2).to_sparse()}, "'a' is sparse, quantised or without numbers"),
        ({"a": torch.zeros(2, device="meta")}, "'a' is sparse, quantised or without numbers"),
    ],
)  # fmt: skip
def test_what_is_no_state_dict_is_refused(found: Any, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        plain_tensors(found, 1000)
    assert str(caught.value) == reason
