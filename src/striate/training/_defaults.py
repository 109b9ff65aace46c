"""What is chosen where the user chose nothing: rules on a handful of facts, each with its reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from striate.errors import NetworkError, UsageError
from striate.network import summary
from striate.training._settings import Settings


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the rules may look at.

    Attributes:
        task: the task's name.
        training: number of training samples.
        classes: classes, labels or targets.
        sizes: (median height, median width) in pixels; `uniform` when all pictures have that size.
        channels: 1 when every picture is grey, else 3.
        orientation_matters: digits and letters, which a flip turns into something else.
        device: "cpu", "cuda" or "mps".
        fast_bfloat16: the device has units of its own for bfloat16.
    """

    task: str
    training: int
    classes: int
    height: int
    width: int
    uniform: bool
    channels: int
    orientation_matters: bool
    device: str
    fast_bfloat16: bool = False


@dataclass(frozen=True)
class Choice:
    """A setting's value and why: printed, and shown in the report."""

    name: str
    value: Any
    reason: str


COURSE_RATE = 1e-3
SMALL = 64
LARGE = 96

BFLOAT16_FLOPS = 2_000_000
"""FLOPs for one picture from which bfloat16 was faster, on a CPU with AMX; see docs/training.md."""


def choose(settings: Settings, facts: Facts) -> tuple[Settings, list[Choice]]:
    """Return settings without open questions, and what was chosen for the user and why."""
    chosen = settings.model_copy(deep=True)
    choices: list[Choice] = []

    def decide(group: str, key: str, rule: Callable[[], tuple[Any, str]]) -> None:
        section = getattr(chosen, group)
        if getattr(section, key) is None:
            value, reason = rule()
            setattr(section, key, value)
            choices.append(Choice(f"{group}.{key}", value, reason))

    decide("data", "channels", lambda: _channels(facts))
    decide("data", "image_size", lambda: _image_size(facts))
    decide("data", "resize", lambda: _resize(facts))
    decide("network", "name", _network)
    default_network = chosen.network.name == "compact"
    decide("training", "batch_size", lambda: _batch_size(facts))
    if chosen.training.minutes is None and not chosen.training.steps:
        decide("training", "epochs", lambda: _epochs(facts))
    if chosen.training.precision == "auto":
        chosen.training.precision = None
    decide("training", "precision", lambda: _precision(chosen, facts))
    decide("loss", "name", lambda: _loss(facts))
    decide("optimizer", "name", lambda: _optimizer(default_network))
    decide("optimizer", "learning_rate", lambda: _learning_rate(chosen, default_network))
    decide("schedule", "name", lambda: _schedule(default_network))
    _augment(chosen, facts, choices)
    decide("data", "margin", lambda: _margin(chosen))
    decide("data", "mean", lambda: ("computed", "mean of the training part, per channel"))
    decide("data", "deviation", lambda: ("computed", "deviation of the training part, per channel"))
    return chosen, choices


def _channels(facts: Facts) -> tuple[int, str]:
    if facts.channels == 1:
        return 1, "every picture is grey"
    return 3, "there are pictures in colour"


