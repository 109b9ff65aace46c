"""The one size that every picture of a model is brought to."""

from dataclasses import dataclass

RULES = ("crop", "squash", "pad")
INTERPOLATIONS = ("bilinear", "bicubic")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How every picture is brought to one size: stored with the model, obeyed by predict.

    Attributes:
        height, width: pixels.
        channels: 1 (grey) or 3 (RGB).
        rule: "crop" (shorter side to size, then the centre), "squash" (ignore the aspect) or
            "pad" (longer side to size, rest black).
        interpolation: "bilinear" or "bicubic", with antialiasing (Pillow's).
    """

    height: int
    width: int
    channels: int
    rule: str = "crop"
    interpolation: str = "bilinear"
