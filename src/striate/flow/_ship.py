"""From a trained network to a model folder that has been held against it."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data import Source, Split, Store
from striate.errors import CheckError
from striate.flow._conditions import versions
from striate.flow._parts import seeded_sample
from striate.flow._prepare import Prepared, pretrained_of
from striate.image import encode_png
from striate.model import Manifest, Predictor, write_model
from striate.training import Settings

CHECKED_PICTURES = 500
SHIPPED_SAMPLES = 5
CHECK_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Product:
    """What a training came to.

    Attributes:
        onnx: network.onnx.
        weights: weights.safetensors.
        parameters: how many numbers the network has learnt or taken over.
        mean, deviation: the scaling of pixels that the network does, a number per channel.
        answers: positions (N,) of stored pictures → what the trained network answers, (N, K).
        checked: on how many pictures network.onnx is held against these answers.
    """

    onnx: bytes
    weights: bytes
    parameters: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    answers: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]
    checked: int = CHECKED_PICTURES


def ship(prepared: Prepared, product: Product, folder: Path) -> Predictor:
    """Write the model folder and hold it against the trained network, picture by picture."""
    source, settings = prepared.source, prepared.settings
    reference = _reference(prepared.split)
    _make_way(folder)
    predictor = write_model(
        folder,
        _manifest(prepared, product),
        onnx=product.onnx,
        weights=product.weights,
        samples=_samples(
            settings.training.samples, source, reference, prepared.store, settings.training.seed
        ),
        sample_source="synthetic" if settings.training.samples == "synthetic" else "own",
    )
    positions = seeded_sample(reference, source.ids, product.checked, settings.training.seed)
    try:
        _check(predictor, source, product.answers(positions), positions)
    except CheckError:
        shutil.rmtree(folder)
        raise
    return predictor


def _make_way(folder: Path) -> None:
    """Remove the model that a stopped run has left, where the run was resumed.

    Renamed first: where a folder is called `model`, it is whole.
    """
    if folder.exists():
        before = folder.with_name(".model-before")
        shutil.rmtree(before, ignore_errors=True)
        folder.rename(before)
        shutil.rmtree(before)


def _manifest(prepared: Prepared, product: Product) -> Manifest:
    settings = prepared.settings
    return Manifest(
        answer=prepared.source.answer,
        shape=prepared.shape,
        max_pixels=settings.data.max_pixels,
        mean=product.mean,
        deviation=product.deviation,
        network={
            "name": settings.network.name,
            "options": settings.network.all_options,
            "parameters": product.parameters,
            **_origin(settings),
        },
        training={
            "samples": len(prepared.split.train),
            "fingerprint": _fingerprint(prepared.source, prepared.split.train),
            "seed": settings.training.seed,
        },
        versions=versions(),
    )


def _origin(settings: Settings) -> dict[str, Any]:
    """Return what model.json tells of pretrained weights and of several views, where there are any."""
    pretrained, views = pretrained_of(settings), settings.network.views
    told: dict[str, Any] = {"views": views} if views > 1 else {}
    if pretrained is not None:
        told["weights"] = f"{pretrained.origin}, SHA-256 {pretrained.sha256}"
    return told


def _reference(divided: Split) -> npt.NDArray[np.int64]:
    """Return the part that checks and samples are taken from: validation, else test, else train."""
    return next(part for part in (divided.validation, divided.test, divided.train) if len(part))


def _check(
    predictor: Predictor,
    source: Source,
    expected_NK: npt.NDArray[np.float32],
    positions: npt.NDArray[np.int64],
) -> int:
    """Compare the shipped file, fed from the pictures' own bytes, with the trained network's answers.

    `expected_NK` are these answers for the stored pixels at `positions`; the same pictures go
    here through the predictor's own decoding. Returns how many were compared.

    Raises:
        CheckError: they disagree: the model folder must not be used.
    """
    got = []
    for start in range(0, len(positions), CHECK_BATCH):
        pixels = [
            _pixels(predictor, source, int(p)) for p in positions[start : start + CHECK_BATCH]
        ]
        got.append(predictor.run(np.stack(pixels))[1])
    difference = source.answer.disagreement(expected_NK, np.concatenate(got))
    if difference is not None:
        raise CheckError(
            f"The exported network disagrees with the trained one, so it isn't shipped: {difference}"
        )
    return len(positions)


def _pixels(predictor: Predictor, source: Source, position: int) -> npt.NDArray[np.uint8]:
    file = source.pictures.file(position)
    return predictor.pixels(file if file is not None else source.pictures.read(position))


def _samples(
    kind: str,
    source: Source,
    positions: npt.NDArray[np.int64],
    stored: Store,
    seed: int,
) -> list[tuple[str, bytes]]:
    """Return (name, PNG) of the pictures that `striate verify` repeats, without any metadata.

    `own` takes the user's pictures at the model's size, `synthetic` draws noise, `none` nothing.
    """
    # With the margin on: what is read again is brought to the size with its margin first.
    shape = stored.shape.wide
    # A file of one pixel can't be read again.
    if kind == "none" or (shape.height, shape.width) == (1, 1):
        return []
    if kind == "synthetic":
        rng = np.random.default_rng(seed)
        size = (SHIPPED_SAMPLES, shape.height, shape.width, shape.channels)
        noise = rng.integers(0, 256, size, dtype=np.uint8)
        return [(f"noise {i + 1}", encode_png(picture)) for i, picture in enumerate(noise)]
    chosen = seeded_sample(positions, source.ids, SHIPPED_SAMPLES, seed)
    return [
        (source.pictures.name(position), encode_png(picture))
        for position, picture in zip(chosen.tolist(), stored.take_wide(chosen))
    ]


def _fingerprint(source: Source, positions: npt.NDArray[np.int64]) -> str:
    """Return the SHA-256 over the training part's ids and targets, sorted by id."""
    ordered = positions[np.argsort(source.ids[positions], kind="stable")]
    digest = hashlib.sha256(np.ascontiguousarray(source.ids[ordered]).tobytes())
    digest.update(np.ascontiguousarray(source.targets[ordered]).tobytes())
    return digest.hexdigest()
