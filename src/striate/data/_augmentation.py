"""What may happen to a training picture: the settings of augmentation."""

from dataclasses import dataclass, fields
from math import isfinite

from striate.errors import UsageError, unknown

FILLS = ("nearest", "reflect", "wrap", "constant")

# Field → (largest value, whether that value itself is allowed, unit in words).
_LIMITS = {
    "rotation": (180.0, True, "degrees"),
    "shift": (1.0, True, "a fraction of height and width"),
    "shear": (80.0, True, "degrees"),
    "zoom": (1.0, False, "0.2 means 0.8 to 1.2 times the size"),
    "brightness": (1.0, True, "0.2 means 0.8 to 1.2 times the value"),
    "contrast": (1.0, True, "0.2 means 0.8 to 1.2 times the value"),
    "saturation": (1.0, True, "0.2 means 0.8 to 1.2 times the value"),
    "erase": (1.0, False, "a fraction of the picture's area"),
    "resized_crop": (1.0, False, "a fraction of the picture's area"),
    "hue": (0.5, True, "a fraction of the colour circle"),
    "blur": (100.0, True, "pixels"),
    "noise": (1.0, True, "a fraction of 255"),
}


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Limits of the random changes of one picture; 0 and False leave them out.

    Attributes:
        rotation: degrees, to either side.
        shift: fraction of height and of width, to either side, each axis by itself.
        shear: degrees by which upright lines lean, to either side.
        zoom: 0.2 enlarges each axis by a factor of 0.8 to 1.2, each by itself.
        horizontal_flip: left and right are exchanged in every other epoch, of half the samples in
            the first one.
        vertical_flip: top and bottom are exchanged, half of the time.
        crop: pixels added at every side before a window of the old size is cut out at random.
        brightness: 0.2 multiplies the pixels by 0.8 to 1.2.
        contrast: 0.2 multiplies the distance from the picture's mean grey by 0.8 to 1.2.
        saturation: 0.2 multiplies the distance from each pixel's grey by 0.8 to 1.2.
        erase: one rectangle is filled with `fill_value`; its area is up to this fraction of the
            picture's.
        resized_crop: a random part of the picture is brought back to its size: its area evenly
            from this fraction of the stored picture's (margin included) to all, the ratio of its
            sides 3/4 to 4/3 times the picture's.
        hue: 0.1 turns the hue by up to a tenth of the colour circle, to either side.
        blur: largest deviation of a Gaussian blur, pixels.
        noise: largest deviation of Gaussian noise, as a fraction of 255.
        fill: what is seen beyond the edges: "nearest" (the edge's pixel), "reflect" (mirrored,
            the edge's pixel once), "wrap" (the other side) or "constant" (`fill_value`).
        fill_value: grey level, 0 to 255.
    """

    rotation: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    crop: int = 0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    erase: float = 0.0
    resized_crop: float = 0.0
    hue: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    fill: str = "nearest"
    fill_value: int = 0

    def __post_init__(self) -> None:
        """Raise UsageError for a value out of its range."""
        for name, (largest, included, unit) in _LIMITS.items():
            _check_limit(name, getattr(self, name), largest, included, unit)
        if self.crop < 0:
            raise UsageError(f"augmentation.crop is {self.crop}; expected 0 or more pixels.")
        if self.fill not in FILLS:
            raise UsageError(unknown("augmentation.fill", self.fill, FILLS))
        if not 0 <= self.fill_value <= 255:
            raise UsageError(
                f"augmentation.fill_value is {self.fill_value}; expected a grey level, 0 to 255."
            )

    @property
    def active(self) -> bool:
        """Whether anything is changed at all."""
        changes = (one.name for one in fields(self) if not one.name.startswith("fill"))
        return any(getattr(self, name) for name in changes)

    @property
    def interpolates(self) -> bool:
        """Whether pixels land between pixels; flips and crops only move them."""
        return bool(self.rotation or self.shift or self.shear or self.zoom or self.resized_crop)

    @property
    def moves(self) -> bool:
        """Whether pixels change their places."""
        return self.interpolates or self.horizontal_flip or self.vertical_flip or self.crop > 0

    @property
    def recolours(self) -> bool:
        """Whether a pixel's channels are changed by a map that is the same for all its pixels."""
        return bool(self.brightness or self.contrast or self.saturation or self.hue)

    @property
    def on_device(self) -> bool:
        """Whether an accelerator does it (`striate.training._warp`), where there is one.

        It pays for warps only, and blur and noise are made on the CPU alone.
        """
        return self.interpolates and not (self.blur or self.noise)


def _check_limit(name: str, value: float, largest: float, included: bool, unit: str) -> None:
    high = value <= largest if included else value < largest
    if not (isfinite(value) and value >= 0 and high):
        to = "to" if included else "to less than"
        raise UsageError(
            f"augmentation.{name} is {value:g}; expected a number from 0 {to} {largest:g} ({unit})."
        )
