"""From trained weights to a model folder that has been held against PyTorch."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.torch import save

from striate.data import Source, Split, Store
from striate.errors import CheckError
from striate.flow._conditions import versions
from striate.flow._fit import Trained
from striate.flow._parts import seeded_sample
from striate.flow._prepare import Prepared
from striate.image import encode_png
from striate.model import Manifest, Predictor, write_model
from striate.training._export import to_onnx
from striate.training._measure import answers_of
from striate.training._views import seen

CHECKED_PICTURES = 500
SHIPPED_SAMPLES = 5
CHECK_BATCH = 64


def ship(prepared: Prepared, trained: Trained, folder: Path) -> Predictor:
    """Write the model folder and hold it against PyTorch, picture by picture."""
    source, settings = prepared.source, prepared.settings
    reference = _reference(prepared.split)
    _make_way(folder)
    shipped = seen(trained.network, settings.network.views)
    onnx = to_onnx(trained.stage, shipped, trained.task, prepared.shape)
    predictor = write_model(
        folder,
        _manifest(prepared, trained),
        onnx=onnx,
        # Row-major: safetensors refuses channels_last tensors.
        weights=save({k: v.contiguous() for k, v in trained.network.state_dict().items()}),
        samples=_samples(
            settings.training.samples, source, reference, prepared.store, settings.training.seed
        ),
        sample_source="synthetic" if settings.training.samples == "synthetic" else "own",
    )
    positions = seeded_sample(reference, source.ids, CHECKED_PICTURES, settings.training.seed)
    expected = answers_of(shipped, trained.stage, trained.task, prepared.store, positions)
    try:
        _check(predictor, source, expected, positions)
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


def _manifest(prepared: Prepared, trained: Trained) -> Manifest:
    settings = prepared.settings
    mean, deviation = settings.data.mean, settings.data.deviation
    return Manifest(
        answer=prepared.source.answer,
        shape=prepared.shape,
        max_pixels=settings.data.max_pixels,
        mean=tuple(mean) if isinstance(mean, list) else (),
        deviation=tuple(deviation) if isinstance(deviation, list) else (),
        network={
            "name": settings.network.name,
            "options": settings.network.all_options,
            "parameters": sum(p.numel() for p in trained.network.parameters()),
        },
        training={
            "samples": len(prepared.split.train),
            "fingerprint": _fingerprint(prepared.source, prepared.split.train),
            "seed": settings.training.seed,
        },
        versions=versions(),
    )


def _reference(divided: Split) -> npt.NDArray[np.int64]:
    """Return the part that checks and samples are taken from: validation, else test, else train."""
    return next(part for part in (divided.validation, divided.test, divided.train) if len(part))


def _check(
    predictor: Predictor,
    source: Source,
    expected_NK: npt.NDArray[np.float32],
    positions: npt.NDArray[np.int64],
) -> int:
    """Compare the shipped file, fed from the pictures' own bytes, with PyTorch's answers.

    `expected_NK` are PyTorch's answers for the stored pixels at `positions`; the same pictures go
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
