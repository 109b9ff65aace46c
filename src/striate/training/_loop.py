"""The training loop: plain PyTorch, one step after another, nothing hidden."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor, nn

from striate.data import Batch, Batches
from striate.errors import NotFiniteError
from striate.task import Task
from striate.training._device import step_seed
from striate.training._events import Epoch, Listener, Step
from striate.training._gradients import gradient_norm
from striate.training._interrupt import Stop
from striate.training._mixing import Mixing
from striate.training._optimizers import Optimizer
from striate.training._pixels import InputStage
from striate.training._probe import LayerState, Probe, complaints, probing
from striate.training._records import Records
from striate.training._warp import augment_on_device


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that one fit needs and that doesn't change during it.

    Attributes:
        outputs: number of logits.
        samples: pictures in one epoch.
        rate: step (from 0) and the validation rows so far → learning rate.
        validate: network → loss and metrics of the validation part; None without such a part.
        selection: (metric, larger is better) that chooses the best epoch.
        patience: epochs without a better one before stopping; None: never.
        mixing: mixes the pictures of every batch; None: they stay as they are.
    """

    network: nn.Module
    stage: InputStage
    task: Task
    outputs: int
    batches: Batches
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


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What came out: the best epoch's weights, why training ended, and the layers once an epoch."""

    weights: dict[str, Tensor]
    best_epoch: int
    epochs: int
    steps: int
    stopped: str
    states: list[tuple[int, list[LayerState]]]


def fit(plan: Plan, records: Records, listener: Listener, stop: Stop) -> Fitted:
    """Train until the epochs are done, patience ends, or somebody asks to stop.

    The weights returned are those of the best epoch by `plan.selection` on the validation part
    (ties: the smaller validation loss), or the last ones where there is no such part.

    Raises:
        NotFiniteError: a loss or gradient isn't finite; the weights were not touched by that step.
    """
    clock = _Clock(plan)
    validations: list[dict[str, float]] = []
    best: dict[str, Tensor] = {}
    best_epoch = 0
    done = 0
    stopped = "all epochs done"
    for epoch in range(1, plan.epochs + 1):
        running = _train_epoch(plan, epoch, validations, records, listener, stop, clock)
        if stop:
            stopped = f"stopped by a signal in epoch {epoch}"
            break
        done = epoch
        row = plan.validate(plan.network) if plan.validate else {}
        validations.append(row)
        is_best = best_epoch == 0 or _better(plan, row, validations[best_epoch - 1])
        if is_best:
            best, best_epoch = _copy(plan.network), epoch
        told = clock.epoch(epoch, running, row, is_best, plan)
        records.epoch(told)
        listener.epoch(told)
        if plan.patience is not None and epoch - best_epoch >= plan.patience:
            stopped = f"no better epoch in {plan.patience} (early stopping)"
            break
    return Fitted(
        weights=best or _copy(plan.network),
        best_epoch=best_epoch,
        epochs=done,
        steps=clock.steps,
        stopped=stopped,
        states=clock.states,
    )


def _train_epoch(
    plan: Plan,
    epoch: int,
    validations: list[dict[str, float]],
    records: Records,
    listener: Listener,
    stop: Stop,
    clock: "_Clock",
) -> float:
    """Do one epoch's steps; return the running loss, averaged over samples."""
    plan.network.train()
    clock.start_epoch()
    total = 0.0
    parameters = [p for p in plan.network.parameters() if p.requires_grad]
    for index, batch in enumerate(clock.waited_for(plan.batches.epoch(epoch)), start=1):
        step = clock.steps
        rate = plan.rate(step, validations)
        # The first step of every epoch is watched layer by layer; it is the same step.
        watching = probing(plan.network) if index == 1 else nullcontext(Probe())
        with watching as probe:
            loss, norm = train_step(
                plan,
                pictures_of(batch, plan.device),
                plan.task.tensor(batch.targets),
                parameters,
                step,
                rate,
            )
        if index == 1:
            records.layers(step, epoch, probe.states)
            clock.states.append((epoch, probe.states))
            for sentence in complaints(probe.states) if epoch == 1 else ():
                listener.warn(sentence)
        records.step(step, epoch, loss, rate, norm)
        total += loss * len(batch.positions)
        clock.step(len(batch.positions), rate)
        listener.step(clock.told(epoch, index, loss, plan))
        if stop:
            break
    clock.end_steps()
    return total / max(1, clock.epoch_images)


