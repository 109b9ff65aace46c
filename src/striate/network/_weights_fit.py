"""Weights into a module: tensors found by name, or by order and shape, and copied all or none."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from striate.errors import UsageError
from striate.network._classifier import HEAD, Classifier
from striate.network._known_classes import KNOWN
from striate.network._weights import Pretrained
from striate.network._weights_channels import RGB, Adapted, adapt_kernel
from striate.network._weights_match import (
    Match,
    Mismatch,
    Pair,
    Shapes,
    Wanted,
    match_by_name,
    match_by_order,
    share_named,
)
from striate.network._weights_safetensors import Floats


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of weights.

    Attributes:
        matched: "name" or "order".
        loaded: how many of the module's tensors were filled.
        kept: the module's tensors that stay as they were: a classifier of other outputs, or a head of
            other layers.
        left_out: tensors of the weights that the module has no layer for.
        mean, deviation: the scaling of pixels for the module's channels, fractions of 255.
        exact: False where a grey picture's features differ at the border, or with a number of
            channels that isn't a multiple of 3, from those of its RGB copy.
    """

    matched: str
    loaded: int
    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    exact: bool


def fit_weights(module: nn.Module, weights: Pretrained) -> Report:
    """Copy weights into a module, or raise and leave it as it was.

    Names decide where most of the module's are in the weights; else order and shape do, where the
    file keeps the module's order, and the last word of both names (`weight`, `running_mean`) must
    agree. The classifier stays as it is where its number of outputs differs, and so does a
    `Classifier`'s whole head where its layers are others. A first kernel for RGB is adapted to the
    module's channels (`adapt_kernel`).

    Raises:
        UsageError: tensors that don't fit, all listed with both shapes; numbers that aren't finite;
            a file whose names differ and whose order isn't known; a first layer that can't take
            the constant of a grey picture.
    """
    tensors, named = _without_wrapper(weights.tensors.by_name), dict(module.state_dict())
    state = {name: one for name, one in named.items() if one.is_floating_point()}
    first = _first_convolution(module)
    wanted = Wanted(
        {name: tuple(one.shape) for name, one in state.items()},
        classifier=_classifier(module),
        first=f"{first[0]}.weight" if first else "",
    )
    came = {name: one.shape for name, one in tensors.items()}
    by_name = share_named(wanted, came) >= 0.5
    if not by_name and not weights.tensors.ordered:
        raise UsageError(_unordered(weights))
    match = _matched(match_by_name if by_name else match_by_order, wanted, came, module)
    if match.mismatches:
        raise UsageError(_letter(weights, match.mismatches, len(state)))
    _check_finite(weights, tensors, match.pairs)
    adapted = _adapted(module, first, tensors, match.pairs, weights)
    _copy(state, tensors, match.pairs, wanted.first if adapted else "")
    if adapted and first:
        _copy_first(module, *first, adapted)
    return Report(
        matched="name" if by_name else "order",
        loaded=len(match.pairs),
        kept=match.kept,
        left_out=match.left_out,
        mean=adapted.mean if adapted else weights.pixels.mean,
        deviation=adapted.deviation if adapted else weights.pixels.deviation,
        exact=adapted.exact if adapted else True,
    )


def _matched(
    match_by: Callable[[Wanted, Shapes], Match], wanted: Wanted, came: Shapes, module: nn.Module
) -> Match:
    """Return the match of the whole module, or where only a head's layers differ, of the rest.

    A head that reads the known classes has the weights' classifier before its own layers.
    """
    whole = match_by(wanted, came)
    if not whole.mismatches or not isinstance(module, Classifier):
        return whole
    known = f"{HEAD}{KNOWN}."
    own = tuple(
        name for name in wanted.shapes if name.startswith(HEAD) and not name.startswith(known)
    )
    shapes = {name: one for name, one in wanted.shapes.items() if name not in own}
    rest = replace(match_by(replace(wanted, shapes=shapes, classifier=""), came), kept=own)
    # What the letter lists is what keeps the weights from fitting.
    from_known = any(name.startswith(known) for name in shapes)
    return rest if from_known or not rest.mismatches else whole


def known_classes(module: Classifier, weights: Pretrained) -> int:
    """Return how many classes a classifier in the weights knows that reads the module's features.

    0 where there is none: the weights have several dense layers, or the module's head has some, or
    the classifier is one of striate's, for the pictures of an earlier training.
    """
    tensors = weights.tensors
    by_name = _without_wrapper(tensors.by_name)
    last = module.head[-1]
    assert isinstance(last, nn.Linear)
    kept = by_name.get(f"{HEAD}{KNOWN}.classifier.weight")
    if kept is not None:
        return len(kept) if kept.shape[1] == last.in_features else 0
    if not tensors.ordered or len(by_name) < 2 or any(name.startswith(HEAD) for name in by_name):
        return 0
    matrix, vector = list(by_name.values())[-2:]
    fits = matrix.ndim == 2 and matrix.shape[1] == last.in_features
    return len(matrix) if fits and vector.shape == matrix.shape[:1] else 0


