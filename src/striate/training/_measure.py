"""A part's loss and metrics in evaluation mode, without augmentation, averaged over samples."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from striate.data import KeptFeatures, Store
from striate.task import Task
from striate.training._world import ALONE, World

EVALUATION_BATCH = 256


def logits_of(
    network: nn.Module,
    stage: nn.Module,
    store: Store | KeptFeatures,
    positions: npt.NDArray[np.int64],
    device: torch.device,
    world: World = ALONE,
) -> torch.Tensor:
    """Return the network's logits (N, K) for stored pictures, in evaluation mode, on the CPU.

    Several processes take whole batches in turn, so that each logit is what one process computes.
    """
    world.align(network)
    was_training = network.training
    network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(positions), EVALUATION_BATCH)[world.rank :: world.size]:
            pictures = store.take(positions[start : start + EVALUATION_BATCH])
            parts.append(network(stage(torch.from_numpy(pictures).to(device))).cpu())
    network.train(was_training)
    return world.joined(parts, len(positions), EVALUATION_BATCH)


def measure(
    network: nn.Module,
    stage: nn.Module,
    task: Task,
    store: Store | KeptFeatures,
    targets: npt.NDArray[Any],
    positions: npt.NDArray[np.int64],
    device: torch.device,
    world: World = ALONE,
) -> dict[str, float]:
    """Return the trained loss as `loss`, and the task's metrics, for some positions of a source.

    `targets` are the whole source's. The loss is the one that is trained, per sample, averaged.
    """
    logits_NK = logits_of(network, stage, store, positions, device, world)
    wanted = targets[positions]
    with torch.inference_mode():
        loss = task.loss_each(logits_NK, task.tensor(wanted)).double().mean().item()
        answer_NK = task.answers(logits_NK).numpy()
    return task.answer.metrics(answer_NK, wanted) | {"loss": loss}


def answers_of(
    network: nn.Module,
    stage: nn.Module,
    task: Task,
    store: Store | KeptFeatures,
    positions: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """Return PyTorch's answers (N, K) for stored pictures, on the CPU: the export must equal them."""
    logits_NK = logits_of(network, stage, store, positions, torch.device("cpu"))
    with torch.inference_mode():
        answer_NK: npt.NDArray[np.float32] = task.answers(logits_NK).numpy()
    return answer_NK
