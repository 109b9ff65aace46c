"""model.json: what goes in comes out, and everything odd is refused by name."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnx_models import tiny_manifest
from striate.answer import Classification, Regression
from striate.errors import ModelError
from striate.image import Shape
from striate.model import Manifest, Sample
from striate.model._strict import parse

SHAPE = Shape(height=8, width=6, channels=3, rule="pad", interpolation="bicubic")
DIGEST = "ab" * 32


def _json() -> dict[str, Any]:
    """Return a well-formed model.json with one sample."""
    manifest = tiny_manifest(Classification(("ant", "bee")), SHAPE)
    sample = {
        "file": "samples/0.png",
        "name": "an ant.jpg",
        "source": "own",
        "logits": [0.5, -0.25],
        "answer": [0.75, 0.25],
    }
    files = {"network.onnx": DIGEST, "weights.safetensors": DIGEST, "samples/0.png": DIGEST}
    return json.loads(json.dumps(manifest.to_json() | {"samples": [sample], "files": files}))


def _change(path: str, value: Any) -> dict[str, Any]:
    """Return `_json()` with the value at a dotted path replaced."""
    document = _json()
    *way, last = path.split("/")
    inner: Any = document
    for key in way:
        inner = inner[int(key) if key.isdecimal() else key]
    inner[last] = value
    return document


def test_what_is_written_is_read_back() -> None:
    read = Manifest.from_json(_json())
    assert read.answer == Classification(("ant", "bee"))
    assert read.shape == SHAPE
    assert read.mean == (0.5, 0.5, 0.5)
    assert read.deviation == (1.0, 1.0, 1.0)
    assert read.samples == (
        Sample(
            file="samples/0.png",
            name="an ant.jpg",
            source="own",
            logits=(0.5, -0.25),
            answer=(0.75, 0.25),
        ),
    )
    assert read.to_json() == _json()


names = st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=4, unique=True)


@given(names=names, height=st.integers(1, 4096), channels=st.sampled_from([1, 3]))
@settings(deadline=None, max_examples=50)
def test_round_trip_through_bytes(names: list[str], height: int, channels: int) -> None:
    shape = Shape(height=height, width=5, channels=channels)
    answer = Regression(tuple(f"target {name}" for name in names))
    files = {"network.onnx": DIGEST, "weights.safetensors": DIGEST}
    manifest = replace(tiny_manifest(answer, shape), max_pixels=height)
    document = manifest.to_json() | {"files": files}
    read = Manifest.from_json(parse(json.dumps(document).encode(), file="model.json"))
    assert read.to_json() == document
    assert (read.answer, read.shape, read.max_pixels) == (answer, shape, height)


def test_older_folders_have_the_limit_that_held_for_all() -> None:
    document = _json()
    del document["input"]["max_pixels"]
    assert Manifest.from_json(document).max_pixels == 40_000_000


def test_what_a_network_started_from_and_how_often_it_looks_is_kept() -> None:
    document = _json()
    document["network"] |= {"views": 6, "weights": "package x 1.0, SHA-256 00"}
    read = Manifest.from_json(document)
    assert read.network["views"] == 6
    assert read.network["weights"] == "package x 1.0, SHA-256 00"
    assert read.to_json() == document


@pytest.mark.parametrize("key", sorted(_json()))
def test_each_missing_key_is_named(key: str) -> None:
    document = _json()
    del document[key]
    with pytest.raises(ModelError) as caught:
        Manifest.from_json(document)
    assert str(caught.value) == f"model.json: the key '{key}' is missing."


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("format", 1, "striate 0.1.0 reads model folders of format 0, but this one has format 1. "
         "Use the version of striate that wrote it, or a newer one."),
        ("format", True, "'format' should be the number 0."),
        ("smaples", [], "unknown key 'smaples'. Did you mean 'samples'? Known: format, striate, "
         "answer, input, network, training, versions, samples, files."),
        ("striate", 1, "'striate' should be text, but it is 1."),
        ("answer", [], "'answer' should be an object, but it is []."),
        ("input/height", "8", "'input.height' should be a whole number from 1 to 32,768, but it "
         'is "8".'),
        ("input/max_pixels", 0, "'input.max_pixels' should be a whole number from 1 to "
         "18,446,744,073,709,551,615, but it is 0."),
        ("input/height", True, "'input.height' should be a whole number from 1 to 32,768, but it "
         "is true."),
        ("input/width", 0, "'input.width' should be a whole number from 1 to 32,768, but it is 0."),
        ("input/channels", 2, "'input.channels' should be 1 or 3, but it is 2."),
        ("input/rule", "corp", "'input.rule' should be crop or squash or pad, but it is \"corp\"."),
        ("input/mean", [0.5], "'input.mean' should be a list of 3 numbers, but it is [0.5]."),
        ("input/mean", [0.5, 0.5, None], "'input.mean' should be a list of 3 numbers, but it is "
         "[0.5, 0.5, null]."),
        ("input/deviation", [1, 0, 1], "'input.deviation' should be above 0 in every channel."),
        ("network", 3, "'network' should be an object, but it is 3."),
        ("network/parameters", -1, "'network.parameters' should be a whole number from 0 to "
         "9,007,199,254,740,992, but it is -1."),
        ("network/views", 1, "'network.views' should be a whole number from 2 to 6, but it is 1."),
        ("network/weights", 1, "'network.weights' should be text, but it is 1."),
        ("network/options", "x" * 50, "'network.options' should be an object, but it is "
         f'"{"x" * 36}....'),
        ("training/fingerprint", "12", "'training.fingerprint' should be 64 hexadecimal digits."),
        ("versions/python", 3.11, "'versions.python' should be text, but it is 3.11."),
        ("samples", {}, "'samples' should be a list, but it is {}."),
        ("samples/0/source", "mine", "'samples[0].source' should be own or synthetic, but it is "
         '"mine".'),
        ("samples/0/answer", [1], "'samples[0].answer' should be a list of 2 numbers, but it is "
         "[1]."),
        ("samples/0/logits", [], "'samples[0].logits' should be a list of numbers, but it is []."),
        ("samples/0/file", "samples/1.png", "'samples[0].file' is 'samples/1.png', which 'files' "
         "doesn't list."),
        ("samples/0/zzz", 1, "unknown key 'samples[0].zzz'. Known: file, name, source, logits, "
         "answer."),
        ("files/network.onnx", "AB" * 32, "'files' should give 64 hexadecimal digits for "
         "'network.onnx'."),
        ("files", {"network.onnx": DIGEST}, "'files' should list 'weights.safetensors', but it "
         "doesn't."),
    ],
)  # fmt: skip
def test_each_wrong_value_is_named(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        Manifest.from_json(_change(path, value))
    assert str(caught.value) == f"model.json: {sentence}"


@pytest.mark.parametrize("value", [[], "text", None, 0])
def test_only_an_object_is_a_manifest(value: Any) -> None:
    with pytest.raises(ModelError) as caught:
        Manifest.from_json(value)
    assert str(caught.value).startswith("model.json: 'the content' should be an object, but it is ")


def test_an_answer_that_no_task_has_is_named() -> None:
    with pytest.raises(ModelError, match=r"^model\.json: 'answer' can't be understood: .*'guess'"):
        Manifest.from_json(_change("answer/task", "guess"))


@pytest.mark.parametrize(
    "path",
    [
        "../network.onnx", "samples/../../x", "/etc/passwd", "C:/x", "C:\\x", "a\\b", "a//b", "a/",
        "./a", ".hidden", "", "a\nb", "a\0b", "a b", "model.json", "..", "samples/..", "~/x", "à",
    ],
)  # fmt: skip
def test_paths_stay_inside_the_folder(path: str) -> None:
    document = _json()
    document["files"][path] = DIGEST
    with pytest.raises(ModelError) as caught:
        Manifest.from_json(document)
    expected = f"model.json: 'files' should hold paths inside the folder, but it holds '{path}'."
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b'{"a": NaN}', "every number must be finite and short, but it holds NaN."),
        (b'{"a": -Infinity}', "every number must be finite and short, but it holds -Infinity."),
        (b'{"a": 1e999}', "every number must be finite and short, but it holds 1e999."),
        (b"9" * 21, "every number must be finite and short, but it holds one of 21 digits."),
        (b'{"a": 1, "b": {"a": 1, "a": 2}}', "the key 'a' stands twice in one object."),
        (b"[" * 33 + b"]" * 33, "nested deeper than 32."),
        (b"[" * 100_000, "nested deeper than 32."),
        (b"{", "this is not valid JSON: Expecting property name enclosed in double quotes: line 1 "
         "column 2 (char 1)."),
        (b"", "this is not valid JSON: Expecting value: line 1 column 1 (char 0)."),
        (b'"\xff"', "this is not valid JSON: 'utf-8' codec can't decode byte 0xff in position 1: "
         "invalid start byte."),
        (b" " * (2**24 + 1), "expected at most 16 MB, but it has 16,777,217 bytes."),
    ],
)  # fmt: skip
def test_json_that_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse(data, file="x/model.json")
    assert str(caught.value) == f"x/model.json: {sentence}"


def test_depth_32_is_read() -> None:
    value = parse(b"[" * 32 + b"]" * 32, file="x")
    for _ in range(31):
        (value,) = value
    assert value == []


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        Manifest.from_json(parse(data, file="x"), file="x")
    except ModelError as error:
        assert str(error).startswith("x: ")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_any_value_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    document = _json()
    places: list[tuple[Any, Any]] = []
    stack: list[Any] = [document]
    while stack:
        container = stack.pop()
        keys = range(len(container)) if isinstance(container, list) else list(container)
        places += [(container, key) for key in keys]
        stack += [container[key] for key in keys if isinstance(container[key], dict | list)]
    container, key = data.draw(st.sampled_from(places))
    container[key] = data.draw(json_values)
    try:
        read = Manifest.from_json(document)
    except ModelError as error:
        assert str(error).startswith("model.json: ")
    else:
        assert read.to_json() == document
