"""Regression: T numbers for a picture."""

from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from striate.answer import Answer
from striate.task._losses import Loss
from striate.task._reduce import mean, per_sample


@final
class RegressionTask:
    """Logits (B, T) are standardised: the answer is logit · deviation + mean, per target.

    The loss acts on standardised targets, so its unit is the target's deviation in the training
    part (mean squared error: its square), and every target counts alike.
    """

    def __init__(self, answer: Answer, loss: Loss, train_targets: npt.NDArray[Any]) -> None:
        """Take mean and deviation from `train_targets` (N, T); a constant's deviation is 1."""
        self.answer = answer
        self.outputs = len(answer.names)
        self._loss = loss
        self.mean_T, self.deviation_T = standard(train_targets)
        # Built once, because the exporter warns of tensors made while it traces.
        self._mean_T = torch.tensor(self.mean_T, dtype=torch.float32)
        self._deviation_T = torch.tensor(self.deviation_T, dtype=torch.float32)

    def accepts(self, outputs: int) -> bool:
        """Return True for one logit per target."""
        return outputs == self.outputs

    def tensor(self, targets: npt.NDArray[Any]) -> Tensor:
        """Return the targets (B, T), standardised in float64, as float32."""
        return torch.tensor((targets - self.mean_T) / self.deviation_T, dtype=torch.float32)

    def loss(self, logits_BK: Tensor, targets: Tensor, *, weights: Tensor | None = None) -> Tensor:
        """Return the mean loss of the batch, weighted by sample where asked."""
        return mean(self._loss(logits_BK.float(), targets), weights)

    def weight(self, targets: Tensor) -> float:
        """Return the number of samples."""
        return float(len(targets))

    def loss_each(self, logits_BK: Tensor, targets: Tensor) -> Tensor:
        """Return each sample's loss, averaged over its targets, (B,)."""
        return per_sample(self._loss(logits_BK.float(), targets), len(logits_BK))

    def answers(self, logits_BK: Tensor) -> Tensor:
        """Return the values in the user's units, (B, T)."""
        z = logits_BK.float()
        return z * self._deviation_T.to(z.device) + self._mean_T.to(z.device)


def standard(
    targets_NT: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean and deviation (divided by N) of each column; a constant's deviation is 1."""
    values_NT = np.asarray(targets_NT, dtype=np.float64)
    # The deviation of a constant may come out as a rounding error instead of 0.
    constant_T = values_NT.min(axis=0) == values_NT.max(axis=0)
    return values_NT.mean(axis=0), np.where(constant_T, 1.0, values_NT.std(axis=0))
