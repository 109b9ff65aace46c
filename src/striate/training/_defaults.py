"""What is chosen where the user chose nothing: rules on a handful of facts, each with its reason."""

from collections.abc import Callable, Sequence
from typing import Any

from striate.errors import NetworkError, UsageError
from striate.network import Pixels, summary
from striate.training._choice import Choice
from striate.training._facts import Facts
from striate.training._settings import Settings
from striate.training._start import NO_WEIGHTS, choose_start, dense_layers, trains_on_features

COURSE_RATE = 1e-3
SMALL = 64
LARGE = 96

LAYER_DECAY = (0.8, "the earlier a pretrained layer, the more general it is")

BFLOAT16_FLOPS = 2_000_000
"""FLOPs for one picture from which bfloat16 was faster, on CPUs that have it; see docs/training.md."""


def choose(settings: Settings, facts: Facts) -> tuple[Settings, list[Choice]]:
    """Return settings without open questions, and what was chosen for the user and why.

    Raises:
        UsageError: as `choose_start`.
    """
    chosen, choices = choose_start(settings, facts)

    def decide(group: str, key: str, rule: Callable[[], tuple[Any, str]]) -> None:
        section = getattr(chosen, group)
        if getattr(section, key) is None:
            value, reason = rule()
            setattr(section, key, value)
            choices.append(Choice(f"{group}.{key}", value, reason))

    decide("data", "channels", lambda: _channels(facts))
    decide("data", "image_size", lambda: _image_size(facts))
    decide("data", "resize", lambda: _resize(facts))
    decide("data", "interpolation", lambda: _interpolation(facts))
    default_network = chosen.network.name == "compact"
    pretrained = chosen.network.weights != NO_WEIGHTS
    # Of pretrained weights all are trained, or a head on features that were computed once.
    whole = pretrained and not trains_on_features(chosen)
    decide("training", "batch_size", lambda: _batch_size(facts, whole))
    if chosen.training.minutes is None and not chosen.training.steps:
        decide("training", "epochs", lambda: _epochs(facts, whole))
    if chosen.training.precision == "auto":
        chosen.training.precision = None
    if chosen.network.freeze:
        # Asking a device what it is quick at imports PyTorch: not before a step is to be done.
        chosen.training.precision = chosen.training.precision or "auto"
    decide(
        "training",
        "precision",
        lambda: choose_precision(chosen, facts.classes, facts.device, fast=facts.fast_bfloat16),
    )
    decide(
        "loss",
        "name",
        lambda: _loss(facts, bool(chosen.network.freeze and not dense_layers(chosen))),
    )
    decide("optimizer", "name", lambda: _optimizer(default_network or pretrained))
    decide("optimizer", "learning_rate", lambda: _learning_rate(chosen, default_network, whole))
    if pretrained:
        decide("optimizer", "layer_decay", lambda: LAYER_DECAY)
    decide("schedule", "name", lambda: _schedule(default_network or pretrained))
    _augment(chosen, facts, choices)
    decide("data", "margin", lambda: _margin(chosen, facts))
    decide("data", "mean", lambda: _scaling("mean", pretrained))
    decide("data", "deviation", lambda: _scaling("deviation", pretrained))
    return chosen, choices


def _channels(facts: Facts) -> tuple[int, str]:
    pixels = facts.pixels
    if facts.channels == 3:
        return 3, "there are pictures in colour"
    if pixels is not None and (len(set(pixels.mean)) > 1 or len(set(pixels.deviation)) > 1):
        return 3, "every picture is grey, but the weights scale red, green and blue apart"
    return 1, "every picture is grey"


def _image_size(facts: Facts) -> tuple[tuple[int, int], str]:
    if facts.pixels is not None:
        return _size_for_weights(facts.pixels, min(facts.height, facts.width))
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


def _size_for_weights(pixels: Pixels, shorter: int) -> tuple[tuple[int, int], str]:
    own = f"the pretrained weights' own {pixels.height} px"
    if pixels.larger and shorter >= pixels.larger / pixels.crop:
        return (pixels.larger, pixels.larger), (
            f"above {own}: these pictures are larger, and are recognised better so"
        )
    return (pixels.height, pixels.width), own


def _resize(facts: Facts) -> tuple[str, str]:
    if facts.task == "regression":
        return "squash", "a crop could cut away what is counted or measured"
    return "crop", "keeps shapes as they are: shorter side to size, then the centre"


def _interpolation(facts: Facts) -> tuple[str, str]:
    if facts.pixels is not None:
        return facts.pixels.interpolation, "as the pretrained weights saw pictures"
    return "bilinear", "smooth, without overshoot"


def _scaling(which: str, pretrained: bool) -> tuple[str, str]:
    if pretrained:
        return "weights", f"the {which} that the pretrained weights expect"
    return "computed", f"{which} of the training part, per channel"


