"""Writing a model folder: complete, checked and on the disk, or not there at all."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.errors import DiskError, RunFolderError
from striate.model._manifest import (
    MANIFEST,
    NETWORK,
    WEIGHTS,
    Manifest,
    Sample,
    parse_manifest,
)
from striate.model._predictor import Predictor, load
from striate.model._seal import sealed
from striate.model._session import Network
from striate.model._verify import verify


def write_model(
    folder: Path,
    manifest: Manifest,
    *,
    onnx: bytes,
    weights: bytes,
    samples: Sequence[tuple[str, bytes]] = (),
    sample_source: str = "synthetic",
) -> Predictor:
    """Write the model folder `folder` and return its predictor.

    Everything is written to a hidden folder beside it, flushed to the disk, verified as
    `striate verify` does, and renamed: where `folder` exists, it is whole.

    Args:
        folder: where; must not exist. Folders above it are made.
        manifest: `samples` and `files` are filled in here.
        onnx: network.onnx, contract in docs/model-folder.md.
        weights: weights.safetensors.
        samples: (name for people, PNG file) of pictures to verify the model with; their expected
            outputs are computed here, from these bytes, with `onnx` itself.
        sample_source: "own" (the user's pictures) or "synthetic".

    Raises:
        RunFolderError: `folder` exists.
        ModelError: the network breaks its contract, or the manifest isn't well formed.
        DiskError: no space or no permission; nothing is left behind.
    """
    contents = {NETWORK: onnx, WEIGHTS: weights}
    pictures = {f"samples/{position}.png": sample for position, sample in enumerate(samples)}
    contents |= {file: png for file, (_, png) in pictures.items()}
    predictor = _in_memory(folder, manifest, onnx)
    manifest = replace(
        manifest,
        samples=tuple(
            _sample(predictor, file, name, png, sample_source)
            for file, (name, png) in pictures.items()
        ),
        files={file: hashlib.sha256(data).hexdigest() for file, data in contents.items()},
    )
    contents[MANIFEST] = _encoded(manifest)
    with _staged(folder) as stage:
        for file, data in contents.items():
            _write(stage / file, data)
        _flush_folders(stage)
        verify(stage)
    return load(folder)


def _in_memory(folder: Path, manifest: Manifest, onnx: bytes) -> Predictor:
    """Return a predictor of a network that isn't written yet."""
    name, answers = str(folder / NETWORK), len(manifest.answer.names)
    network = Network(onnx, name=name, shape=manifest.shape, answers=answers)
    return Predictor(folder, manifest, network, max_pixels=manifest.sample_pixels)


def _sample(predictor: Predictor, file: str, name: str, png: bytes, source: str) -> Sample:
    logits_NK, answer_NK = predictor.run(predictor.pixels(png, name=name)[None])
    return Sample(
        file=file,
        name=name,
        source=source,
        logits=_short(logits_NK[0]),
        answer=_short(answer_NK[0]),
    )


def _short(values_K: npt.NDArray[np.float32]) -> tuple[float, ...]:
    """Return float32 numbers as the shortest decimal numbers that read back as the same."""
    return tuple(float(str(value)) for value in values_K)


def _encoded(manifest: Manifest) -> bytes:
    """Return `model.json`, after reading it as a stranger would."""
    data = sealed(manifest.to_json())
    parse_manifest(data, file=MANIFEST)
    return data


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """Give a new folder beside `folder`, which becomes `folder` where the block ends well."""
    _refuse_existing(folder)
    stage = folder.parent / f".{folder.name}-{os.urandom(4).hex()}"
    try:
        stage.mkdir(parents=True)
        yield stage
        _refuse_existing(folder)
        stage.rename(folder)
        _flush(folder.parent)
    except OSError as error:
        raise DiskError(
            f"{folder}: the model can't be written here: {error.strerror or error}. Make room, or "
            "choose another place."
        ) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _refuse_existing(folder: Path) -> None:
    # An empty folder too: renaming would replace it without a word.
    if folder.exists() or folder.is_symlink():
        raise RunFolderError(
            f"{folder}: this exists already, and a model is never written over. Choose another "
            "name, or remove it first."
        )


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_folders(stage: Path) -> None:
    """Bring the names of the files to the disk too, the innermost first."""
    for folder in (*(path for path in stage.iterdir() if path.is_dir()), stage):
        _flush(folder)


def _flush(folder: Path) -> None:
    if os.name == "nt":  # Windows can't open folders.
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
