"""The one optimizer class: it holds state, and leaves all arithmetic to a rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, final

import torch
from torch import Tensor

from striate.errors import UsageError


class Rule(Protocol):
    """One optimizer's arithmetic, for tensors of one device and dtype."""

    @property
    def buffers(self) -> tuple[str, ...]:
        """Names of the state tensors shaped like the parameter; they start at 0."""
        ...

    def update(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        buffers: dict[str, list[Tensor]],
        steps: list[Tensor],
        *,
        rate: float,
        decay: bool,
    ) -> None:
        """Move the parameters and their buffers in place; `steps` count this update already.

        Within a parameter, all tensors have the same strides.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Part:
    """Parameters (by number) that one call of a rule moves together."""

    rule: Rule
    numbers: tuple[int, ...]
    rate: float
    decay: bool


@final
class Holder:
    """An `Optimizer` made of rules; parameters are known by their number through all groups."""

    def __init__(self, name: str, parameters: Sequence[Tensor], parts: Sequence[Part]) -> None:
        self._name = name
        self._parameters = list(parameters)
        self._parts = list(parts)
        self._steps = [
            torch.zeros((), dtype=torch.float32, device=parameter.device)
            for parameter in self._parameters
        ]
        self._buffers: dict[tuple[str, int], Tensor] = {
            (buffer, number): torch.zeros_like(self._parameters[number])
            for part in self._parts
            for buffer in part.rule.buffers
            for number in part.numbers
        }

    @property
    def parameters(self) -> Sequence[Tensor]:
        """All parameters, by number."""
        return self._parameters

    def step(self, learning_rate: float) -> None:
        """Move every parameter that has a gradient."""
        with torch.no_grad():
            for part in self._parts:
                numbers = [n for n in part.numbers if self._parameters[n].grad is not None]
                if numbers:
                    self._update(part, numbers, learning_rate * part.rate)

    def zero_grad(self) -> None:
        """Drop all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        """Return row-major copies of all state."""
        steps = {f"step.{number}": step.clone() for number, step in enumerate(self._steps)}
        buffers = {
            f"{buffer}.{number}": tensor.clone(memory_format=torch.contiguous_format)
            for (buffer, number), tensor in self._buffers.items()
        }
        return steps | buffers

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Copy saved state into tensors laid out like the parameters."""
        held = {f"step.{number}": step for number, step in enumerate(self._steps)}
        held |= {f"{buffer}.{number}": kept for (buffer, number), kept in self._buffers.items()}
        shapes = {name: tuple(tensor.shape) for name, tensor in held.items()}
        saved = {name: tuple(tensor.shape) for name, tensor in state.items()}
        odd = sorted(
            name for name in shapes.keys() | saved.keys() if shapes.get(name) != saved.get(name)
        )
        if odd:
            raise UsageError(
                f"The saved state of the optimizer doesn't fit '{self._name}' on this network: "
                f"'{odd[0]}' should be {_shape(shapes.get(odd[0]))} and is "
                f"{_shape(saved.get(odd[0]))}. Go on with the settings that it was saved with."
            )
        for name, tensor in held.items():
            tensor.copy_(state[name])

    def _update(self, part: Part, numbers: list[int], rate: float) -> None:
        parameters = [self._parameters[number] for number in numbers]
        gradients = [
            _laid_out_like(parameter, parameter.grad)
            for parameter in parameters
            if parameter.grad is not None
        ]
        steps = [self._steps[number] for number in numbers]
        torch._foreach_add_(steps, 1.0)
        part.rule.update(
            parameters,
            gradients,
            {buffer: self._aligned(buffer, numbers) for buffer in part.rule.buffers},
            steps,
            rate=rate,
            decay=part.decay,
        )

    def _aligned(self, buffer: str, numbers: list[int]) -> list[Tensor]:
        """Return buffers with their parameters' strides, moved over where a layout has changed."""
        for number in numbers:
            kept = self._buffers[buffer, number]
            self._buffers[buffer, number] = _laid_out_like(self._parameters[number], kept)
        return [self._buffers[buffer, number] for number in numbers]


def _laid_out_like(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Return `tensor`, copied where its strides differ from the parameter's.

    The fused CPU kernels walk through memory without looking at strides: with others they would
    compute wrong updates in silence.
    """
    if tensor.stride() == parameter.stride():
        return tensor
    return torch.empty_like(parameter).copy_(tensor)


def _shape(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else f"of shape {shape}"
