"""What a pretrained classifier would answer, as features beside those that it reads."""

from typing import final

import torch
from torch import Tensor, nn

KNOWN = "known"
"""Name of the layer in a head."""


@final
class KnownClasses(nn.Module):
    """Features (N, F) → the same, and the square root of each known class's probability: (N, F + C).

    A picture of something that the weights were trained to tell apart is told apart by these at once,
    and others by what they resemble. Square roots make distances between two answers Hellinger's, so
    that small probabilities count too. The classifier's weights are kept as they are.

    Args:
        features: F.
        classes: C.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(features, classes).requires_grad_(False)

    def forward(self, features_NF: Tensor) -> Tensor:
        """Return float (N, F + C)."""
        # The root of a probability that underflows has no gradient; that of its logarithm's half has.
        roots_NC = (self.classifier(features_NF).log_softmax(dim=1) / 2).exp()
        return torch.cat([features_NF, roots_NC], dim=1)
