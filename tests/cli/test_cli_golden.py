"""The same file gives the same tensor, by hash: command line, Python and training."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest

import striate
from command_line import striate as run
from image.golden import Golden, golden
from onnx_models import write_tiny_model
from striate.answer import Classification
from striate.data import Batches, open_source
from striate.flow._prepare import audit_source, choose_settings, shape_of, store_pictures
from striate.image import SUFFIXES, Shape, actual_format
from striate.training import Silent, make_settings

Hashes = dict[str, str]

SUFFIX = {name: suffix for suffix, name in reversed(SUFFIXES.items())}


def hashed(pixels_HWC: npt.NDArray[np.uint8]) -> str:
    """Return a picture's SHA-256, with its type and size."""
    head = f"{pixels_HWC.dtype} {pixels_HWC.shape} ".encode()
    return sha256(head + np.ascontiguousarray(pixels_HWC).tobytes()).hexdigest()


def write(folder: Path, chosen: list[Golden]) -> list[Path]:
    """Write the pictures in two classes' folders; return their paths in the order of names."""
    for number, one in enumerate(chosen):
        suffix = SUFFIX[actual_format(one.data) or ""]
        path = folder / "ab"[number % 2] / f"{number:03d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def seen_by_the_network() -> Iterator[list[str]]:
    """Give the hashes of all pictures that ONNX Runtime is handed, in their order."""
    from onnxruntime import InferenceSession

    seen: list[str] = []
    own = InferenceSession.run

    def spy(session: Any, outputs: Any, feed: dict[str, Any], options: Any = None) -> Any:
        seen.extend(map(hashed, feed["pictures"]))
        return own(session, outputs, feed, options)

    with patch.object(InferenceSession, "run", spy):
        yield seen


def trained_on(folder: Path, data: dict[str, Any]) -> tuple[Shape, Hashes, Hashes]:
    """Return the shape that `train` chooses, and the hashes of its store and its batches."""
    settings = make_settings({"data": data})
    source = open_source(folder)
    audit = audit_source(source, settings, Silent())
    chosen, _ = choose_settings(source, audit, settings, "cpu")
    shape = shape_of(chosen)
    with store_pictures(source, audit, chosen, shape, Silent()) as store:
        assert not audit.unreadable and not store.unreadable
        positions = np.arange(len(source))
        batches = Batches(
            store,
            targets=source.targets,
            ids=source.ids,
            positions=positions,
            batch_size=32,
            shuffle=True,
        )
        name = source.pictures.name
        return (
            shape,
            {name(place): hashed(store[place]) for place in positions.tolist()},
            {
                name(place): hashed(pixels)
                for batch in batches.epoch(1)
                for place, pixels in zip(batch.positions.tolist(), batch.pictures_BHWC)
            },
        )


@pytest.mark.parametrize("background", [255, 0, 100])
@pytest.mark.parametrize(
    "data",
    [
        {"image_size": [20, 16], "channels": 3, "resize": "crop", "margin": 2},
        {"image_size": 18, "channels": 1, "resize": "pad"},
        {"image_size": [11, 13], "channels": "green", "resize": "squash"},
    ],
    ids=["crop", "pad", "squash"],
)
def test_every_golden_picture_is_the_same_tensor_everywhere(
    tmp_path: Path, data: dict[str, Any], background: int
) -> None:
    chosen = [one for one in golden() if one.background == background]
    paths = write(tmp_path / "pictures", chosen)
    names = [path.relative_to(tmp_path / "pictures").as_posix() for path in paths]
    shape, stored, batched = trained_on(
        tmp_path / "pictures", {**data, "background": background, "cache": False}
    )
    model = write_tiny_model(tmp_path / "model", Classification(("a", "b")), shape=shape)
    with seen_by_the_network() as by_command:
        done = run("predict", model, *paths, "--json")
    assert (done.code, done.err) == (0, "")
    assert [one["path"] for one in json.loads(done.out)] == [str(path) for path in paths]
    with seen_by_the_network() as by_python:
        striate.load(model).predict(paths)
    assert len(names) == len(chosen)
    assert dict(zip(names, by_command, strict=True)) == stored
    assert by_python == by_command and batched == stored


def test_all_golden_pictures_have_a_background_that_is_tried() -> None:
    assert len(golden()) >= 160
    assert {one.background for one in golden()} == {255, 0, 100}
