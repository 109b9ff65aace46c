"""The settings of augmentation in words, with their units."""

from collections.abc import Callable

from striate.training._settings import AugmentationSettings

_WORDS: dict[str, Callable[[float], str]] = {
    "rotation": lambda v: f"up to {v:g}° to either side",
    "shift": lambda v: f"up to {_share(v)} of the height and of the width, to every side",
    "shear": lambda v: f"upright lines lean by up to {v:g}° to either side",
    "zoom": lambda v: f"{_around(v)} times the size, each axis by itself",
    "horizontal_flip": lambda _: "left and right are exchanged in every other epoch",
    "vertical_flip": lambda _: "top and bottom are exchanged, half of the time",
    "crop": lambda v: (
        f"{v:g} px are added at every side, then a window of the old size is cut out at random"
    ),
    "brightness": lambda v: f"{_around(v)} times the values",
    "contrast": lambda v: f"{_around(v)} times the distance from the picture's mean grey",
    "saturation": lambda v: f"{_around(v)} times the distance from each pixel's grey",
    "erase": lambda v: f"a rectangle of up to {_share(v)} of the area is erased",
    "resized_crop": lambda v: (
        f"a random part, {_share(v)} to 100 % of the area, is brought back to size"
    ),
    "hue": lambda v: f"turned by up to {_share(v)} of the colour circle to either side",
    "blur": lambda v: f"Gaussian, with a deviation of up to {v:g} px",
    "noise": lambda v: f"Gaussian, with a deviation of up to {_share(v)} of the range of values",
    "mixup": lambda v: (
        f"each picture of a batch is blended with another, by a share from Beta({v:g}, {v:g})"
    ),
    "cutmix": lambda v: (
        "a box of each picture of a batch comes from another, by a share of the area from "
        f"Beta({v:g}, {v:g})"
    ),
}

_FILLS = {
    "nearest": "what comes in from outside repeats the pixels of the edge",
    "reflect": "what comes in from outside is the picture mirrored at its edge",
    "wrap": "what comes in from outside is the picture's other side",
}

_BRING_IN = ("rotation", "shift", "shear", "zoom", "crop")
"""Settings that show what lies outside a picture."""

MIXES = ("mixup", "cutmix")
"""Settings that act on whole batches, in the training step."""


def in_words(settings: AugmentationSettings) -> list[tuple[str, str]]:
    """Return (setting, what it does) of everything that is on; the settings must be chosen."""
    found = [
        (key, say(value))
        for key, say in _WORDS.items()
        if (value := getattr(settings, key)) is not None and value
    ]
    if any(getattr(settings, key) for key in _BRING_IN):
        found.append(("fill", _FILLS.get(settings.fill) or _grey(settings)))
    elif settings.erase:
        found.append(("fill_value", f"what is erased becomes grey level {settings.fill_value}"))
    return found


def _grey(settings: AugmentationSettings) -> str:
    return f"what comes in from outside has grey level {settings.fill_value}"


def _share(value: float) -> str:
    return f"{100 * value:g} %"


def _around(value: float) -> str:
    return f"{1 - value:g} to {1 + value:g}"
