"""Where a network starts: which one, from which weights, and what of it is trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from striate.errors import UsageError
from striate.network import entry, has_backbone
from striate.training._choice import Choice
from striate.training._facts import Facts
from striate.training._settings import Settings

NO_WEIGHTS = "none"
"""`network.weights` of a network that starts from random numbers."""

SMALL_DATA = 10_000
"""Training pictures below which pretrained weights are taken where they are installed."""

SMALLEST_SIDE = 24
"""Pixels: what is smaller shows too little of what pretrained weights look for."""


def choose_start(settings: Settings, facts: Facts) -> tuple[Settings, list[Choice]]:
    """Return settings with the network, its weights and what is trained decided, and why.

    Nothing here depends on the device, so that a run that needs no PyTorch needn't import it.

    Raises:
        UsageError: `freeze` or `fine_tune` without pretrained weights.
    """
    chosen = settings.model_copy(deep=True)
    network = chosen.network
    undecided = (network.weights, network.freeze, network.fine_tune) == (None, None, None)
    if undecided and (facts.processes > 1 or _asks_for_steps(chosen)):
        # A head is fit at once by one process: what is asked for would mean nothing to it.
        network.weights = NO_WEIGHTS
    start = _weights(network.weights, network.name, facts)
    choices = []
    if network.weights is None:
        network.weights = start.weights
        if start.weights != NO_WEIGHTS:
            choices.append(Choice("network.weights", start.weights, start.reason))
    if network.name is None:
        pretrained = start.weights != NO_WEIGHTS
        network.name = facts.pretrained if pretrained else "compact"
        choices.append(Choice("network.name", network.name, _NAMED[pretrained]))
    if network.weights == NO_WEIGHTS:
        _refuse(network.freeze, network.fine_tune)
        network.freeze, network.fine_tune = False, "never"
        return chosen, choices
    _decide_freeze(chosen, facts, choices)
    return chosen, choices


_NAMED = {
    False: "striate's default: convolution, batch norm and pooling blocks fit to the size",
    True: "the smallest network whose pretrained weights are installed",
}


@dataclass(frozen=True)
class _Start:
    weights: str
    reason: str


def _weights(given: str | None, name: str | None, facts: Facts) -> _Start:
    """Return the weights to start from, and why where they weren't given."""
    if given is not None:
        if name is None and given != NO_WEIGHTS and not facts.pretrained:
            raise UsageError(
                f"--weights {given}: no --network was named, and no package of weights is "
                "installed. Name the network that they are for."
            )
        return _Start(given, "")
    if name is not None or not facts.pretrained or not _suits(facts):
        return _Start(NO_WEIGHTS, "")
    return _Start(
        "package",
        f"fewer than {SMALL_DATA:,} training pictures, and these weights are installed; "
        "--weights none starts from random ones",
    )


def _suits(facts: Facts) -> bool:
    """Whether weights of photographs are likely to help.

    Not for numbers: features that tell kinds of things apart count and measure poorly. On red cells
    the frozen network was 2.94 off in the mean, one from scratch 2.83.
    """
    large_enough = min(facts.height, facts.width) >= SMALLEST_SIDE
    kinds = facts.task != "regression" and not facts.orientation_matters
    return facts.training < SMALL_DATA and large_enough and kinds


def _refuse(freeze: bool | None, fine_tune: str | None) -> None:
    wrong = "--freeze" if freeze else "--fine-tune" if fine_tune in ("auto", "always") else ""
    if wrong:
        raise UsageError(
            f"{wrong} is for pretrained weights, and this run starts from random ones. Add --weights "
            "package, or the weights' file."
        )


def _decide_freeze(chosen: Settings, facts: Facts, choices: list[Choice]) -> None:
    """Decide whether the backbone stays as it is at first, and what comes after."""
    network, gradual = chosen.network, _asks_for_epochs(chosen)
    if network.freeze is None:
        network.freeze = facts.training < SMALL_DATA and has_backbone(network.name or "")
        reason = f"fewer than {SMALL_DATA:,} training pictures: the backbone runs once over each"
        if network.freeze:
            choices.append(Choice("network.freeze", True, reason))
    if network.fine_tune is None:
        network.fine_tune = "always" if gradual or not network.freeze else "auto"
    if not network.freeze and network.fine_tune != "always":
        raise UsageError(
            f"--fine-tune {network.fine_tune} with --no-freeze would train nothing. Leave one out."
        )


def dense_layers(settings: Settings) -> Sequence[int]:
    """Return the units of the head's dense layers before its last, as given or the network's own."""
    network = settings.network
    own = {one.name: one.default for one in entry(network.name or "").options}
    widths = network.all_options.get("dense", own.get("dense"))
    return widths if isinstance(widths, Sequence) else ()


def trains_on_features(settings: Settings) -> bool:
    """Whether steps train a head alone, on features of each picture as it is and mirrored.

    So they do under a frozen backbone, unless something is asked for that needs the pictures in every
    epoch. What is open yet (None) asks for nothing.
    """
    network, training = settings.network, settings.training
    if not network.freeze or not dense_layers(settings):
        return False
    if training.minutes is not None or training.steps:
        return False
    varied = settings.augmentation.model_dump(exclude={"horizontal_flip", "fill"})
    return not any(varied.values())


def _asks_for_steps(settings: Settings) -> bool:
    """Whether the user chose how steps are done."""
    optimizer = settings.optimizer
    chosen: list[Any] = [
        settings.loss.name,
        optimizer.name,
        optimizer.learning_rate,
        settings.schedule.name,
        settings.training.batch_size,
    ]
    return any(chosen)


def _asks_for_epochs(settings: Settings) -> bool:
    """Whether the user asked for something that only training by steps does."""
    training = settings.training
    length: list[Any] = [training.epochs, training.minutes, training.steps]
    return any(length)
