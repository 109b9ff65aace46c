"""What one step does in every layer: deviation of its output, norm of its gradient."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from striate.data._words import some
from striate.training._gradients import gradient_norm

VANISHING = 1e-3
"""A gradient this small beside the largest layer's, or activations this flat, hardly learn."""

EXPLODING = 1e3
"""Activations that deviate this much, from input that deviates by 1, are running away."""


@dataclass(frozen=True, kw_only=True)
class LayerState:
    """One layer at one step.

    Attributes:
        layer: its name.
        deviation: standard deviation over all numbers of its output.
        gradient_norm: Euclidean norm of the gradient of its parameters; None where it has none.
    """

    layer: str
    deviation: float
    gradient_norm: float | None


class Probe:
    """Collects during one step; `states` is complete once the block of `probing` has ended."""

    def __init__(self) -> None:
        self.deviations: dict[str, float] = {}
        self.states: list[LayerState] = []


@contextmanager
def probing(network: nn.Module) -> Iterator[Probe]:
    """Watch every innermost layer during the block, which does one forward and one backward pass.

    Nothing is computed twice and no random number drawn: the step is the same with and without.
    """
    probe = Probe()
    layers = {
        name: module for name, module in network.named_modules() if not any(module.children())
    }

    def watch(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.is_floating_point():
                probe.deviations[name] = float(output.detach().float().std(correction=0))

        return hook

    handles = [module.register_forward_hook(watch(name)) for name, module in layers.items()]
    try:
        yield probe
    finally:
        for handle in handles:
            handle.remove()
    probe.states = [
        LayerState(
            layer=name.removeprefix("layers."),
            deviation=deviation,
            gradient_norm=gradient_norm(layers[name].parameters(recurse=False)),
        )
        for name, deviation in probe.deviations.items()
    ]


def complaints(states: Sequence[LayerState]) -> list[str]:
    """Return a sentence for the layers whose output vanishes, explodes, or whose gradient vanishes."""
    norms = [state.gradient_norm for state in states if state.gradient_norm is not None]
    largest = max(norms, default=0.0)
    kinds: dict[str, list[tuple[str, str]]] = {}
    for state in states:
        if state.deviation < VANISHING:
            kinds.setdefault("output", []).append(
                (
                    state.layer,
                    f"its output hardly varies at the first step (deviation "
                    f"{state.deviation:.1g}): what lies before it may learn nothing. Try batch norm, "
                    "or another initialisation, such as kaiming-normal.",
                )
            )
        elif state.deviation > EXPLODING:
            kinds.setdefault("explosion", []).append(
                (
                    state.layer,
                    f"its output explodes at the first step (deviation {state.deviation:.1g}). "
                    "Try batch norm, or a smaller initialisation.",
                )
            )
        if state.gradient_norm is not None and state.gradient_norm < VANISHING * largest:
            kinds.setdefault("gradient", []).append(
                (
                    state.layer,
                    f"its gradient vanishes at the first step ({state.gradient_norm:.1g}, the "
                    f"largest layer's is {largest:.1g}). Try batch norm, or another initialisation.",
                )
            )
    return [_told(found) for found in kinds.values()]


def _told(found: Sequence[tuple[str, str]]) -> str:
    """Return the first layer's sentence, and the names of the others."""
    first, sentence = found[0]
    others = some(layer for layer, _ in found[1:])
    return f"layer {first}: {sentence}" + (f" The same holds for {others}." if others else "")
