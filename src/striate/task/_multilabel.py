"""Multi-label: each of K labels is present in a picture or not."""

from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from striate.answer import Answer
from striate.task._losses import Loss
from striate.task._reduce import mean, per_sample


@final
class MultiLabelTask:
    """Logits (B, K), one per label; targets float32 (B, K) of 0 and 1."""

    def __init__(self, answer: Answer, loss: Loss) -> None:
        self.answer = answer
        self.outputs = len(answer.names)
        self._loss = loss

    def accepts(self, outputs: int) -> bool:
        """Return True for one logit per label."""
        return outputs == self.outputs

    def tensor(self, targets: npt.NDArray[Any]) -> Tensor:
        """Return the labels as float32 (B, K)."""
        return torch.tensor(np.asarray(targets, dtype=np.float32))

    def loss(self, logits_BK: Tensor, targets: Tensor, *, weights: Tensor | None = None) -> Tensor:
        """Return the mean loss of the batch, weighted by sample where asked."""
        return mean(self._loss(logits_BK.float(), targets), weights)

    def weight(self, targets: Tensor) -> float:
        """Return the number of samples."""
        return float(len(targets))

    def loss_each(self, logits_BK: Tensor, targets: Tensor) -> Tensor:
        """Return each sample's loss, averaged over its labels, (B,)."""
        return per_sample(self._loss(logits_BK.float(), targets), len(logits_BK))

    def answers(self, logits_BK: Tensor) -> Tensor:
        """Return the probability of each label, σ(z), (B, K)."""
        return torch.sigmoid(logits_BK.float())