def pictures_of(batch: Batch, device: torch.device) -> Tensor:
    """Return a batch's pictures on the device, augmented: uint8 (B, H, W, C)."""
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
    """Do one step on uint8 pictures on the device; return (mean loss, gradient norm before the step).

    The randomness of dropout and mixing comes from (seed, step) alone: no generator's state
    outlives a step.
    """
    torch.default_generator.manual_seed(step_seed(plan.seed, step))
    loss = _loss(plan, plan.stage(pictures_BHWC), targets.to(plan.device), step)
    value = float(loss.item())
    if not math.isfinite(value):
        raise NotFiniteError(_not_finite("loss", value, step, rate))
    plan.optimizer.zero_grad()
    torch.autograd.backward(loss)
    norm = gradient_norm(parameters) or 0.0
    if not math.isfinite(norm):
        raise NotFiniteError(_not_finite("gradient", norm, step, rate))
    plan.optimizer.step(rate)
    return value, norm


def _loss(plan: Plan, pictures_BCHW: Tensor, targets: Tensor, step: int) -> Tensor:
    """Return the mean loss of a batch on the device, mixed where the plan says so."""
    if plan.mixing is None:
        return plan.task.loss(plan.network(pictures_BCHW), targets)
    pictures, _, height, width = pictures_BCHW.shape
    mixture = plan.mixing.mixture(step, pictures=pictures, height=height, width=width)
    logits = plan.network(mixture.pictures(pictures_BCHW))
    return mixture.loss(plan.task.loss, logits, targets)


def _not_finite(what: str, value: float, step: int, rate: float) -> str:
    return (
        f"The {what} is {value} at step {step}, learning rate {rate:.3g}; no weight was changed by "
        f"that step. Usually the rate is too large: try --learning-rate {rate / 10:.1g}."
    )


def _better(plan: Plan, row: dict[str, float], best: dict[str, float]) -> bool:
    """Whether a validation row beats the best; without a validation part the last epoch wins."""
    if not row:
        return True
    metric, larger = plan.selection
    sign = 1 if larger else -1
    mine, theirs = sign * row[metric], sign * best[metric]
    return (mine, -row["loss"]) > (theirs, -best["loss"])


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


class _Clock:
    """Counts steps, pictures and waiting, estimates the time left, keeps the layers' states."""

    def __init__(self, plan: Plan) -> None:
        self.steps = 0
        self.epoch_images = 0
        self.states: list[tuple[int, list[LayerState]]] = []
        self._plan = plan
        self._images = plan.epochs * plan.samples
        self._seen = 0
        self._begun = self._epoch_begun = perf_counter()
        self._rate = 0.0
        self._waited = self._waiting = 0.0

    def start_epoch(self) -> None:
        self.epoch_images = 0
        self._waited = 0.0
        self._epoch_begun = perf_counter()

    def waited_for(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield the batches; the time until each is there counts as waiting."""
        coming = iter(batches)
        while True:
            asked = perf_counter()
            batch = next(coming, None)
            self._waited += perf_counter() - asked
            if batch is None:
                return
            yield batch

    def end_steps(self) -> None:
        """End the part of an epoch that trains; what comes is validation."""
        self._waiting = self._waited / max(1e-9, perf_counter() - self._epoch_begun)

    def step(self, images: int, rate: float) -> None:
        self.steps += 1
        self.epoch_images += images
        self._seen += images
        self._rate = rate

    def seconds_left(self) -> float:
        """Extrapolate from all that is done, validation included."""
        spent = perf_counter() - self._begun
        return spent / max(1, self._seen) * (self._images - self._seen)

    def images_per_second(self) -> float:
        return self.epoch_images / max(1e-9, perf_counter() - self._epoch_begun)

    def told(self, epoch: int, index: int, loss: float, plan: Plan) -> Step:
        return Step(
            epoch=epoch,
            epochs=plan.epochs,
            index=index,
            steps=len(plan.batches),
            loss=loss,
            images_per_second=self.images_per_second(),
            seconds_left=self.seconds_left(),
        )

    def epoch(
        self, epoch: int, running: float, row: dict[str, float], best: bool, plan: Plan
    ) -> Epoch:
        return Epoch(
            epoch=epoch,
            epochs=plan.epochs,
            step=self.steps,
            learning_rate=self._rate,
            running_loss=running,
            validation=row,
            metric=plan.selection[0],
            best=best,
            seconds=perf_counter() - self._epoch_begun,
            waiting=self._waiting,
            images_per_second=self.images_per_second(),
            seconds_left=self.seconds_left(),
        )
