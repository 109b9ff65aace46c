"""striate: from a folder of pictures to a trained, explained and shippable convolutional network.

    run = striate.train("pictures/")          # a folder with a subfolder per class
    model = striate.load(run.model)           # no PyTorch from here on
    model.predict(["one.jpg", "two.jpg"])

Importing striate imports neither PyTorch nor NumPy: each name of the front door brings what it
needs when it is first used (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from striate._version import __version__
from striate.errors import (
    CheckError,
    DiskError,
    ModelError,
    NetworkError,
    NotFiniteError,
    PeerError,
    PictureError,
    RunFolderError,
    SourceError,
    StoppedError,
    StriateError,
    UsageError,
)

if TYPE_CHECKING:
    from striate.data import check, open_source
    from striate.flow import evaluate, train
    from striate.model import load
    from striate.network import summary

__all__ = [
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

_ROOMS = {
    "check": "data",
    "evaluate": "flow",
    "load": "model",
    "open_source": "data",
    "summary": "network",
    "train": "flow",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'striate' has no attribute '{name}'")
    return getattr(import_module(f"striate.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
