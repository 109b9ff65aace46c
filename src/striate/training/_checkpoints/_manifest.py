"""A generation's manifest: which files belong to it, their SHA-256, and the run's tree.

The file holds a SHA-256 of itself, so a changed byte anywhere in a generation is seen.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from striate.errors import ModelError, RunFolderError
from striate.model._seal import sealed, unsealed
from striate.training._checkpoints._tree import decode, encode

FORMAT = 0
DIGITS = 8

_MANIFEST = re.compile(rf"(\d{{{DIGITS}}})\.json")
_TENSORS = re.compile(rf"(\d{{{DIGITS}}})\.safetensors")
_FROZEN = re.compile(r"frozen-([0-9a-f]{64})\.safetensors")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of a generation: name in the folder, size in bytes, SHA-256 of its content."""

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The content of `NNNNNNNN.json`."""

    generation: int
    tensors: Part
    frozen: Part | None
    tree: Mapping[str, Any]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files that the generation needs beside the manifest."""
        return (self.tensors,) if self.frozen is None else (self.tensors, self.frozen)

    def to_bytes(self) -> bytes:
        """Return the file's content.

        Raises:
            TypeError: the tree holds something that JSON hasn't.
        """
        return sealed(
            {
                "format": FORMAT,
                "generation": self.generation,
                "tensors": asdict(self.tensors),
                "frozen": None if self.frozen is None else asdict(self.frozen),
                "tree": encode(dict(self.tree)),
            }
        )


def manifest_name(generation: int) -> str:
    """Return the manifest's name of a generation, counted from 1."""
    return f"{generation:0{DIGITS}}.json"


def tensors_name(generation: int) -> str:
    """Return the name of a generation's tensors."""
    return f"{generation:0{DIGITS}}.safetensors"


def frozen_name(digest: str) -> str:
    """Return the name of frozen tensors whose file has that SHA-256."""
    return f"frozen-{digest}.safetensors"


def generation_of(name: str) -> int | None:
    """Return the generation whose manifest has that name; None: no manifest."""
    found = _MANIFEST.fullmatch(name)
    return int(found[1]) if found else None


def is_frozen(name: str) -> bool:
    """Return whether frozen tensors' file has that name."""
    return _FROZEN.fullmatch(name) is not None


def is_ours(name: str) -> bool:
    """Return whether a checkpoint's file has that name."""
    return any(kind.fullmatch(name) for kind in (_MANIFEST, _TENSORS, _FROZEN))


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in `path`.

    Raises:
        RunFolderError: it can't be read, was changed, or is of another format.
    """
    try:
        data = path.read_bytes()
        value = unsealed(json.loads(data), data, file=str(path))
    except OSError as error:
        raise RunFolderError(f"{path} can't be read ({error.strerror})") from error
    except (ValueError, RecursionError, ModelError) as error:
        raise RunFolderError(f"{path} was changed after it was written") from error
    if value.get("format") != FORMAT:
        raise RunFolderError(f"{path} is of format {value.get('format')}, not {FORMAT}")
    try:
        manifest = _manifest(value)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RunFolderError(f"{path} isn't a checkpoint's manifest") from error
    if manifest_name(manifest.generation) != path.name:
        raise RunFolderError(f"{path} is generation {manifest.generation} under another name")
    return manifest


def _manifest(value: Mapping[str, Any]) -> Manifest:
    manifest = Manifest(
        generation=value["generation"],
        tensors=Part(**value["tensors"]),
        frozen=None if value["frozen"] is None else Part(**value["frozen"]),
        tree=decode(value["tree"]),
    )
    # Our own names only: nothing outside the folder is ever opened.
    names = [tensors_name(manifest.generation)]
    if manifest.frozen is not None:
        names.append(frozen_name(manifest.frozen.sha256))
    if [part.file for part in manifest.parts] != names or not all(map(is_ours, names)):
        raise ValueError(names)
    if not isinstance(manifest.tree, dict):
        raise TypeError(type(manifest.tree))
    return manifest
