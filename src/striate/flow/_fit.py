"""Put network, task, batches, optimizer and schedule together, and train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from striate.data import AnyBatch, Augmentation, Batches, Source
from striate.data._words import some
from striate.errors import NetworkError, UsageError
from striate.flow._learning import optimizer_of, rate_of
from striate.flow._parts import seeded_sample
from striate.flow._prepare import Prepared, outputs_of, pretrained_of
from striate.network import (
    Classifier,
    Report,
    build,
    fit_weights,
    freeze,
    initialise,
    whiten,
)
from striate.task import Task, task_for
from striate.training import Settings
from striate.training._device import make_repeatable
from striate.training._events import Listener
from striate.training._interrupt import Stop
from striate.training._keeper import Keeper
from striate.training._length import Length
from striate.training._loop import Fitted, fit
from striate.training._measure import measure
from striate.training._mixing import make_mixing
from striate.training._pixels import InputStage, channel_statistics
from striate.training._plan import Plan
from striate.training._position import Position
from striate.training._records import Records
from striate.training._world import ALONE, World

if TYPE_CHECKING:
    from striate.flow._frozen import Frozen

# Statistics of that many pictures are as good as those of all, and take no time.
STATISTICS_SAMPLE = 10_000

WHITENING_PIXELS = 5_000_000
"""Of training pictures, that the whitening start of a first convolution is made from."""

NAMED = 20
"""Pictures of a batch that a message names."""


class Scaling(Protocol):
    """What pretrained weights expect of pixels: a number per channel, fractions of 255."""

    @property
    def mean(self) -> tuple[float, ...]: ...

    @property
    def deviation(self) -> tuple[float, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained network with what exports and measures it; the best weights are loaded."""

    network: nn.Module
    stage: nn.Module
    task: Task
    outputs: int
    fitted: Fitted


def make_task(prepared: Prepared, outputs: int, loss: Callable[..., Any] | None) -> Task:
    """Return the task with its loss, scaled by the training part's targets."""
    options = prepared.settings.loss
    return task_for(
        prepared.source.answer,
        loss=loss or options.name,
        label_smoothing=options.label_smoothing,
        class_weights=options.class_weights,
        delta=options.delta,
        train_targets=prepared.source.targets[prepared.split.train],
        outputs=outputs,
    )


def make_network(prepared: Prepared) -> nn.Module:
    """Build the named network for the stored pictures and initialise it from the seed."""
    settings, shape = prepared.settings, prepared.shape
    torch.default_generator.manual_seed(settings.training.seed)
    network = build(
        settings.network.name or "compact",
        channels=shape.channels,
        height=shape.height,
        width=shape.width,
        outputs=outputs_of(settings, prepared.source.answer),
        options=settings.network.all_options,
    )
    start = settings.network.initialisation
    # A classic network's own start is its library's, made for its depth.
    own = "default" if isinstance(network, Classifier) else None
    initialise(
        network,
        convolution=None if start.convolution == own else start.convolution,
        dense=None if start.dense == own else start.dense,
        bias=None if start.bias == own else start.bias,
        deviation=start.deviation,
        constant=start.constant,
        seed=settings.training.seed,
    )
    return network


def _pretrained(network: nn.Module, prepared: Prepared) -> Report | None:
    """Fill a network with the pretrained weights that the settings name, and freeze what they say."""
    pretrained, settings = pretrained_of(prepared.settings), prepared.settings.network
    if pretrained is None:
        return None
    report = fit_weights(network, pretrained)
    if isinstance(network, Classifier):
        network.keeps_statistics = settings.batch_norm == "kept"
        if settings.freeze:
            freeze(network)
    elif settings.freeze:
        raise UsageError(NO_BACKBONE.format(settings.name))
    return report


def _go_on_from(network: nn.Module, start: Frozen, settings: Settings) -> Scaling:
    """Fill a network with a kept backbone's tensors and the head that was fit on its features."""
    assert isinstance(network, Classifier)
    head = start.fit.head
    tensors = start.backbone.state()
    tensors |= {"head.output.weight": head.weights_KF, "head.output.bias": head.bias_K}
    network.load_state_dict({name: torch.from_numpy(one) for name, one in tensors.items()})
    network.keeps_statistics = settings.network.batch_norm == "kept"
    return start.backbone


NO_BACKBONE = (
    "--freeze: '{}' has no backbone of its own; the networks that have one are those of torchvision "
    "and timm (striate networks)."
)


