"""Registered and written networks as PyTorch modules."""

from collections.abc import Mapping
from typing import final

from torch import Tensor, nn

from striate.network._arithmetic import Shape
from striate.network._classifier import Classifier
from striate.network._modules import sequence
from striate.network._registry import entry
from striate.network._specification import Specification
from striate.network._specify import check_request, specify


@final
class Network(nn.Module):
    """A network made from a specification; returns logits.

    Attributes:
        specification: its layers before PyTorch.
        input_shape: (C, H, W) it was made for.
        final_activation: "log-softmax", "softmax", "sigmoid" or None: how its publication or its
            writing ends. It isn't applied here; the task applies it once.
        layers: one module for each layer, by name (conv1, relu1, pool1), so the keys of its
            weights are layers.conv1.weight and so on.
    """

    def __init__(self, specification: Specification, shape: Shape) -> None:
        super().__init__()
        self.specification = specification
        self.input_shape = shape
        self.final_activation = specification.final_activation
        self.layers = sequence(specification.layers, shape)

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return logits, float (N, K), of pictures, float (N, C, H, W), in any memory format."""
        logits_NK: Tensor = self.layers(pictures_NCHW)
        return logits_NK


def build(
    name: str,
    *,
    channels: int,
    height: int,
    width: int,
    outputs: int,
    options: Mapping[str, object] | None = None,
) -> Network | Classifier:
    """Return a registered or written network for pictures of one size, with PyTorch's initial weights.

    A classic network, or one of timm, is a `Classifier`, untrained, with its library's own initial
    weights. Weights are drawn from PyTorch's global generator; `initialise` draws them from a seed.
    `outputs` is the number of logits K. Raises NetworkError for an unknown name or option, and
    where the picture is too small, with the layer and a size that would do.

    >>> network = build("cnn3", channels=1, height=28, width=28, outputs=10)
    >>> sum(weights.numel() for weights in network.parameters())
    421642
    """
    shape = (channels, height, width)
    found = entry(name)
    if found.origin is not None:
        from striate.network._classify import classify

        check_request(shape, outputs)
        return classify(found, shape, outputs, options or {})
    specification = specify(name, shape=shape, outputs=outputs, options=options)
    return Network(specification, shape)
