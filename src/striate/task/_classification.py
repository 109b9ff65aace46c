"""Classification: one of K classes for a picture."""

from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from striate.answer import Answer
from striate.task import _losses
from striate.task._losses import Loss
from striate.task._reduce import mean, per_sample


@final
class ClassificationTask:
    """Logits (B, K), or (B, 1) for two classes: then z is the second class's, and the first's is 0.

    Class weights w act as in PyTorch: the loss of a batch is Σ w·l / Σ w. They are scaled to a
    mean of 1 over the training part, which leaves that loss as it is and makes the plain average
    of `loss_each` over the training part equal to the weighted mean over the whole part. Where
    targets are mixed, a sample's w is Σ_k p_k·w_k.
    """

    def __init__(
        self, answer: Answer, loss: Loss, *, outputs: int, class_weights_K: Tensor | None = None
    ) -> None:
        """Take a loss on the network's own logits, of which it should give `outputs`."""
        self.answer = answer
        self.outputs = outputs
        self._loss = loss
        self._class_weights_K = class_weights_K

    def accepts(self, outputs: int) -> bool:
        """Return True for K logits, and for one where there are two classes."""
        classes = len(self.answer.names)
        return outputs == classes or (classes == 2 and outputs == 1)

    def tensor(self, targets: npt.NDArray[Any]) -> Tensor:
        """Return class numbers as int64 (B,), or mixed targets as float32 (B, K)."""
        mixed = np.issubdtype(targets.dtype, np.floating)
        return torch.tensor(np.asarray(targets, dtype=np.float32 if mixed else np.int64))

    def loss(self, logits_BK: Tensor, targets: Tensor, *, weights: Tensor | None = None) -> Tensor:
        """Return the mean loss of the batch, weighted by class and by sample where asked."""
        return mean(self._loss(logits_BK.float(), targets), weights, self._divisors(targets))

    def weight(self, targets: Tensor) -> float:
        """Return the samples' class weights added; their number where classes have none."""
        divisors = self._divisors(targets)
        return float(len(targets)) if divisors is None else float(divisors.double().sum())

    def loss_each(self, logits_BK: Tensor, targets: Tensor) -> Tensor:
        """Return each sample's loss, class weights included, (B,)."""
        return per_sample(self._loss(logits_BK.float(), targets), len(logits_BK))

    def answers(self, logits_BK: Tensor) -> Tensor:
        """Return the softmax, (B, K); one logit z gives [1 − σ(z), σ(z)]."""
        z = logits_BK.float()
        if _single(z):
            return torch.cat([torch.sigmoid(-z), torch.sigmoid(z)], dim=1)
        return torch.softmax(z, dim=1)

    def _divisors(self, targets: Tensor) -> Tensor | None:
        if self._class_weights_K is None:
            return None
        weights_K = self._class_weights_K.to(targets.device)
        return targets @ weights_K if targets.is_floating_point() else weights_K[targets]


def class_loss(name: str, *, label_smoothing: float, class_weights_K: Tensor | None) -> Loss:
    """Return the classification loss of that name, on logits (B, K) or (B, 1)."""

    def each(logits: Tensor, targets: Tensor) -> Tensor:
        weights_K = None if class_weights_K is None else class_weights_K.to(logits.device)
        logits_BK = _pair(logits) if _single(logits) else logits
        match name:
            case "cross-entropy":
                return _losses.cross_entropy(
                    logits_BK, targets, label_smoothing=label_smoothing, class_weights_K=weights_K
                )
            case "nll":
                return _losses.nll(logits_BK, targets, class_weights_K=weights_K)
            case "multi-class-hinge":
                return _losses.multi_class_hinge(logits_BK, targets)
            case "hinge":
                return _losses.hinge(_margin(logits), targets)
        return _losses.binary_cross_entropy(_margin(logits)[:, None], _second(targets)[:, None])

    return each


def _single(logits: Tensor) -> bool:
    # Counted by unbind, because comparing shapes makes the exporter warn while it traces.
    return len(logits.unbind(1)) == 1


def _pair(logits_B1: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(logits_B1), logits_B1], dim=1)


def _margin(logits: Tensor) -> Tensor:
    return logits[:, 0] if _single(logits) else logits[:, 1] - logits[:, 0]


def _second(targets: Tensor) -> Tensor:
    return targets[:, 1] if targets.is_floating_point() else targets.float()
