"""Files of weights, whole and hostile, that tests make."""

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from striate.network import Pretrained
from striate.network._weights_pixels import IMAGENET, Pixels
from striate.network._weights_safetensors import Tensors

EQUAL = Pixels(
    mean=(0.5, 0.5, 0.5),
    deviation=(0.25, 0.25, 0.25),
    height=8,
    width=8,
    interpolation="bicubic",
    crop=0.875,
    said_by="a test",
)


def safetensors(header: Any, data: bytes = b"") -> bytes:
    """Return a file with this header and these bytes, right or wrong."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    """Return one tensor's entry of a header."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


class Marker:
    """An object whose pickle makes a file when it is unpickled by a careless reader."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


def bomb() -> bytes:
    """Return a small zip whose one entry unpacks to 64 MB."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2**26))
    return made.getvalue()


def pretrained(
    tensors: nn.Module | Mapping[str, Any], *, pixels: Pixels = IMAGENET, ordered: bool = True
) -> Pretrained:
    """Return weights that were read already: a module's, or named arrays."""
    if isinstance(tensors, nn.Module):
        tensors = {name: one.numpy() for name, one in tensors.state_dict().items()}
    arrays = {name: np.array(one, np.float32) for name, one in tensors.items()}
    floats = {name: one for name, one in arrays.items() if "num_batches" not in name}
    made = Pretrained(
        network="tiny", origin="file tiny.pth", path=Path("tiny.pth"), sha256="", pixels=pixels
    )
    made.__dict__["tensors"] = Tensors(floats, ordered)
    return made