def _image_size(facts: Facts) -> tuple[tuple[int, int], str]:
    if facts.uniform and max(facts.height, facts.width) <= SMALL:
        size = (facts.height, facts.width)
        return size, "the pictures' own size"
    largest = 224 if facts.device != "cpu" else 128
    side = min(largest, max(32, min(facts.height, facts.width) // 32 * 32))
    where = "an accelerator" if facts.device != "cpu" else "a CPU"
    return (side, side), (
        f"the shorter sides' median is {min(facts.height, facts.width)} px; "
        f"at most {largest} px on {where}"
    )


def _resize(facts: Facts) -> tuple[str, str]:
    if facts.task == "regression":
        return "squash", "a crop could cut away what is counted or measured"
    return "crop", "keeps shapes as they are: shorter side to size, then the centre"


def _margin(chosen: Settings) -> tuple[int, str]:
    size, group = chosen.data.image_size, chosen.augmentation
    side = size if isinstance(size, int) else min(size or (0, 0))
    moves = group.rotation or group.shift or group.shear or group.zoom or group.resized_crop
    if chosen.data.resize != "crop" or side < LARGE or not moves:
        return 0, "pictures are stored at the input's size"
    return (
        side // 14,
        "a larger picture is stored, so that warps have room; its centre is the input",
    )


def _network() -> tuple[str, str]:
    return (
        "compact",
        "striate's default: convolution, batch norm and pooling blocks fit to the size",
    )


def _batch_size(facts: Facts) -> tuple[int, str]:
    size = 16
    while size < 128 and facts.training >= size * 32:
        size *= 2
    return size, f"at least 16 steps an epoch from {facts.training:,} pictures, at most 128"


def _epochs(facts: Facts) -> tuple[int, str]:
    for below, epochs in ((2_000, 40), (6_000, 20), (20_000, 10)):
        if facts.training < below:
            return epochs, f"fewer than {below:,} training pictures"
    return 3, "20,000 training pictures or more"


def _precision(chosen: Settings, facts: Facts) -> tuple[str, str]:
    if not facts.fast_bfloat16:
        return "float32", "this device isn't quick at bfloat16"
    size = chosen.data.image_size
    height, width = (size, size) if isinstance(size, int) else (size or (0, 0))
    channels = 1 if isinstance(chosen.data.channels, str) else chosen.data.channels or 3
    try:
        flops = summary(
            chosen.network.name or "",
            input=(channels, height, width),
            outputs=facts.classes,
            options=chosen.network.all_options,
        ).cost.flops
    except (NetworkError, UsageError):
        # Or a network that doesn't fit, which is told where networks are made.
        return "float32", "a module's FLOPs aren't known before it runs"
    if flops < BFLOAT16_FLOPS:
        return "float32", "so small a network spends its time elsewhere"
    return "bfloat16", "this device is quick at it; weights and figures stay float32"


def _loss(facts: Facts) -> tuple[str, str]:
    return {
        "classification": ("cross-entropy", "one class per picture"),
        "multi-label": ("binary-cross-entropy", "any number of labels per picture"),
        "regression": ("huber", "numbers; far-off values weigh linearly, not squared"),
    }[facts.task]


def _optimizer(default_network: bool) -> tuple[str, str]:
    if default_network:
        return "adamw", "with one-cycle it needs no tuning here"
    return "adam", "the rate that courses publish for it works for most networks"


def _learning_rate(chosen: Settings, default_network: bool) -> tuple[float, str]:
    name = chosen.optimizer.name
    if name == "sgd":
        return (0.1, "batch norm allows it") if default_network else (0.01, "SGD's usual rate")
    if name == "adagrad":
        return 1e-2, "PyTorch's default for it"
    if name == "muon":
        return 2e-2, "Muon's usual rate"
    if default_network:
        return 1e-2, "the largest rate of one-cycle; batch norm allows it"
    return COURSE_RATE, f"the usual rate for {name}"


def rate_is_a_guess(settings: Settings, choices: Sequence[Choice]) -> bool:
    """Whether no fixed learning rate is good, so that measuring one pays (docs/lr-find.md).

    So it is for SGD without momentum, on any network but the default one, where the user gave no
    rate; with momentum, which makes steps larger, the usual one is good.
    """
    optimizer = settings.optimizer
    chosen = any(choice.name == "optimizer.learning_rate" for choice in choices)
    plain = optimizer.name == "sgd" and not optimizer.momentum
    return chosen and plain and settings.network.name != "compact"


def _schedule(default_network: bool) -> tuple[str, str]:
    if default_network:
        return "one-cycle", "up for 30 % of the steps, then down: few epochs suffice"
    return "constant", "as courses do; --set schedule.name=one-cycle is often better"


def _augment(chosen: Settings, facts: Facts, choices: list[Choice]) -> None:
    """Choose what was left open under augmentation; what isn't chosen is off."""
    group = chosen.augmentation
    wanted: dict[str, Any] = {}
    if facts.task == "regression":
        reason = "numbers may depend on position, angle or brightness: nothing is varied"
    elif facts.orientation_matters:
        reason = "digits or letters: no flip and no large rotation, which would change them"
        if facts.training < 20_000:
            wanted = {"shift": 0.08, "rotation": 8.0, "zoom": 0.08}
    elif max(facts.height, facts.width) <= SMALL:
        reason = "small pictures: mirrored and shifted"
        wanted = {"horizontal_flip": True, "shift": 0.1}
    else:
        reason = "photographs: mirrored, shifted, zoomed, slightly turned"
        wanted = {
            "horizontal_flip": True,
            "shift": 0.1,
            "zoom": 0.15,
            "rotation": 10.0,
            "brightness": 0.2,
            "contrast": 0.2,
        }
    off = {"horizontal_flip": False, "vertical_flip": False, "crop": 0}
    taken = {}
    for key in type(group).model_fields:
        if getattr(group, key) is None:
            setattr(group, key, wanted.get(key, off.get(key, 0.0)))
            if key in wanted:
                taken[key] = wanted[key]
    told = ", ".join(f"{key} {value}" for key, value in taken.items()) or "none"
    choices.append(Choice("augmentation", told, reason))
