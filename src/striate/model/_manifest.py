"""What `model.json` says about a model. See docs/model-folder.md."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from striate._version import __version__
from striate.answer import Answer, answer_from_json
from striate.errors import ModelError, StriateError
from striate.image import MAX_PIXELS, Shape
from striate.image._shape import INTERPOLATIONS, PLANES, RULES
from striate.model._seal import unsealed
from striate.model._strict import Fields, parse

FORMAT = 0
MANIFEST = "model.json"
NETWORK = "network.onnx"
WEIGHTS = "weights.safetensors"
SOURCES = ("own", "synthetic")
LARGEST_SIDE = 2**15
LARGEST_COUNT = 2**53

_KEYS = (
    "format", "striate", "answer", "input", "network", "training", "versions", "samples", "files",
)  # fmt: skip
_INPUT = (
    "height",
    "width",
    "channels",
    "rule",
    "interpolation",
    "plane",
    "background",
    "margin",
    "mean",
    "deviation",
)
# Older folders of format 0 don't have it.
_LIMIT = "max_pixels"
# Our own names only: this leaves no room for "..", "/etc", "C:", backslashes or control characters.
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One picture of the folder with what the network says to it.

    Attributes:
        file: path inside the folder, "/" between its parts.
        name: the picture's name as the user knew it.
        source: "own" (one of the user's pictures) or "synthetic".
        logits: (K',) the network's raw outputs.
        answer: (K,) its answer; see docs/model-folder.md.
    """

    file: str
    name: str
    source: str
    logits: tuple[float, ...]
    answer: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The content of `model.json`.

    Attributes:
        answer: the task with its names.
        shape: the size that pictures are brought to, and how.
        max_pixels: picture files that declare more are refused, unless another limit is asked for.
        mean, deviation: per channel, as fractions of 255; already inside `network.onnx`.
        network: `name` (text), `options` (object), `parameters` (how many numbers were learned);
            where they apply, `views` (how often it looks) and `weights` (what it started from).
        training: `samples` (how many pictures), `fingerprint` (64 hexadecimal digits), `seed`.
        versions: of Python and the libraries that made the model.
        samples: pictures with their expected outputs; may be empty.
        files: path inside the folder → SHA-256, of every file but `model.json`.
        striate: version of striate that wrote it.
        format: of the folder's layout.
    """

    answer: Answer
    shape: Shape
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    network: Mapping[str, Any]
    training: Mapping[str, Any]
    versions: Mapping[str, str]
    max_pixels: int = MAX_PIXELS
    samples: tuple[Sample, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    striate: str = __version__
    format: int = FORMAT

    @property
    def sample_pixels(self) -> int:
        """The limit for pictures in `samples/`: they have the model's size, whatever `max_pixels` is."""
        wide = self.shape.wide
        return max(self.max_pixels, wide.height * wide.width)

    def to_json(self) -> dict[str, Any]:
        """Return the object that `model.json` holds."""
        shape = self.shape
        return {
            "format": self.format,
            "striate": self.striate,
            "answer": self.answer.to_json(),
            "input": {
                "height": shape.height,
                "width": shape.width,
                "channels": shape.channels,
                "rule": shape.rule,
                "interpolation": shape.interpolation,
                "plane": shape.plane,
                "background": shape.background,
                "margin": shape.margin,
                _LIMIT: self.max_pixels,
                "mean": list(self.mean),
                "deviation": list(self.deviation),
            },
            "network": dict(self.network),
            "training": dict(self.training),
            "versions": dict(self.versions),
            "samples": [
                {
                    "file": sample.file,
                    "name": sample.name,
                    "source": sample.source,
                    "logits": list(sample.logits),
                    "answer": list(sample.answer),
                }
                for sample in self.samples
            ],
            "files": dict(self.files),
        }

    @classmethod
    def from_json(cls, value: Any, *, file: str = MANIFEST) -> "Manifest":
        """Return the manifest that the parsed `value` describes; `file` is its name in messages.

        Raises ModelError where a key is missing, unknown or of the wrong type, where the format
        isn't 0, and where a path leads out of the folder.
        """
        _check_format(value, file)
        fields = Fields(value, _KEYS, file=file)
        answer = _answer(fields.mapping("answer"), file)
        limited = _LIMIT in fields.mapping("input")
        given = fields.inner("input", (*_INPUT, _LIMIT) if limited else _INPUT)
        shape = _shape(given)
        files = _files(fields)
        network = _network(fields)
        training = fields.inner("training", ("samples", "fingerprint", "seed"))
        if not _SHA256.fullmatch(fingerprint := training.word("fingerprint")):
            training.refuse("fingerprint", "should be 64 hexadecimal digits.")
        return cls(
            format=FORMAT,
            striate=fields.word("striate"),
            answer=answer,
            shape=shape,
            max_pixels=given.whole(_LIMIT, 1, 2**64 - 1) if limited else MAX_PIXELS,
            mean=given.numbers("mean", shape.channels),
            deviation=_deviation(given, shape.channels),
            network=network,
            training={
                "samples": training.whole("samples", 0, LARGEST_COUNT),
                "fingerprint": fingerprint,
                "seed": training.whole("seed", 0, 2**64 - 1),
            },
            versions=fields.words("versions"),
            samples=_samples(fields, files, len(answer.names)),
            files=files,
        )


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the model folder `folder`; raise ModelError."""
    file = folder / MANIFEST
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file}: the file can't be read: {error.strerror}.") from error
    return parse_manifest(data, file=str(file))


def parse_manifest(data: bytes, *, file: str) -> Manifest:
    """Return the manifest in the bytes of `model.json`; raise ModelError."""
    value = parse(data, file=file)
    # The format first: another one may be sealed in another way.
    _check_format(value, file)
    return Manifest.from_json(unsealed(value, data, file=file), file=file)


def _check_format(value: Any, file: str) -> None:
    """Refuse other formats first: their keys may be others."""
    found = value.get("format", FORMAT) if isinstance(value, dict) else FORMAT
    if type(found) is int and found != FORMAT:
        raise ModelError(
            f"{file}: striate {__version__} reads model folders of format {FORMAT}, but this one "
            f"has format {found}. Use the version of striate that wrote it, or a newer one."
        )
    if type(found) is not int:
        raise ModelError(f"{file}: 'format' should be the number {FORMAT}.")


def _answer(value: dict[str, Any], file: str) -> Answer:
    try:
        return answer_from_json(value)
    except StriateError as error:
        raise ModelError(f"{file}: 'answer' can't be understood: {error}") from error


def _shape(given: Fields) -> Shape:
    channels = given.whole("channels", 1, 3)
    if channels == 2:
        given.refuse("channels", "should be 1 or 3, but it is 2.")
    return Shape(
        height=given.whole("height", 1, LARGEST_SIDE),
        width=given.whole("width", 1, LARGEST_SIDE),
        channels=channels,
        rule=given.word("rule", RULES),
        interpolation=given.word("interpolation", INTERPOLATIONS),
        plane=_plane(given, channels),
        background=given.whole("background", 0, 255),
        margin=given.whole("margin", 0, LARGEST_SIDE),
    )


def _network(fields: Fields) -> dict[str, Any]:
    """Return what is told of the network, of which two keys may be missing."""
    there = tuple(key for key in ("views", "weights") if key in fields.mapping("network"))
    told = fields.inner("network", ("name", "options", "parameters", *there))
    network: dict[str, Any] = {
        "name": told.word("name"),
        "options": told.mapping("options"),
        "parameters": told.whole("parameters", 0, LARGEST_COUNT),
    }
    if "views" in there:
        network["views"] = told.whole("views", 2, 6)
    if "weights" in there:
        network["weights"] = told.word("weights")
    return network


def _plane(given: Fields, channels: int) -> str:
    plane = given.word("plane", ("", *PLANES))
    if plane and channels == 3:
        given.refuse("plane", f"is '{plane}', which leaves 1 channel, but 'channels' is 3.")
    return plane


def _deviation(given: Fields, channels: int) -> tuple[float, ...]:
    deviation = given.numbers("deviation", channels)
    if min(deviation) <= 0:
        given.refuse("deviation", "should be above 0 in every channel.")
    return deviation


def _files(fields: Fields) -> dict[str, str]:
    """Return path → SHA-256, every path inside the folder."""
    files = fields.words("files")
    for path, digest in files.items():
        if not _PATH.fullmatch(path) or path == MANIFEST:
            fields.refuse("files", f"should hold paths inside the folder, but it holds '{path}'.")
        if not _SHA256.fullmatch(digest):
            fields.refuse("files", f"should give 64 hexadecimal digits for '{path}'.")
    for needed in (NETWORK, WEIGHTS):
        if needed not in files:
            fields.refuse("files", f"should list '{needed}', but it doesn't.")
    return files


def _samples(fields: Fields, files: Mapping[str, str], names: int) -> tuple[Sample, ...]:
    samples = []
    for item in fields.inners("samples", ("file", "name", "source", "logits", "answer")):
        if (path := item.word("file")) not in files:
            item.refuse("file", f"is '{path}', which 'files' doesn't list.")
        samples.append(
            Sample(
                file=path,
                name=item.word("name"),
                source=item.word("source", SOURCES),
                logits=item.numbers("logits"),
                answer=item.numbers("answer", names),
            )
        )
    return tuple(samples)
