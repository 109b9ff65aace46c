"""What a task is in PyTorch: the half of a task that training and export need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy.typing as npt

from striate.answer import Answer

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Task(Protocol):
    """One task's head and loss; axis names in striate.answer._base.

    `logits` are the network's raw outputs, (B, `outputs`), of any floating type: every method
    computes in float32. `targets` are what `tensor` returned, on the device of the logits.
    """

    @property
    def answer(self) -> Answer:
        """The same task in NumPy, with its class, label or target names."""
        ...

    @property
    def outputs(self) -> int:
        """The number of logits that the network gives for one picture."""
        ...

    def accepts(self, outputs: int) -> bool:
        """Return True where a network with this number of logits can do the task."""
        ...

    def tensor(self, targets: npt.NDArray[Any]) -> Tensor:
        """Return the targets (first axis B) of `Source.targets` as the loss takes them."""
        ...

    def loss(self, logits_BK: Tensor, targets: Tensor, *, weights: Tensor | None = None) -> Tensor:
        """Return the mean loss over the samples, a scalar to be differentiated.

        `weights` (B,) gives each sample's weight w: Σ w·l / Σ w; None means 1 for all.
        """
        ...

    def weight(self, targets: Tensor) -> float:
        """Return what `loss` divides by: the number of samples, or their classes' weights added.

        So the loss of two batches together is the mean of their losses by weight.
        """
        ...

    def loss_each(self, logits_BK: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample, float32 (B,), to be averaged over a part's samples."""
        ...

    def answers(self, logits_BK: Tensor) -> Tensor:
        """Return the answers, float32 (B, K), as `network.onnx` gives them; can be exported."""
        ...
