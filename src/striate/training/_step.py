"""One step: from a batch to gradients, and from gradients to other weights."""

import math

import torch
from torch import Tensor, nn

from striate.data import AnyBatch, FeatureBatch
from striate.errors import NotFiniteError
from striate.training._device import step_seed
from striate.training._gradients import gradient_norm
from striate.training._plan import Plan
from striate.training._precision import forward
from striate.training._warp import augment_on_device


def pictures_of(batch: AnyBatch, device: torch.device) -> Tensor:
    """Return a batch's pictures on the device, augmented: uint8 (B, H, W, C); or float32 features."""
    if isinstance(batch, FeatureBatch):
        return torch.from_numpy(batch.features_BF).to(device)
    pictures = torch.from_numpy(batch.pictures_BHWC).to(device)
    return pictures if batch.deferred is None else augment_on_device(pictures, batch.deferred)


def train_step(
    plan: Plan,
    pictures_BHWC: Tensor,
    targets: Tensor,
    parameters: list[nn.Parameter],
    step: int,
    rate: float,
) -> tuple[float, float]:
    """Do one step on uint8 pictures on the device; return what `gradients` does."""
    loss, norm = gradients(plan, pictures_BHWC, targets, parameters, step, rate)
    plan.optimizer.step(rate)
    return loss, norm


def gradients(
    plan: Plan,
    pictures_BHWC: Tensor,
    targets: Tensor,
    parameters: list[nn.Parameter],
    step: int,
    rate: float,
) -> tuple[float, float]:
    """Compute a step's gradients; return (mean loss, gradient norm). No weight is changed.

    The randomness of dropout and mixing comes from (seed, step), and that of dropout from the
    process's number: no generator's state outlives a step.

    Raises:
        NotFiniteError: the loss or a gradient isn't finite; `rate` is for its message.
    """
    torch.default_generator.manual_seed(step_seed(plan.seed, step, plan.world.rank))
    loss = _loss(plan, plan.stage(pictures_BHWC), targets.to(plan.device), step)
    value = plan.world.mean_loss(loss)
    if not math.isfinite(value):
        raise NotFiniteError(_not_finite("loss", value, step, rate))
    plan.optimizer.zero_grad()
    torch.autograd.backward(loss)
    norm = gradient_norm(parameters) or 0.0
    if not math.isfinite(norm):
        raise NotFiniteError(_not_finite("gradient", norm, step, rate))
    return value, norm


def _loss(plan: Plan, pictures_BCHW: Tensor, targets: Tensor, step: int) -> Tensor:
    """Return the mean loss of a batch on the device, mixed where the plan says so."""
    loss = plan.world.loss(plan.task, targets)
    if plan.mixing is None:
        return loss(_logits(plan, pictures_BCHW), targets)
    pictures, _, height, width = pictures_BCHW.shape
    mixture = plan.mixing.mixture(step, pictures=pictures, height=height, width=width)
    return mixture.loss(loss, _logits(plan, mixture.pictures(pictures_BCHW)), targets)


def _logits(plan: Plan, pictures_BCHW: Tensor) -> Tensor:
    """Return the logits of a step, in the plan's precision."""
    return forward(
        lambda pictures: plan.world.logits(plan.network, pictures), pictures_BCHW, plan.precision
    )


def _not_finite(what: str, value: float, step: int, rate: float) -> str:
    return (
        f"The {what} is {value} at step {step}, learning rate {rate:.3g}; no weight was changed by "
        f"that step. Usually the rate is too large: try --learning-rate {rate / 10:.1g}."
    )
