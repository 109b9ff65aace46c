"""What rules that choose settings may look at."""

from dataclasses import dataclass

from striate.network import Pixels


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
        pretrained: a network whose weights are installed; "" where there is none.
        processes: that train together.
        pixels: what the chosen pretrained weights expect of pictures, where there are some.
    """

    task: str
    training: int
    classes: int
    height: int
    width: int
    uniform: bool
    channels: int
    orientation_matters: bool
    device: str = "cpu"
    fast_bfloat16: bool = False
    pretrained: str = ""
    processes: int = 1
    pixels: Pixels | None = None
