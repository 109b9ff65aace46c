"""A model folder that was changed, in every way there is."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onnx_models import write_tiny_model
from striate.answer import Classification, Regression
from striate.errors import ModelError, StoppedError
from striate.model import examine, load, verify
from striate.model._seal import sealed

AGAIN = "Copy the whole model folder again from where it was made."
FILES = ("network.onnx", "samples/0.png", "samples/1.png", "weights.safetensors")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "model", Classification(("ant", "bee")))


def _edit(model: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change model.json, and seal it again."""
    document = json.loads((model / "model.json").read_text())
    edit(document)
    del document["sha256"]
    (model / "model.json").write_bytes(sealed(document))


def test_an_unchanged_folder_passes_every_check(model: Path) -> None:
    found = verify(model)
    assert [check.what for check in found.checks] == [
        "model.json is well formed (format 0)",
        *(f"{name} is unchanged" for name in FILES),
        "network.onnx takes and gives what docs/model-folder.md says",
        "samples/0.png gives the answer it gave",
        "samples/1.png gives the answer it gave",
    ]
    assert found.ok
    assert (found.path, found.extra, found.letter) == (model, (), "")


def test_a_run_folder_is_verified_by_its_model(model: Path) -> None:
    assert verify(model.parent).path == model


@given(data=st.data(), name=st.sampled_from(FILES))
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_changed_byte_is_found_and_its_file_named(
    model: Path, data: st.DataObject, name: str
) -> None:
    good = (model / name).read_bytes()
    position = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.integers(1, 255))
    changed = bytearray(good)
    changed[position] ^= other
    (model / name).write_bytes(changed)
    try:
        with pytest.raises(ModelError) as caught:
            verify(model)
        first = f"{model}: the file '{name}' was changed after the model was written (SHA-256 "
        assert str(caught.value).startswith(first)
        assert str(caught.value).endswith(AGAIN)
        failed = [check.what for check in examine(model).checks if not check.ok]
        assert failed == [f"{name} is unchanged"]
    finally:
        (model / name).write_bytes(good)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(ModelError) as caught:
        verify(model)
    assert str(caught.value) == (
        f"{model}: the file '{name}' is missing, though model.json lists it. {AGAIN}"
    )


def test_everything_wrong_is_named_at_once(model: Path) -> None:
    (model / "weights.safetensors").unlink()
    (model / "samples/0.png").write_bytes(b"")
    with pytest.raises(ModelError) as caught:
        verify(model)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "'samples/0.png' was changed" in lines[0]
    assert "'weights.safetensors' is missing" in lines[1]


def test_extra_files_are_listed_not_refused(model: Path) -> None:
    (model / "notes").mkdir()
    (model / "notes" / "why.txt").write_text("x")
    (model / ".DS_Store").write_text("x")
    (model / "link").symlink_to("/nowhere")
    assert verify(model).extra == (".DS_Store", "link", "notes/why.txt")


def test_a_link_out_of_the_folder_is_refused(model: Path, tmp_path: Path) -> None:
    shutil.move(model / "network.onnx", tmp_path / "elsewhere.onnx")
    (model / "network.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    for attempt in (load, verify):
        with pytest.raises(ModelError) as caught:
            attempt(model)
        assert str(caught.value) == (
            f"{model}: the file 'network.onnx' is a link that leads out of the folder."
        )


def test_a_folder_that_leads_out_is_refused(model: Path, tmp_path: Path) -> None:
    shutil.move(model / "samples", tmp_path / "elsewhere")
    (model / "samples").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"'samples/0\.png' is a link that leads out"):
        verify(model)


def test_links_inside_and_to_the_folder_are_followed(model: Path, tmp_path: Path) -> None:
    shutil.move(model / "network.onnx", model / "kept.onnx")
    (model / "network.onnx").symlink_to("kept.onnx")
    (tmp_path / "latest").symlink_to(model)
    assert verify(tmp_path / "latest").extra == ("kept.onnx",)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting(model: Path) -> None:
    (model / "network.onnx").unlink()
    os.mkfifo(model / "network.onnx")
    with pytest.raises(ModelError) as caught:
        load(model)
    assert str(caught.value) == f"{model}: 'network.onnx' should be a file, but it isn't. {AGAIN}"