def _whiten(network: nn.Module, stage: nn.Module, prepared: Prepared) -> None:
    shape = prepared.shape
    some = _sample(prepared, max(2, WHITENING_PIXELS // (shape.height * shape.width)))
    with torch.inference_mode():
        pictures = stage(torch.from_numpy(prepared.store.take(some)))
    whiten(network, pictures)


def _sample(prepared: Prepared, count: int) -> npt.NDArray[np.int64]:
    """Return so many of the training part's pictures: the first ones would be of the first classes."""
    seed = prepared.settings.training.seed
    return seeded_sample(prepared.split.train, prepared.source.ids, count, seed)


def count_outputs(network: nn.Module, stage: nn.Module, prepared: Prepared) -> int:
    """Return the number of logits, by trying two pictures.

    Raises:
        NetworkError: the network can't take such pictures, or doesn't give (B, K) logits.
    """
    pictures = torch.from_numpy(prepared.store.take(prepared.split.train[:2]))
    shape = prepared.shape
    network.eval()
    try:
        with torch.inference_mode():
            logits = network(stage(pictures))
    except RuntimeError as error:
        size = f"{shape.channels}x{shape.height}x{shape.width}"
        raise NetworkError(f"The network can't take pictures of {size}: {error}") from error
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != len(pictures):
        came = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise NetworkError(
            f"The network gives {came} for {len(pictures)} pictures; expected logits "
            f"({len(pictures)}, {len(prepared.source.answer.names)})."
        )
    return logits.shape[1]


def input_stage(
    prepared: Prepared, settings: Settings, fitted: Scaling | None = None
) -> InputStage:
    """Return the scaling of pixels: as given, as the fitted weights expect, or as they are.

    `settings.data.mean` and `deviation` become numbers.
    """
    mean, deviation = settings.data.mean, settings.data.deviation
    if fitted is not None:
        mean = list(fitted.mean) if mean == "weights" else mean
        deviation = list(fitted.deviation) if deviation == "weights" else deviation
    if mean == "computed" or deviation == "computed":
        sample = _sample(prepared, STATISTICS_SAMPLE)
        measured = channel_statistics(prepared.store.take(sample))
        mean = list(measured[0]) if mean == "computed" else mean
        deviation = list(measured[1]) if deviation == "computed" else deviation
    channels = prepared.shape.channels
    for name, values in (("mean", mean), ("deviation", deviation)):
        if not isinstance(values, list) or len(values) not in (1, channels):
            raise NetworkError(
                f"data.{name} = {values}: expected {channels} numbers, one per channel, or one."
            )
    assert isinstance(mean, list) and isinstance(deviation, list)
    settings.data.mean = mean * channels if len(mean) == 1 else mean
    settings.data.deviation = deviation * channels if len(deviation) == 1 else deviation
    return InputStage(settings.data.mean, settings.data.deviation)


def augmentation_of(settings: Settings) -> Augmentation | None:
    """Return the augmentation, or None when nothing is varied."""
    augmentation = Augmentation(**settings.augmentation.model_dump(exclude={"mixup", "cutmix"}))
    return augmentation if augmentation.active else None


def make_ready(
    prepared: Prepared,
    *,
    module: nn.Module | None,
    loss: Callable[..., Any] | None,
    world: World = ALONE,
    start: Frozen | None = None,
) -> Plan:
    """Put everything together for the named network, or the user's own module; nothing is written.

    With `start` the network goes on from a head on a frozen backbone, whose layers learn too.

    The settings' `data.mean` and `deviation` become numbers here.

    Raises:
        UsageError: a loss, optimizer or schedule that isn't there or doesn't fit.
        NetworkError: the network can't take the pictures, or has nothing to train.
    """
    settings, device = prepared.settings, torch.device(prepared.device)
    training = settings.training
    make_repeatable(training.seed, training.threads or 1, device)
    network = module if module is not None else make_network(prepared)
    scaling: Scaling | None = None
    if start is not None:
        scaling = _go_on_from(network, start, settings)
    elif module is None:
        scaling = _pretrained(network, prepared)
    stage = input_stage(prepared, settings, scaling)
    if settings.network.initialisation.first == "whitening":
        _whiten(network, stage, prepared)
    outputs = count_outputs(network, stage, prepared)
    task = make_task(prepared, outputs, loss)
    to_device(network, stage, device)
    return _plan(prepared, settings, network, stage, task, outputs, world)


def to_device(network: nn.Module, stage: nn.Module, device: torch.device) -> None:
    """Bring both to where they train, kernels as channels_last."""
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    stage.to(device)


def train_network(
    plan: Plan,
    folder: Path,
    listener: Listener,
    stop: Stop,
    keeper: Keeper,
    at: Position,
) -> Trained:
    """Train from a position on, writing steps.csv and history.csv, and load the best weights."""
    with Records(folder, step=at.step, epoch=at.epoch) as records:
        fitted = fit(plan, records, listener, stop, keeper)
    plan.network.load_state_dict(fitted.weights)
    return Trained(
        network=plan.network.cpu(),
        stage=plan.stage.cpu(),
        task=plan.task,
        outputs=plan.outputs,
        fitted=fitted,
    )


def _plan(
    prepared: Prepared,
    settings: Settings,
    network: nn.Module,
    stage: nn.Module,
    task: Task,
    outputs: int,
    world: World,
) -> Plan:
    training, source = settings.training, prepared.source
    device = torch.device(prepared.device)
    batches = Batches(
        prepared.store,
        targets=source.targets,
        ids=source.ids,
        positions=prepared.split.train,
        batch_size=training.batch_size or 1,
        seed=training.seed,
        augmentation=augmentation_of(settings),
        shuffle=True,
        threads=training.threads or 1,
        on_device=device.type != "cpu",
        share=world.share,
    )
    epochs = training.epochs or 1
    length = Length(training.steps) if training.steps else None
    held_out = prepared.split.validation
    return Plan(
        network=network,
        stage=stage,
        task=task,
        outputs=outputs,
        batches=batches,
        samples=len(prepared.split.train),
        optimizer=optimizer_of(network, settings),
        rate=rate_of(settings, length or epochs * len(batches), source.answer.selection[0]),
        validate=(
            (
                lambda net: measure(
                    net, stage, task, prepared.store, source.targets, held_out, device, world
                )
            )
            if len(held_out)
            else None
        ),
        selection=source.answer.selection,
        epochs=epochs,
        patience=training.patience,
        seed=training.seed,
        device=device,
        mixing=make_mixing(settings.augmentation, task=source.answer.task, seed=training.seed),
        precision="bfloat16" if training.precision == "bfloat16" else "float32",
        average=training.average,
        named=lambda batch: _named(source, batch),
        length=length,
        world=world,
    )


def _named(source: Source, batch: AnyBatch) -> str:
    names = (source.pictures.name(position) for position in batch.positions.tolist())
    return f"The step's pictures: {some(names, NAMED)}."
