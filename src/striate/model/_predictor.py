"""Prediction on ONNX Runtime, from a model folder alone; PyTorch is not needed."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np

from striate.answer import Answer
from striate.errors import PictureError, UsageError
from striate.image import Shape
from striate.model._files import read_checked
from striate.model._find import find_folder
from striate.model._manifest import NETWORK, Manifest, read_manifest
from striate.model._picture import Picture, is_single, path_of, to_pixels
from striate.model._prediction import Prediction
from striate.model._readahead import read_ahead
from striate.model._session import Floats32, Network, Pixels


class Predictor:
    """A model that is ready to answer; `load` makes it. Safe to use from several threads.

    Attributes:
        path: the model folder.
        manifest: what its `model.json` says.
        max_pixels: files that declare more are refused before they are decoded.
    """

    def __init__(
        self, path: Path, manifest: Manifest, network: Network, *, max_pixels: int | None = None
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.max_pixels = manifest.max_pixels if max_pixels is None else max_pixels
        self._network = network

    @property
    def answer(self) -> Answer:
        """The task, with its class, label or target names."""
        return self.manifest.answer

    @property
    def shape(self) -> Shape:
        """The size that every picture is brought to."""
        return self.manifest.shape

    def __repr__(self) -> str:
        shape = self.shape
        return (
            f"<Predictor {self.path}: {self.answer.task}, {len(self.answer.names)} "
            f"{'number' if len(self.answer.names) == 1 else 'numbers'} from "
            f"{shape.height}×{shape.width}×{shape.channels}>"
        )

    def pixels(self, picture: Picture, *, name: str | None = None) -> Pixels:
        """Return a picture as the network takes it: uint8 (H, W, C) of `shape`, upright.

        Args:
            picture: a path, the bytes of a file, a PIL image, or a uint8 array (H, W) or
                (H, W, 1 or 3), RGB order.
            name: for messages; None: its path, or "the picture".

        Raises PictureError where it can't be read.
        """
        called = name or path_of(picture) or "the picture"
        return to_pixels(picture, self.shape, name=called, max_pixels=self.max_pixels)

    def run(self, pictures_NHWC: Pixels) -> tuple[Floats32, Floats32]:
        """Return (logits (N, K'), answer (N, K)), float32, of pictures that `pixels` made.

        Raises UsageError where the pictures have another size or type, ModelError where the network
        gives anything but K finite numbers for each of them.
        """
        return self._network.run(pictures_NHWC)

    def predict(
        self, pictures: "Picture | Iterable[Picture]", *, batch_size: int = 32
    ) -> list[Prediction]:
        """Return one prediction for each picture, in order; a list also for a single picture.

        Raises PictureError at the first picture that can't be read; `predict_each` goes on.
        """
        found = []
        for prediction in self.predict_each(pictures, batch_size=batch_size):
            if prediction.error is not None:
                raise prediction.error
            found.append(prediction)
        return found

    def predict_each(
        self, pictures: "Picture | Iterable[Picture]", *, batch_size: int = 32
    ) -> Iterator[Prediction]:
        """Yield one prediction for each picture, in order, as soon as its batch is done.

        A picture that can't be read yields a prediction with `error`, and the rest goes on.
        Pictures are taken from the iterable at most two batches ahead.

        Args:
            pictures: one picture or an iterable of them, also an array (N, H, W, C).
            batch_size: pictures in one run of the network.
        """
        if batch_size < 1:
            raise UsageError(f"batch_size should be 1 or more, but it is {batch_size}.")
        single = is_single(pictures)
        # Told apart just above, in a way that types don't see.
        many = [cast(Picture, pictures)] if single else cast(Iterable[Picture], pictures)
        return self._predict_each(many, batch_size)

    def _predict_each(self, pictures: Iterable[Picture], batch_size: int) -> Iterator[Prediction]:
        read = read_ahead(self._read, enumerate(pictures), window=2 * batch_size)
        while batch := list(islice(read, batch_size)):
            good = [pixels for _, pixels in batch if not isinstance(pixels, PictureError)]
            answers = iter(self.run(np.stack(good))[1] if good else ())
            for path, pixels in batch:
                if isinstance(pixels, PictureError):
                    yield Prediction(path=path, answer={}, error=pixels)
                else:
                    yield Prediction(path=path, answer=self.answer.describe(next(answers)))

    def _read(self, numbered: tuple[int, Picture]) -> tuple[str | None, Pixels | PictureError]:
        """Return the picture's path, and its pixels or why there are none."""
        position, picture = numbered
        path = path_of(picture)
        try:
            return path, self.pixels(picture, name=path or f"picture {position + 1}")
        except PictureError as error:
            return path, error


def load(
    path: str | Path, *, threads: int | None = None, max_pixels: int | None = None
) -> Predictor:
    """Return the predictor of a model folder, or of a run folder that holds one as `model/`.

    The network is read once, compared with its SHA-256, and used from the bytes that were compared.

    Args:
        path: the folder.
        threads: that one run of the network may use; None: one per core.
        max_pixels: picture files that declare more are refused before they are decoded; None: the
            limit that the model was trained with.

    Raises ModelError where there is no model, or where it is damaged or of another format.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"threads should be 1 or more, but it is {threads}.")
    folder = find_folder(path)
    manifest = read_manifest(folder)
    network = Network(
        read_checked(folder, NETWORK, manifest.files[NETWORK]),
        name=str(folder / NETWORK),
        shape=manifest.shape,
        answers=len(manifest.answer.names),
        threads=threads,
    )
    return Predictor(folder, manifest, network, max_pixels=max_pixels)
