"""The one size that every picture of a model is brought to."""

from dataclasses import dataclass, replace
from typing import Self

RULES = ("crop", "squash", "pad")
INTERPOLATIONS = ("bilinear", "bicubic")
PLANES = ("red", "green", "blue")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How every picture is brought to one size: stored with the model, obeyed by predict.

    Attributes:
        height, width: pixels.
        channels: 1 (grey) or 3 (RGB).
        plane: where there is 1 channel, which of RGB it is: "red", "green" or "blue"; "" for grey
            (luma).
        background: grey level, 0 to 255, that shows through transparent pixels.
        margin: pixels cut off at every side after the picture was brought to a size larger by
            them: `wide` is that size. Training keeps them, so that crops and warps have room.
        rule: "crop" (shorter side to size, then the centre), "squash" (ignore the aspect) or
            "pad" (longer side to size, rest black).
        interpolation: "bilinear" or "bicubic", with antialiasing (Pillow's).
    """

    height: int
    width: int
    channels: int
    rule: str = "crop"
    interpolation: str = "bilinear"
    plane: str = ""
    background: int = 255
    margin: int = 0

    @property
    def wide(self) -> Self:
        """The shape with the margin on: larger at every side, nothing cut off."""
        if not self.margin:
            return self
        both = 2 * self.margin
        return replace(self, height=self.height + both, width=self.width + both, margin=0)
