"""Tensors and trees, there and back."""

import json
import math

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from striate.errors import UsageError
from striate.training._checkpoints import _tensors
from striate.training._checkpoints._tensors import pack, unpack
from striate.training._checkpoints._tree import decode, encode

DTYPES = ["f8", "f4", "f2", "c8", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


def content(tensors):
    packed = pack(tensors)
    data = b"".join(packed.pieces())
    assert len(data) == packed.bytes
    return data


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        NAMES,
        st.sampled_from(DTYPES).flatmap(
            lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0))
        ),
        max_size=4,
    )
)
def test_arrays_come_back_and_the_library_reads_the_same(tensors):
    data = content(tensors)
    assert data == content(dict(reversed(tensors.items())))
    for back in (unpack(data), safetensors.numpy.load(data)):
        assert back.keys() == tensors.keys()
        for name, array in tensors.items():
            assert back[name].dtype == array.dtype and back[name].shape == array.shape
            assert back[name].tobytes() == array.tobytes()
    assert all(array.flags.writeable for array in unpack(data).values())


@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.float16, torch.bool]
)
def test_pytorchs_own_types_keep_their_bytes(dtype):
    tensor = torch.arange(-6, 6).reshape(3, 4).to(dtype)
    data = content({"a": tensor, "b": tensor[:0], "c": tensor[0, 0]})
    theirs = safetensors.torch.load(data)
    assert theirs["a"].dtype == dtype and torch.equal(theirs["a"].float(), tensor.float())
    back = torch.from_numpy(unpack(data)["a"]).view(dtype)
    assert torch.equal(back.float(), tensor.float()) and theirs["b"].shape == (0, 4)


def test_any_strides_are_stored_row_major():
    tensor = torch.randn(4, 3, 5, 2).to(memory_format=torch.channels_last)
    array = np.arange(24).reshape(4, 6).T[::2]
    back = unpack(content({"t": tensor, "a": array, "big": array.astype(">i4")}))
    assert np.array_equal(back["t"], tensor.numpy()) and np.array_equal(back["a"], array)
    assert np.array_equal(back["big"], array) and back["big"].dtype == np.dtype("<i4")
    assert content({"t": tensor}) == content({"t": tensor.contiguous()})


def test_pieces_are_large_and_whole(monkeypatch):
    monkeypatch.setattr(_tensors, "PIECE", 100)
    tensors = {f"{size}": np.arange(size, dtype=np.uint8) for size in (1, 5, 99, 100, 101, 250)}
    pieces = list(pack(tensors).pieces())
    assert len(pieces) < 12 and max(map(len, pieces)) <= len(pack(tensors).header) + 200
    back = unpack(b"".join(pieces))
    assert all(np.array_equal(back[name], one) for name, one in tensors.items())


def test_a_type_that_cant_be_kept_is_named():
    with pytest.raises(UsageError) as caught:
        pack({"network/z": np.zeros(2, np.complex128)})
    assert str(caught.value).startswith(
        "The tensor 'network/z' is of type complex128, which a checkpoint can't hold. "
        "Make it one of: float64, float32, "
    )


def test_unknown_types_and_no_safetensors_are_refused():
    data = content({"a": np.zeros(4, np.uint8)}).replace(b'"U8"', b'"F4"')
    with pytest.raises(ValueError):
        unpack(data)
    scale = content({"a": np.zeros(4, np.uint8)}).replace(b'"U8"', b'"F8_E8M0"')
    head = int.from_bytes(scale[:8], "little") + 5
    with pytest.raises(ValueError, match="holds 'a' of the unknown type F8_E8M0"):
        unpack(head.to_bytes(8, "little") + scale[8:])
    for broken in (b"", b"abc", data[:-1]):
        with pytest.raises(ValueError, match="isn't a safetensors file"):
            unpack(broken)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text().filter(lambda key: key != "float"), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(TREES)
def test_trees_come_back_bit_for_bit_from_strict_json(tree):
    text = json.dumps(encode(tree), allow_nan=False)
    # repr tells -0.0 from 0.0, and NaN is itself in it.
    assert repr(decode(json.loads(text))) == repr(tree)


def test_tuples_and_numpys_doubles_become_plain():
    assert encode({"a": (1, np.float64(0.1), math.inf)}) == {"a": [1, 0.1, {"float": "inf"}]}
    assert type(encode(np.float64(0.1))) is float


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({1: 2}, "A checkpoint's tree has text as keys, and never 'float'; got 1."),
        ({"float": 2}, "A checkpoint's tree has text as keys, and never 'float'; got 'float'."),
        ([{1}], "A checkpoint's tree holds plain values; got set."),
        (np.float32(1), "A checkpoint's tree holds plain values; got float32."),
    ],
)
def test_what_json_hasnt_is_refused(wrong, sentence):
    with pytest.raises(TypeError) as caught:
        encode(wrong)
    assert str(caught.value) == sentence
