"""Checkpoints on the disk: what is kept, what is refused, what is swept."""

import hashlib
import json
import re

import numpy as np
import pytest

from saving_child import number_of, state
from striate.errors import DiskError, RunFolderError
from striate.model._seal import sealed
from striate.training._checkpoints import Checkpoints, State

TENSORS, MANIFEST = "00000002.safetensors", "00000002.json"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoints"


def save(folder, *numbers):
    checkpoints = Checkpoints(folder, tell=pytest.fail)
    return [checkpoints.save(state(number)) for number in numbers]


def newest(folder):
    """Return the newest state's number, and what was told."""
    told = []
    return number_of(Checkpoints(folder, tell=told.append).newest()), told


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def frozen_of(number):
    return json.loads((number).read_bytes())["frozen"]["file"]


def test_nothing_saved_is_none(tmp_path, folder):
    assert newest(folder) == (0, [])
    folder.mkdir()
    assert newest(folder) == (0, [])
    assert names(tmp_path) == ["checkpoints"]


def test_the_newest_comes_back_and_two_generations_are_kept(folder):
    (first,) = save(folder, 1)
    assert newest(folder) == (1, [])
    assert first.path == folder / "00000001.json" and first.seconds > 0
    assert first.bytes == sum(path.stat().st_size for path in folder.iterdir())
    save(folder, 2)
    (third,) = save(folder, 3)
    assert newest(folder) == (3, [])
    assert [name for name in names(folder) if name.startswith("0")] == [
        "00000002.json",
        "00000002.safetensors",
        "00000003.json",
        "00000003.safetensors",
    ]
    assert third.path == folder / "00000003.json"


def test_frozen_tensors_are_written_once_and_go_with_the_last_that_needs_them(folder):
    still = State(tensors={"a/b": np.zeros(3)}, frozen={"a/c": np.zeros((40, 40))})
    checkpoints = Checkpoints(folder, tell=pytest.fail)
    sizes = [checkpoints.save(still).bytes for _ in range(3)]
    assert sizes[0] > 12_800 + sizes[1] and sizes[1] == sizes[2] < 1_500
    (frozen,) = [name for name in names(folder) if name.startswith("frozen-")]
    content = (folder / frozen).read_bytes()
    assert frozen == f"frozen-{hashlib.sha256(content).hexdigest()}.safetensors"
    moved = State(tensors={"a/b": np.zeros(3)}, frozen={"a/c": np.ones((40, 40))})
    for _ in range(2):
        checkpoints.save(moved)
    assert frozen in names(folder)
    checkpoints.save(moved)  # sweeps first: the generation that named it went with the last save
    assert frozen not in names(folder)
    found = checkpoints.newest()
    assert found is not None and np.array_equal(found.frozen["a/c"], np.ones((40, 40)))


def test_damaged_frozen_tensors_are_written_again(folder):
    save(folder, 1)
    (path,) = folder.glob("frozen-*")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(RunFolderError):
        newest(folder)
    save(folder, 2)
    assert newest(folder) == (2, [])


@pytest.mark.parametrize("name", [TENSORS, MANIFEST])
def test_any_changed_byte_is_named_and_the_generation_before_is_used(folder, name):
    save(folder, 1, 2)
    path = folder / name
    content = path.read_bytes()
    for at in range(0, len(content), 3):
        changed = bytearray(content)
        changed[at] ^= 1 << (at % 8)
        path.write_bytes(changed)
        found, told = newest(folder)
        assert found == 1, at
        (sentence,) = told
        assert str(path) in sentence and "The checkpoint before it is used." in sentence
    path.write_bytes(content)
    assert newest(folder) == (2, [])


@pytest.mark.parametrize("name", [TENSORS, MANIFEST])
def test_a_truncated_file_is_named(folder, name):
    save(folder, 1, 2)
    path = folder / name
    content = path.read_bytes()
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        found, (told,) = newest(folder)
        assert found == 1 and str(path) in told


def test_the_sentences_about_damage(folder):
    save(folder, 1, 2)
    path = folder / TENSORS
    content = path.read_bytes()
    used = " The checkpoint before it is used."
    size = len(content)
    path.write_bytes(content[:-1])
    assert newest(folder)[1] == [f"{path} has {size - 1:,} bytes and should have {size:,}.{used}"]
    path.write_bytes(content[:-1] + b"?")
    came, expected = (
        hashlib.sha256(one).hexdigest()[:12] for one in (content[:-1] + b"?", content)
    )
    sentence = f"{path} was changed after it was written (SHA-256 {came}…, expected {expected}…)."
    assert newest(folder)[1] == [sentence + used]
    path.unlink()
    assert newest(folder)[1] == [f"{path} can't be read (No such file or directory).{used}"]
    path.mkdir()
    assert newest(folder)[1][0].startswith(f"{path} has ")
    manifest = folder / MANIFEST
    manifest.write_bytes(b"[" * 100_000)
    assert newest(folder)[1] == [f"{manifest} was changed after it was written.{used}"]
    manifest.write_bytes(sealed({"format": 1}))
    assert newest(folder)[1] == [f"{manifest} is of format 1, not 0.{used}"]
    manifest.write_bytes((folder / "00000001.json").read_bytes())
    assert newest(folder)[1] == [f"{manifest} is generation 1 under another name.{used}"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"generation": "2", "tensors": {}, "frozen": None, "tree": {}},
        {"generation": 2, "tensors": [], "frozen": None, "tree": {}},
        {
            "generation": 2,
            "tensors": {"file": "../secret", "bytes": 1, "sha256": "0" * 64},
            "frozen": None,
            "tree": {},
        },
        {
            "generation": 2,
            "tensors": {"file": TENSORS, "bytes": 1, "sha256": "0" * 64},
            "frozen": {"file": "frozen-/../x.safetensors", "bytes": 1, "sha256": "/../x"},
            "tree": {},
        },
        {
            "generation": 2,
            "tensors": {"file": TENSORS, "bytes": 1, "sha256": "0" * 64},
            "frozen": None,
            "tree": [],
        },
    ],
)
def test_a_sealed_manifest_of_a_stranger_is_refused(folder, wrong):
    save(folder, 1, 2)
    (folder / MANIFEST).write_bytes(sealed({"format": 0, **wrong}))
    found, (told,) = newest(folder)
    assert found == 1
    assert told == (
        f"{folder / MANIFEST} isn't a checkpoint's manifest. The checkpoint before it is used."
    )