def _without_wrapper(tensors: Mapping[str, Floats]) -> Mapping[str, Floats]:
    """Return tensors without the "module." that PyTorch's data-parallel wrapper puts before all."""
    if not all(name.startswith("module.") for name in tensors):
        return tensors
    return {name.removeprefix("module."): one for name, one in tensors.items()}


def _first_convolution(module: nn.Module) -> tuple[str, nn.Conv2d] | None:
    """Return the name and the first 2-D convolution, in order of definition."""
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d):
            return name, layer
    return None


def _classifier(module: nn.Module) -> str:
    """Return the name of the last layer with weights, where it is dense; else ""."""
    last = ""
    for name, layer in module.named_modules():
        if next(layer.parameters(recurse=False), None) is not None:
            last = name if isinstance(layer, nn.Linear) else ""
    return last


def _adapted(
    module: nn.Module,
    first: tuple[str, nn.Conv2d] | None,
    tensors: Mapping[str, Floats],
    pairs: Sequence[Pair],
    weights: Pretrained,
) -> Adapted | None:
    """Return the first kernel for the module's channels, or None where it fits as it is."""
    if first is None or first[1].in_channels == RGB:
        return None
    came = next(came for name, came in pairs if name == f"{first[0]}.weight")
    if tensors[came].shape == tuple(first[1].weight.shape):
        return None
    pixels = weights.pixels
    adapted = adapt_kernel(tensors[came], pixels.mean, pixels.deviation, first[1].in_channels)
    if np.any(adapted.constant_K) and _takes_constant(module, *first) is None:
        raise UsageError(
            f"The weights of {weights.origin} can't be made to take one channel: the first "
            f"convolution, {first[0]}, has neither a bias nor a batch norm after it. "
            "Use data.channels: 3."
        )
    return adapted


def _takes_constant(module: nn.Module, name: str, layer: nn.Conv2d) -> torch.Tensor | None:
    """Return the tensor that takes a constant of the first convolution: its bias, or the running
    mean of the batch norm after it."""
    if layer.bias is not None:
        return layer.bias
    following = _after(module, name)
    norm = next((one for one in following if isinstance(one, nn.BatchNorm2d | nn.Conv2d)), None)
    if isinstance(norm, nn.BatchNorm2d) and norm.num_features == layer.out_channels:
        return norm.running_mean
    return None


def _after(module: nn.Module, name: str) -> Iterator[nn.Module]:
    seen = False
    for other, layer in module.named_modules():
        if seen:
            yield layer
        seen = seen or other == name


def _copy(
    state: Mapping[str, torch.Tensor],
    tensors: Mapping[str, Floats],
    pairs: Sequence[Pair],
    but: str,
) -> None:
    with torch.no_grad():
        for name, came in pairs:
            if name != but:
                state[name].copy_(torch.from_numpy(tensors[came]))


def _copy_first(module: nn.Module, name: str, layer: nn.Conv2d, adapted: Adapted) -> None:
    constant = torch.from_numpy(adapted.constant_K)
    takes = _takes_constant(module, name, layer)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(adapted.kernel_KChw))
        if takes is not None:
            # Batch norm subtracts its mean, so it takes the constant with the other sign.
            takes.add_(constant if takes is layer.bias else -constant)


def _check_finite(
    weights: Pretrained, tensors: Mapping[str, Floats], pairs: Sequence[Pair]
) -> None:
    for _, came in pairs:
        if not np.isfinite(tensors[came]).all():
            raise UsageError(
                f"The weights of {weights.origin} can't be used: '{came}' holds numbers that "
                "aren't finite. Fetch or save them again."
            )


def _unordered(weights: Pretrained) -> str:
    return (
        f"The weights of {weights.origin} have other names than {weights.network}, and the file "
        "doesn't keep the network's order. Give weights of the same network with the same names, "
        "or a .pth file."
    )


def _letter(weights: Pretrained, mismatches: Sequence[Mismatch], total: int) -> str:
    lines = "\n".join(f"  {one}" for one in mismatches)
    return (
        f"The weights of {weights.origin} don't fit {weights.network}, which has {total} tensors. "
        f"Those that differ:\n{lines}\nGive weights of this network, or name the network they are "
        "for."
    )
