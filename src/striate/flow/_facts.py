"""What was found and chosen, in words: for the screen and the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from striate.flow._prepare import Prepared, pretrained_of
from striate.training import Choice, Epoch, Listener, Settings, Step

if TYPE_CHECKING:
    from torch import nn

    from striate.flow._fine_tune import Decision
    from striate.flow._frozen import Frozen
    from striate.flow._kept_backbone import KeptBackbone

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
    settings, reasons = prepared.settings, _reasons(prepared)
    total = sum(p.numel() for p in network.parameters())
    trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
    head = getattr(getattr(network, "specification", None), "added", 0)
    parameters = f"{total:,} parameters" + (
        f", {trainable:,} trainable" if trainable < total else ""
    )
    note = " ".join(getattr(network, "notes", ())) or (
        "it didn't end in a dense layer, so one was added" if head else ""
    )
    optimizer, schedule = settings.optimizer, settings.schedule
    return [
        *_beginning(prepared, parameters, note),
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


def facts_of_frozen(prepared: Prepared, frozen: Frozen, decision: Decision) -> list[Fact]:
    """Return every fact about a head on a frozen backbone that has been fit."""
    settings, reasons = prepared.settings, _reasons(prepared)
    backbone, head = frozen.backbone, frozen.fit.head
    own = head.weights_KF.size + head.bias_K.size
    parameters = f"{backbone.parameters + own:,} parameters, {own:,} trained"
    return [
        *_beginning(prepared, parameters, " ".join(backbone.notes)),
        (
            "training",
            f"the head only, on {_features(backbone)} of each picture",
            _why(reasons, "network.freeze"),
        ),
        ("penalty", f"{frozen.fit.strength:g}", _chosen_by(frozen)),
        fine_tuning_fact(prepared, frozen, decision),
        (
            "device",
            f"cpu, ONNX Runtime, {_threads(settings.training.threads)}, "
            f"seed {settings.training.seed}",
            "",
        ),
    ]


def fine_tuning_fact(prepared: Prepared, frozen: Frozen, decision: Decision) -> Fact:
    """Return whether the whole network is trained after the head, and why."""
    if not decision.on:
        return ("fine-tuning", "no", decision.why)
    name = prepared.source.answer.selection[0]
    if name not in frozen.validation:
        return ("fine-tuning", "from the fitted head on", decision.why)
    figure = f"{name} {frozen.validation[name]:.4g} on the validation part"
    return ("fine-tuning", f"from the fitted head on, {figure}", decision.why)


def _features(backbone: KeptBackbone) -> str:
    """Return what the head reads, in words."""
    own = f"{backbone.features - backbone.known:,} features"
    if not backbone.known:
        return own
    return f"{own} and the weights' own answers ({backbone.known:,} classes)"


def _chosen_by(frozen: Frozen) -> str:
    fit = frozen.fit
    if not fit.tried:
        return "the usual one: too few pictures to hold any out and choose"
    return f"of {len(fit.tried)} tried, the least loss on pictures held out in {fit.folds} turns"


def _reasons(prepared: Prepared) -> dict[str, Choice]:
    return {choice.name: choice for choice in prepared.choices}


def _beginning(prepared: Prepared, parameters: str, note: str) -> list[Fact]:
    """Return what is known of the source, the input and the network."""
    source, settings = prepared.source, prepared.settings
    reasons, shape = _reasons(prepared), prepared.shape
    facts = [
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
            _why(reasons, "network.name") or note,
        ),
    ]
    pretrained = pretrained_of(settings)
    if pretrained is not None:
        told = pretrained.pixels.said_by
        why = _why(reasons, "network.weights")
        if told.startswith("assumed"):
            why = f"{why}{'; ' * bool(why)}mean, deviation and size {told}"
        facts.append(("weights", pretrained.origin, why))
    return facts


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