def test_a_sample_that_answers_otherwise_is_named(model: Path) -> None:
    def edit(document: dict[str, Any]) -> None:
        answer = document["samples"][1]["answer"]
        document["samples"][1]["answer"] = [answer[0] + 2e-4, answer[1] - 2e-4]

    _edit(model, edit)
    with pytest.raises(ModelError) as caught:
        verify(model)
    assert str(caught.value).startswith(
        f"{model}: the sample 'samples/1.png' no longer gives the answer written in model.json: "
    )
    failed = [check.what for check in examine(model).checks if not check.ok]
    assert failed == ["samples/1.png gives the answer it gave"]


def test_a_sample_within_the_tolerance_passes(model: Path) -> None:
    def edit(document: dict[str, Any]) -> None:
        answer = document["samples"][1]["answer"]
        document["samples"][1]["answer"] = [answer[0] + 5e-5, answer[1] - 5e-5]

    _edit(model, edit)
    assert verify(model).ok


def test_a_sample_that_is_no_picture_is_named(model: Path) -> None:
    import hashlib

    (model / "samples/0.png").write_bytes(b"not a picture")
    digest = hashlib.sha256(b"not a picture").hexdigest()
    _edit(model, lambda document: document["files"].update({"samples/0.png": digest}))
    failed = [check for check in examine(model).checks if not check.ok]
    assert [check.what for check in failed] == ["samples/0.png gives the answer it gave"]
    assert "samples/0.png: not a picture in a format" in failed[0].wrong


def test_a_manifest_of_another_task_is_refused(model: Path) -> None:
    _edit(model, lambda document: document["answer"]["classes"].append("cat"))
    _edit(model, lambda document: document.update(samples=[]))
    failed = [check for check in examine(model).checks if not check.ok]
    assert [check.what for check in failed] == [
        "network.onnx takes and gives what docs/model-folder.md says"
    ]
    assert "with 3 numbers in an answer" in failed[0].wrong


def test_paths_that_lead_out_are_refused_before_anything_is_read(model: Path) -> None:
    _edit(model, lambda document: document["files"].update({"../secret": "0" * 64}))
    with pytest.raises(ModelError) as caught:
        verify(model)
    assert str(caught.value) == (
        f"{model / 'model.json'}: 'files' should hold paths inside the folder, but it holds "
        "'../secret'."
    )


def test_another_format_is_refused(model: Path) -> None:
    _edit(model, lambda document: document.update(format=1, future={}))
    for attempt in (load, verify):
        with pytest.raises(ModelError, match="reads model folders of format 0, but this one has"):
            attempt(model)


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    expected = "Expected a model folder (it holds model.json), or a run folder with one as model/."
    (tmp_path / "file.onnx").write_text("x")
    letters = {
        tmp_path / "missing": "there is no such folder.",
        tmp_path / "file.onnx": "this is not a folder.",
        tmp_path: "there is no model in this folder.",
    }
    for path, letter in letters.items():
        with pytest.raises(ModelError) as caught:
            load(path)
        assert str(caught.value) == f"{path}: {letter} {expected}"
        assert caught.value.exit_code == 4


def test_a_regression_is_compared_by_how_far_its_samples_lie_apart(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "model", Regression(("angle",)))
    answers = [0.0, 4000.0]

    def edit(document: dict[str, Any]) -> None:
        # Far apart from each other: 1e-4 of their standard deviation is about a tenth.
        document["samples"][1]["answer"][0] += answers[1]
        answers[0] = document["samples"][0]["answer"][0]
        document["samples"][0]["answer"][0] += 0.1

    _edit(model, edit)
    failed = [check.what for check in examine(model).checks if not check.ok]
    assert failed == ["samples/1.png gives the answer it gave"]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_changed_byte_of_model_json_is_seen(model: Path, data: st.DataObject) -> None:
    right = (model / "model.json").read_bytes()
    position = data.draw(st.integers(0, len(right) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != right[position]))
    (model / "model.json").write_bytes(right[:position] + bytes([other]) + right[position + 1 :])
    try:
        with pytest.raises(ModelError):
            verify(model)
    finally:
        (model / "model.json").write_bytes(right)


def test_a_second_ctrl_c_in_the_middle_is_no_fault_of_a_file(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise StoppedError("Stopped at once.", 130)

    monkeypatch.setattr("striate.model._verify._repeat", stopped)
    with pytest.raises(StoppedError) as caught:
        examine(model)
    assert caught.value.exit_code == 130
