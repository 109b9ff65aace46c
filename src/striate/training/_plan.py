"""What one fit needs: put together before it, unchanged during it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn

from striate.data import AnyBatch, AnyBatches
from striate.task import Task
from striate.training._length import Length
from striate.training._mixing import Mixing
from striate.training._optimizers import Optimizer
from striate.training._precision import Precision
from striate.training._world import ALONE, World


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that one fit needs and that doesn't change during it.

    Attributes:
        stage: brings what batches hold to what the network takes.
        outputs: number of logits.
        samples: pictures in one epoch.
        rate: step (from 0) and the validation rows so far → learning rate.
        validate: network → loss and metrics of the validation part; None without such a part.
        selection: (metric, larger is better) that chooses the best epoch.
        patience: epochs without a better one before stopping; None: never.
        mixing: mixes the pictures of every batch; None: they stay as they are.
        precision: what a step's forward pass computes with.
        average: decay of the weights' moving average, which is what is judged; None: the newest are.
        named: a sentence that names a batch's pictures.
        length: the number of steps, where the run is counted in them; None: `epochs` counts.
        world: the processes that train together, with a plan each.
    """

    network: nn.Module
    stage: nn.Module
    task: Task
    outputs: int
    batches: AnyBatches
    samples: int
    optimizer: Optimizer
    rate: Callable[[int, list[dict[str, float]]], float]
    validate: Callable[[nn.Module], dict[str, float]] | None
    selection: tuple[str, bool]
    epochs: int
    patience: int | None
    seed: int
    device: torch.device
    mixing: Mixing | None = None
    precision: Precision = "float32"
    average: float | None = None
    named: Callable[[AnyBatch], str] = field(default=lambda _batch: "")
    length: Length | None = None
    world: World = ALONE
