"""Small pictures and sources that tests share; all made from seeds."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image


def stripes(kind: int, seed: int, *, size: int = 16, channels: int = 3) -> npt.NDArray[np.uint8]:
    """Return a noisy picture (size, size, channels) whose stripes stand at an angle set by `kind`."""
    rng = np.random.default_rng((kind, seed))
    y, x = np.mgrid[0:size, 0:size]
    angle = kind * np.pi / 4
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 1.6 + rng.uniform(0, 6.28))
    picture = 128 + 80 * wave[..., None] + rng.normal(0, 12, (size, size, channels))
    return np.clip(picture, 0, 255).astype(np.uint8)


def save(picture: npt.NDArray[np.uint8], path: Path) -> Path:
    """Write a picture (H, W, 1 or 3) in the format of the path's suffix, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture.squeeze(-1) if picture.shape[2] == 1 else picture).save(path)
    return path


def write_folder(
    folder: Path,
    *,
    classes: tuple[str, ...] = ("across", "down"),
    each: int = 12,
    size: int = 16,
    channels: int = 3,
    suffix: str = ".png",
) -> Path:
    """Write `each` pictures for every class, in `folder/<class>/000.png` and so on."""
    for kind, name in enumerate(classes):
        for seed in range(each):
            picture = stripes(kind * 2, seed, size=size, channels=channels)
            save(picture, folder / name / f"{seed:03d}{suffix}")
    return folder
