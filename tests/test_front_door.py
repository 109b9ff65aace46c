"""The front door: its names, and that looking through it costs nothing."""

import subprocess
import sys

import pytest

import striate

NAMES = [
    "CheckError",
    "DiskError",
    "ModelError",
    "NetworkError",
    "NotFiniteError",
    "PeerError",
    "PictureError",
    "RunFolderError",
    "SourceError",
    "StoppedError",
    "StriateError",
    "UsageError",
    "__version__",
    "check",
    "evaluate",
    "load",
    "open_source",
    "summary",
    "train",
]


def test_the_public_names_are_these() -> None:
    assert striate.__all__ == NAMES
    assert dir(striate) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_had(name: str) -> None:
    assert getattr(striate, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'striate' has no attribute 'trian'"):
        striate.trian  # noqa: B018


def imported_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


HEAVY = {"torch", "torchvision", "timm", "pydantic", "numpy", "PIL", "onnxruntime", "cv2", "rich"}


@pytest.mark.parametrize("statement", ["import striate", "import striate.cli"])
def test_importing_brings_nothing_heavy(statement: str) -> None:
    assert imported_by(statement) & HEAVY == set()


@pytest.mark.parametrize(
    "room",
    ["image", "answer", "model", "data", "evaluation", "network", "task", "training", "report"],
)
def test_no_room_brings_pytorch_by_being_imported(room: str) -> None:
    assert "torch" not in imported_by(f"import striate.{room}")


@pytest.mark.parametrize("room", ["image", "answer", "model", "evaluation", "report"])
def test_rooms_that_must_do_without_pytorch_never_name_it(room: str) -> None:
    from pathlib import Path

    folder = Path(striate.__file__).parent / room
    for file in folder.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "import torch" not in text and "from torch" not in text, file
