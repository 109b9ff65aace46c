"""What was found and chosen, in words: for the screen and the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from striate.flow._prepare import Prepared
from striate.training import Choice, Epoch, Listener, Settings, Step

if TYPE_CHECKING:
    from torch import nn

Fact = tuple[str, str, str]
"""Name, value, and why it is so: "" where there was nothing to choose."""


class Told:
    """A listener that passes everything on to another, and keeps what the report repeats."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.facts: list[Fact] = []
        self.warnings: list[str] = []

    def warn(self, sentence: str) -> None:
        """Keep and tell one thing that is odd."""
        self.warnings.append(sentence)
        self.listener.warn(sentence)

    def progress(self, what: str, done: int, total: int) -> None:
        """Pass on."""
        self.listener.progress(what, done, total)

    def step(self, step: Step) -> None:
        """Pass on."""
        self.listener.step(step)

    def epoch(self, epoch: Epoch) -> None:
        """Pass on."""
        self.listener.epoch(epoch)

    def say(self, sentence: str) -> None:
        """Pass on."""
        self.listener.say(sentence)

    def found(self, facts: Sequence[Fact]) -> None:
        """Keep and tell what was found and chosen."""
        self.facts += facts
        self.listener.found(facts)


def facts_of(prepared: Prepared, network: nn.Module) -> list[Fact]:
    """Return every fact about a run that is about to start."""
    source, settings = prepared.source, prepared.settings
    reasons = {choice.name: choice for choice in prepared.choices}
    total = sum(p.numel() for p in network.parameters())
    trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
    head = getattr(getattr(network, "specification", None), "added", 0)
    parameters = f"{total:,} parameters" + (
        f", {trainable:,} trainable" if trainable < total else ""
    )
    shape = prepared.shape
    optimizer, schedule = settings.optimizer, settings.schedule
    return [
        (
            "source",
            f"{source.name}: {len(source):,} pictures of {prepared.sizes}",
            f"licence: {source.licence}" if source.licence else "",
        ),
        ("task", f"{source.answer.task}: {_names(source.answer.names)}", source.reason),
        ("split", _split(prepared), prepared.split.reason),
        (
            "input",
            f"{shape.height}×{shape.width} px, {_colour(shape.channels)}, {shape.rule}",
            _why(reasons, "data.image_size", "data.channels", "data.resize"),
        ),
        (
            "network",
            f"{settings.network.name}: {parameters}",
            _why(reasons, "network.name")
            or " ".join(getattr(network, "notes", ()))
            or ("it didn't end in a dense layer, so one was added" if head else ""),
        ),
        (
            "training",
            f"{_length(settings)} of batches of {settings.training.batch_size}",
            _why(reasons, "training.epochs", "training.batch_size"),
        ),
        (
            "loss",
            f"{settings.loss.name}",
            _why(reasons, "loss.name"),
        ),
        (
            "optimizer",
            f"{optimizer.name}, rate {optimizer.learning_rate:g}, {schedule.name}",
            _why(reasons, "optimizer.learning_rate", "schedule.name"),
        ),
        ("augmentation", _augmentation(prepared), _why(reasons, "augmentation")),
        (
            "device",
            f"{prepared.device}, {settings.training.precision}, "
            f"{_threads(settings.training.threads)}, seed {settings.training.seed}",
            _why(reasons, "training.precision"),
        ),
    ]


def _length(settings: Settings) -> str:
    """Return how long a run is meant to be, in words."""
    training = settings.training
    if training.minutes is not None:
        return f"{training.minutes:g} minute{'' if training.minutes == 1 else 's'}"
    return f"{training.steps[-1][1]:,} steps" if training.steps else f"{training.epochs} epochs"


def _threads(count: int | None) -> str:
    return f"{count} thread" + ("" if count == 1 else "s")


def _why(reasons: dict[str, Choice], *names: str) -> str:
    return "; ".join(reasons[name].reason for name in names if name in reasons)


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:6])
    return f"{len(names)} ({shown}{', …' if len(names) > 6 else ''})"


def _colour(channels: int) -> str:
    return "grey" if channels == 1 else "colour"


def _split(prepared: Prepared) -> str:
    parts = prepared.split.parts()
    return ", ".join(f"{name} {len(positions):,}" for name, positions in parts.items())


def _augmentation(prepared: Prepared) -> str:
    active = {
        key: value
        for key, value in prepared.settings.augmentation.model_dump().items()
        if value and key not in ("fill", "fill_value")
    }
    return ", ".join(f"{key} {value}" for key, value in active.items()) or "none"
