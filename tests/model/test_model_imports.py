"""What prediction may not import: it must start at once, on machines without PyTorch."""

import subprocess
import sys
from pathlib import Path

import pytest

from onnx_models import write_tiny_model
from pictures import save, stripes
from striate.answer import Classification

TRAINING = {"torch", "torchvision", "timm", "cv2", "sklearn", "onnx", "pydantic", "safetensors"}


def _modules(code: str) -> set[str]:
    """Return the names of the top packages that a fresh Python holds after running `code`."""
    told = f"{code}\nimport sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", told], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_room_is_light() -> None:
    found = _modules("import striate.model")
    assert found.isdisjoint(TRAINING | {"onnxruntime", "PIL"})


@pytest.mark.parametrize("pictures", [1, 3])
def test_a_whole_prediction_needs_no_training_library(tmp_path: Path, pictures: int) -> None:
    folder = write_tiny_model(tmp_path / "model", Classification(("ant", "bee")))
    paths = [str(save(stripes(i, 0), tmp_path / f"{i}.png")) for i in range(pictures)]
    found = _modules(
        "import striate\n"
        f"found = striate.load({str(folder)!r}).predict({paths!r})\n"
        f"assert len(found) == {pictures} and found[0].label in ('ant', 'bee')"
    )
    assert found.isdisjoint(TRAINING)
    assert {"onnxruntime", "PIL"} <= found
