"""From a name to a `Classifier` for one picture size, or the letter that says why not."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import torch
from torch import nn

from striate.errors import NetworkError
from striate.network._arithmetic import Shape, times
from striate.network._backbones import is_small, make_backbone
from striate.network._classifier import Classifier, make_head
from striate.network._entry import Entry
from striate.network._options import read_options
from striate.network._recognise import recognise
from striate.network._registry import entry as find_entry

LARGEST = 1024
"""Sizes up to this one are tried when a message says which picture would fit."""


def classify(
    entry: Entry,
    shape: Shape,
    outputs: int,
    options: Mapping[str, object],
    *,
    device: str = "cpu",
) -> Classifier:
    """Return a network from a library with a head for `outputs` logits, untrained, on `device`.

    On "meta" it has shapes and no numbers. `shape` is (C, H, W). The sizes are worked out on the
    meta device first, so nothing is allocated for a picture that doesn't fit.

    Raises NetworkError for unknown options, and where the picture is too small, with the layer and
    a size that would do.
    """
    origin = entry.origin
    assert origin is not None
    read: dict[str, Any] = read_options(entry.name, entry.options, options)
    if len(shape) != 3:
        raise NetworkError(f"Network '{entry.name}' takes pictures (C, H, W), got {times(shape)}.")
    small = is_small(origin, shape, read["stem"])
    if read["cut"] and read["pooling"] == "published":
        read["pooling"] = "average"
    key = (entry, small, read["cut"], read["pooling"])
    features = _features_of(*key, shape, origin.small_below if read["stem"] == "auto" else 0)
    with torch.device(device):
        backbone = make_backbone(
            entry, shape[0], small=small, cut=read["cut"], pooling=read["pooling"]
        )
        head = make_head(
            features, outputs, read, grid=origin.grid, dropout_first=origin.dropout_first
        )
    notes = (f"Small stem for small pictures: {origin.small}.",) if small else ()
    return Classifier(entry.name, backbone, head, shape=shape, notes=notes)


def is_depthwise(name: str) -> bool:
    """Return whether a network of a library has convolutions that look at each channel alone.

    False for what has no origin in a library; where the library isn't installed, too: other places
    say so.
    """
    found = find_entry(name)
    if found.origin is None:
        return False
    try:
        with torch.device("meta"):
            backbone = make_backbone(found, 3, small=False, cut="", pooling="average")
    except NetworkError:
        return False
    layers = (one for one in backbone.modules() if isinstance(one, nn.Conv2d))
    return any(1 < one.groups == one.in_channels for one in layers)


@lru_cache(maxsize=16)
def _features_of(
    entry: Entry, small: bool, cut: str, pooling: str, shape: Shape, small_below: int
) -> Shape:
    """Return the shape of a backbone's features; `small_below` 0 means that the stem was given."""
    with torch.device("meta"):
        backbone = make_backbone(entry, shape[0], small=small, cut=cut, pooling=pooling).eval()
    entered: list[tuple[str, nn.Module, Shape]] = []
    found = _try(backbone, shape, entered)
    if len(found) in (1, 3):
        return found
    limit = small_below - 1 if small and small_below else LARGEST
    fitting = _least(backbone, shape[0], limit)
    if fitting is None and limit < LARGEST:
        with torch.device("meta"):
            plain = make_backbone(entry, shape[0], small=False, cut=cut, pooling=pooling).eval()
        fitting = _least(plain, shape[0], LARGEST)
    raise NetworkError(_letter(entry.name, shape, entered, fitting))


def _try(
    backbone: nn.Module, shape: Shape, entered: list[tuple[str, nn.Module, Shape]] | None = None
) -> Shape:
    """Return the shape of what the backbone makes of pictures of `shape`; gather the layers it came to.

    () where it can't take them.
    """

    def enter(name: str, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        if not isinstance(inputs[0], torch.Tensor):
            return  # a layer that joins several maps
        size = tuple(inputs[0].shape[1:])
        if entered is not None:
            entered.append((name, layer, size))
        if min(size) < 1:
            raise RuntimeError("nothing is left of the picture")

    handles = [
        layer.register_forward_pre_hook(partial(enter, name))
        for name, layer in backbone.named_modules()
        if next(layer.children(), None) is None
    ]
    try:
        with torch.no_grad():
            found = tuple(backbone(torch.zeros(1, *shape, device="meta")).shape[1:])
    except (RuntimeError, ValueError):
        return ()
    finally:
        for handle in handles:
            handle.remove()
    return found if min(found) > 0 else ()


def _least(backbone: nn.Module, channels: int, limit: int) -> int | None:
    """Return the smallest side of a square picture that the backbone takes, by halving."""
    if not _try(backbone, (channels, limit, limit)):
        return None
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        if _try(backbone, (channels, middle, middle)):
            high = middle
        else:
            low = middle
    return high


def _letter(
    network: str,
    shape: Shape,
    entered: list[tuple[str, nn.Module, Shape]],
    fitting: int | None,
) -> str:
    name, layer, size = entered[-1]
    spec = recognise(layer)
    what = f"layer '{name}'" + (f" ({spec.notation})" if spec is not None else "")
    remedy = (
        f"no square picture up to {LARGEST} px would do"
        if fitting is None
        else f"a picture of at least {fitting}×{fitting} would do"
    )
    return (
        f"Network '{network}' doesn't fit. A picture of {times(shape[1:])} shrinks below 1×1 in "
        f"the middle: {what} gets {times(size[1:]) or times(size)}; {remedy}."
    )
