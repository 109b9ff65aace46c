"""What pretrained weights expect of pixels: scaling, size, interpolation, the part that is seen."""

from dataclasses import dataclass

from striate.image import INTERPOLATIONS, Shape


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """How pictures were prepared when the weights were trained and judged.

    Attributes:
        mean, deviation: one number a channel (3, RGB order), as fractions of 255: the network was
            given (pixel / 255 - mean) / deviation.
        height, width: pixels.
        interpolation: "bilinear" or "bicubic", with antialiasing.
        crop: share of a square picture's side that was seen, over 0 to 1: it is brought to
            height / crop, and the centre cut out.
        said_by: where these numbers come from, a phrase for people.
        larger: side in pixels at which pictures that are large enough are recognised better than at
            `height`; 0 where none is known.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    height: int
    width: int
    interpolation: str
    crop: float
    said_by: str
    larger: int = 0

    @property
    def margin(self) -> int:
        """Pixels cut off at every side after resizing, so that `crop` of the picture is seen."""
        return round((self.height / self.crop - self.height) / 2)

    def shape(self, channels: int = 3) -> Shape:
        """Return the shape that brings a picture to what the weights were judged on."""
        return Shape(
            height=self.height,
            width=self.width,
            channels=channels,
            interpolation=self.interpolation,
            margin=self.margin,
        )


IMAGENET = Pixels(
    mean=(0.485, 0.456, 0.406),
    deviation=(0.229, 0.224, 0.225),
    height=224,
    width=224,
    interpolation="bilinear",
    crop=0.875,
    said_by="assumed: ImageNet's, as torchvision uses them",
)
"""What most weights were trained with; for files that don't say."""


def near_interpolation(name: str) -> str:
    """Return `name` where we have that interpolation, else "bicubic"."""
    return name if name in INTERPOLATIONS else "bicubic"