def _margin(chosen: Settings, facts: Facts) -> tuple[int, str]:
    size, group = chosen.data.image_size, chosen.augmentation
    side = size if isinstance(size, int) else min(size or (0, 0))
    if facts.pixels is not None and chosen.data.resize == "crop":
        # At another size, the same share of the picture is seen.
        margin = round((side / facts.pixels.crop - side) / 2)
        return margin, "the centre that the pretrained weights were judged on; warps use the rest"
    moves = group.rotation or group.shift or group.shear or group.zoom or group.resized_crop
    if chosen.data.resize != "crop" or side < LARGE or not moves:
        return 0, "pictures are stored at the input's size"
    return (
        side // 14,
        "a larger picture is stored, so that warps have room; its centre is the input",
    )


def _batch_size(facts: Facts, pretrained: bool) -> tuple[int, str]:
    if pretrained:
        return 16, "whole pretrained networks take much memory for each picture"
    size = 16
    while size < 128 and facts.training >= size * 32:
        size *= 2
    return size, f"at least 16 steps an epoch from {facts.training:,} pictures, at most 128"


def _epochs(facts: Facts, pretrained: bool) -> tuple[int, str]:
    if pretrained:
        return 5, "pretrained weights need few"
    for below, epochs in ((2_000, 40), (6_000, 20), (20_000, 10)):
        if facts.training < below:
            return epochs, f"fewer than {below:,} training pictures"
    return 3, "20,000 training pictures or more"


def choose_precision(chosen: Settings, classes: int, device: str, *, fast: bool) -> tuple[str, str]:
    """Return what steps should compute with, and why; `chosen` must be decided on otherwise.

    `fast` says that the device has units of its own for bfloat16.
    """
    if not fast:
        return "float32", "this device isn't quick at bfloat16"
    size = chosen.data.image_size
    height, width = (size, size) if isinstance(size, int) else (size or (0, 0))
    channels = 1 if isinstance(chosen.data.channels, str) else chosen.data.channels or 3
    try:
        flops = summary(
            chosen.network.name or "",
            input=(channels, height, width),
            outputs=classes,
            options=chosen.network.all_options,
        ).cost.flops
    except (NetworkError, UsageError):
        # Or a network that doesn't fit, which is told where networks are made.
        return "float32", "a module's FLOPs aren't known before it runs"
    if device == "cpu" and _is_depthwise(chosen.network.name or ""):
        # A step of EfficientNet-Lite0, 16 pictures, took 2.4 s of one core's time, and 3.1 s so.
        return "float32", "bfloat16 makes depthwise convolutions slower on a CPU"
    if flops < BFLOAT16_FLOPS:
        return "float32", "so small a network spends its time elsewhere"
    return "bfloat16", "this device is quick at it; weights and figures stay float32"


def _is_depthwise(name: str) -> bool:
    # It makes the backbone of a library's network, and so imports PyTorch.
    from striate.network import is_depthwise

    return is_depthwise(name)


def _loss(facts: Facts, frozen: bool) -> tuple[str, str]:
    if frozen and facts.task == "regression":
        return "mse", "a head on frozen features is fit in closed form"
    return {
        "classification": ("cross-entropy", "one class per picture"),
        "multi-label": ("binary-cross-entropy", "any number of labels per picture"),
        "regression": ("huber", "numbers; far-off values weigh linearly, not squared"),
    }[facts.task]


def _optimizer(one_cycle: bool) -> tuple[str, str]:
    if one_cycle:
        return "adamw", "with one-cycle it needs no tuning here"
    return "adam", "the rate that courses publish for it works for most networks"


def _learning_rate(chosen: Settings, default_network: bool, pretrained: bool) -> tuple[float, str]:
    name = chosen.optimizer.name
    if name == "sgd":
        return (0.1, "batch norm allows it") if default_network else (0.01, "SGD's usual rate")
    if name == "adagrad":
        return 1e-2, "PyTorch's default for it"
    if name == "muon":
        return 2e-2, "Muon's usual rate"
    if default_network:
        return 1e-2, "the largest rate of one-cycle; batch norm allows it"
    if pretrained and name in ("adam", "adamw"):
        # At 1e-3 EfficientNet-Lite0 forgot in its first epoch on ants and bees: of 153 held-out
        # pictures 143 or fewer were right, and 146 before it.
        return 3e-4, "small steps: pretrained weights have less far to go"
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


def _schedule(one_cycle: bool) -> tuple[str, str]:
    if one_cycle:
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
    if trains_on_features(chosen):
        reason = "features are computed once of each picture, and once of its mirror image"
        wanted = {key: value for key, value in wanted.items() if key == "horizontal_flip"}
        if not wanted:
            reason = "features are computed once of each picture"
    off = {"horizontal_flip": False, "vertical_flip": False, "crop": 0}
    taken = {}
    for key in type(group).model_fields:
        if getattr(group, key) is None:
            setattr(group, key, wanted.get(key, off.get(key, 0.0)))
            if key in wanted:
                taken[key] = wanted[key]
    told = ", ".join(f"{key} {value}" for key, value in taken.items()) or "none"
    choices.append(Choice("augmentation", told, reason))
