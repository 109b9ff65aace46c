"""Between a live network with its optimizer and a `State`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.training._checkpoints._state import State
from striate.training._checkpoints._tensors import STAND_INS
from striate.training._optimizers import Optimizer

if TYPE_CHECKING:
    from striate.training._checkpoints._state import Array

NETWORK, OPTIMIZER = "network", "optimizer"


def collect(
    network: nn.Module,
    optimizer: Optimizer,
    *,
    weights: Mapping[str, Mapping[str, Tensor]],
    tree: Mapping[str, Any],
) -> State:
    """Return everything that a run needs to go on.

    Parameters with `requires_grad` off go to `State.frozen`. The network's own CPU tensors are
    shared, not copied, where they are row-major: save before the next step.

    Args:
        weights: further sets of weights, such as {"best": …, "average": …}: set → name of one of
            the network's parameters or buffers → tensor. One that equals the network's frozen
            parameter isn't stored again.
        tree: steps, epochs and all else that is JSON.
    """
    live = dict(_named(network))
    still = {name for name, one in network.named_parameters() if not one.requires_grad}
    tensors: dict[str, Array] = {
        f"{NETWORK}/{name}": one for name, one in live.items() if name not in still
    }
    moments = _optimizer_tensors(network, optimizer)
    tensors |= {f"{OPTIMIZER}/{name}": one for name, one in moments.items()}
    for kind, held in weights.items():
        for name, one in held.items():
            if name not in still or not torch.equal(one, live[name]):
                tensors[f"{kind}/{name}"] = one
    frozen = {f"{NETWORK}/{name}": live[name] for name in still}
    return State(tensors=tensors, frozen=frozen, tree=tree)


def restore(state: State, network: nn.Module, optimizer: Optimizer) -> None:
    """Copy a saved state into a network and an optimizer that are made as they were when saved.

    Nothing is replaced: values are copied into the tensors that are there, whose strides stay.

    Raises:
        UsageError: a name, shape or type differs; the first is named, and nothing was changed.
    """
    live = dict(_named(network))
    saved = _of(state.frozen, NETWORK) | _of(state.tensors, NETWORK)
    _check(live, saved, "network")
    held = _optimizer_tensors(network, optimizer)
    moments = _of(state.tensors, OPTIMIZER)
    _check(held, moments, "optimizer")
    with torch.no_grad():
        for name, one in live.items():
            one.copy_(tensor_of(saved[name], one.dtype))
    numbers = {name: number for number, name in enumerate(_parameter_names(network, optimizer))}
    numbered: dict[str, Tensor] = {}
    for key, like in held.items():
        slot, _, name = key.partition("/")
        numbered[f"{slot}.{numbers[name]}"] = tensor_of(moments[key], like.dtype)
    optimizer.load(numbered)


def weights_of(state: State, kind: str, network: nn.Module) -> dict[str, Tensor]:
    """Return one of `collect`'s sets of weights, laid out like the network's tensors.

    The network's frozen parameters are in it too. A set that was empty, or never stored, is empty.

    Raises:
        UsageError: a name, shape or type isn't the network's; the first is named.
    """
    saved = _of(state.tensors, kind)
    if not saved:
        return {}
    saved = _of(state.frozen, NETWORK) | saved
    live = network.state_dict()
    _check({name: one for name, one in live.items() if name in saved}, saved, kind)
    return {
        name: torch.empty_like(one).copy_(tensor_of(saved[name], one.dtype))
        for name, one in live.items()
        if name in saved
    }


def _named(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield parameters and buffers, shared ones once; buffers that state_dict leaves out, too."""
    yield from network.named_parameters()
    yield from network.named_buffers()


def _optimizer_tensors(network: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state as "<what>/<parameter's name>"."""
    names = _parameter_names(network, optimizer)
    tensors: dict[str, Tensor] = {}
    for key, one in optimizer.state().items():
        slot, _, number = key.rpartition(".")
        tensors[f"{slot}/{names[int(number)]}"] = one
    return tensors


def _parameter_names(network: nn.Module, optimizer: Optimizer) -> list[str]:
    """Return the parameters' names in the optimizer's order."""
    names = {id(one): name for name, one in network.named_parameters()}
    return [names[id(one)] for one in optimizer.parameters]


def _of(tensors: Mapping[str, Array], kind: str) -> dict[str, Array]:
    """Return what stands under "<kind>/", without it."""
    start = f"{kind}/"
    return {
        name.removeprefix(start): one for name, one in tensors.items() if name.startswith(start)
    }


def _check(live: Mapping[str, Array], saved: Mapping[str, Array], kind: str) -> None:
    """Raise UsageError for the first name, in the network's order, that isn't alike in both."""
    for name in [*live, *(name for name in saved if name not in live)]:
        expected, came = _described(live.get(name)), _described(saved.get(name))
        if expected != came:
            raise UsageError(
                f"The checkpoint doesn't fit: in the {kind}, '{name}' should be {expected} and is "
                f"{came} in the checkpoint. Resume with the settings that the run was begun with."
            )


def _described(one: Array | None) -> str:
    if one is None:
        return "absent"
    dtype = str(one.dtype).removeprefix("torch.")
    return f"{STAND_INS.get(dtype, dtype)} {tuple(one.shape)}"


def tensor_of(one: Array, dtype: torch.dtype) -> Tensor:
    """Return a saved array as a tensor; what stands in for a type that NumPy hasn't is that type."""
    tensor = torch.from_numpy(one) if isinstance(one, np.ndarray) else one
    return tensor if tensor.dtype == dtype else tensor.view(dtype)