def test_tensors_that_are_no_safetensors_are_refused_even_with_the_right_hash(folder):
    save(folder, 1, 2)
    content = b"\xff" * 100
    part = {"file": TENSORS, "bytes": 100, "sha256": hashlib.sha256(content).hexdigest()}
    (folder / TENSORS).write_bytes(content)
    manifest = {"format": 0, "generation": 2, "tensors": part, "frozen": None, "tree": {}}
    (folder / MANIFEST).write_bytes(sealed(manifest))
    found, (told,) = newest(folder)
    assert found == 1 and f"{folder / TENSORS} isn't a safetensors file" in told


def test_where_nothing_is_whole_every_damage_is_in_the_letter(folder):
    save(folder, 1, 2)
    for number in (1, 2):
        (folder / f"0000000{number}.safetensors").unlink()
    with pytest.raises(RunFolderError) as caught:
        newest(folder)
    assert str(caught.value) == (
        f"{folder / TENSORS} can't be read (No such file or directory). "
        f"{folder / '00000001.safetensors'} can't be read (No such file or directory). "
        "No checkpoint of this run is whole: copy the folder again from where it was made, or "
        "train anew under another name."
    )


def test_after_damage_the_next_save_keeps_what_is_whole(folder):
    save(folder, 1, 2)
    (folder / TENSORS).write_bytes(b"")
    save(folder, 3)
    # 2 is damaged: 1 is the generation before.
    assert [name for name in names(folder) if name.endswith(".json")] == [
        "00000001.json",
        "00000003.json",
    ]
    (folder / "00000003.json").unlink()
    assert newest(folder) == (1, [])


def test_a_save_that_reads_back_otherwise_is_no_save(folder, monkeypatch):
    save(folder, 1)
    from striate.training._checkpoints import _folder

    write = _folder.write_pieces

    def rotten(path, pieces, size):
        write(path, [b"".join(pieces)[:-1] + b"?"], size)

    monkeypatch.setattr(_folder, "write_pieces", rotten)
    with pytest.raises(DiskError, match="was changed after it was written") as caught:
        save(folder, 2)
    assert re.search(r"a checkpoint of \d{3} bytes can't be saved", str(caught.value))
    monkeypatch.undo()
    found, (told,) = newest(folder)
    assert found == 1 and "00000002.safetensors" in told


def test_leftovers_of_killed_saves_are_swept_and_nothing_else(folder):
    save(folder, 1)
    before = names(folder)
    ours = [
        ".00000002.safetensors.4711",
        ".00000002.json.4711",
        f".frozen-{'a' * 64}.safetensors.12",
        "00000002.safetensors",
        f"frozen-{'b' * 64}.safetensors",
    ]
    theirs = [
        ".DS_Store",
        "notes.txt",
        ".notes.12",
        "copy of 00000001.json",
        "frozen-x.safetensors",
    ]
    for name in ours + theirs:
        (folder / name).write_bytes(b"x")
    assert newest(folder) == (1, [])
    assert set(ours) <= set(names(folder))  # reading removes nothing
    Checkpoints(folder, tell=pytest.fail).sweep()
    assert names(folder) == sorted(before + theirs)
    save(folder, 2)
    assert set(theirs) <= set(names(folder))


def test_no_frozen_tensors_are_swept_while_a_manifest_cant_be_read(folder):
    save(folder, 1, 2)
    content = (folder / MANIFEST).read_bytes()
    (folder / MANIFEST).write_bytes(b"{}")
    (folder / "00000001.json").unlink()
    Checkpoints(folder, tell=pytest.fail).sweep()
    (folder / MANIFEST).write_bytes(content)
    assert newest(folder) == (2, [])


def test_a_folder_that_cant_be_made_or_read_is_a_letter(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DiskError) as caught:
        save(tmp_path / "missing" / "checkpoints", 1)
    assert str(caught.value).endswith(
        "bytes can't be saved (No such file or directory). What was saved before is whole: "
        "make room or permit writing there, then resume."
    )
    with pytest.raises(RunFolderError) as unread:
        newest(tmp_path / "file")
    assert str(unread.value) == f"{tmp_path / 'file'} can't be read (Not a directory)."


def test_a_tree_that_isnt_json_leaves_the_generations_alone(folder):
    save(folder, 1)
    with pytest.raises(TypeError):
        Checkpoints(folder, tell=pytest.fail).save(State(tensors={}, tree={"x": {1, 2}}))
    assert newest(folder) == (1, [])
    save(folder, 2)
    assert newest(folder) == (2, [])
