"""A network of two parts: a backbone that makes features, and a head that makes logits of them."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, final

from torch import Tensor, nn

from striate.network._adaptive import adaptive_pooling
from striate.network._arithmetic import Shape, product
from striate.network._known_classes import KNOWN, KnownClasses
from striate.network._pooling import GlobalPooling
from striate.network._spec_plain import GlobalPool

HEAD = "head."
"""What the names of a head's tensors begin with."""


@final
class Classifier(nn.Module):
    """Backbone and head; returns logits.

    Attributes:
        name: as in `striate networks`, or "timm:NAME".
        input_shape: (C, H, W) it was made for.
        notes: what differs from its publication, in sentences.
        backbone: pictures (N, C, H, W) → map (N, F, h, w) or vector (N, F).
        head: features → logits (N, K); an `nn.Sequential` with names, the last of them "output".
        frozen: whether `freeze` was called.
        keeps_statistics: whether the backbone's batch norms stay in evaluation mode while it trains.
    """

    def __init__(
        self,
        name: str,
        backbone: nn.Module,
        head: nn.Sequential,
        *,
        shape: Shape,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.name = name
        self.input_shape = shape
        self.notes = notes
        self.backbone = backbone
        self.head = head
        self.frozen = False
        self.keeps_statistics = False

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return logits, float (N, K), of pictures, float (N, C, H, W), in any memory format."""
        logits_NK: Tensor = self.head(self.backbone(pictures_NCHW))
        return logits_NK

    def train(self, mode: bool = True) -> "Classifier":
        """As PyTorch's, but a frozen backbone stays in evaluation mode, or its batch norms do."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        elif self.keeps_statistics:
            for layer in self.backbone.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()
        return self


def layer_units(classifier: Classifier) -> list[list[nn.Parameter]]:
    """Return the backbone's parameters in the order of its layers, what belongs together in a list.

    A unit is a child of the backbone, of a sequence in it, and so on; one that has no kernel of its
    own (a batch norm) belongs to the one before.
    """
    units: list[list[nn.Parameter]] = []
    whole = classifier.backbone
    while len(only := list(whole.children())) == 1:
        (whole,) = only  # a wrapper
    for layer in _children(whole):
        parameters = list(layer.parameters())
        if units and all(one.ndim < 2 for one in parameters):
            units[-1] += parameters
        elif parameters:
            units.append(parameters)
    return units


def _children(module: nn.Module) -> Iterator[nn.Module]:
    """Yield what a module is made of, and of sequences among it what they are made of."""
    for child in module.children():
        if isinstance(child, nn.Sequential):
            yield from _children(child)
        else:
            yield child


def freeze(classifier: Classifier) -> None:
    """Keep the backbone as it is, from now on: its weights and its batch norms' statistics.

    Its parameters get no gradients, and it stays in evaluation mode when `train()` is called, so
    that batch norms neither use nor update a batch's statistics and dropout inside it does nothing.
    """
    classifier.backbone.requires_grad_(False)
    classifier.frozen = True
    classifier.train(classifier.training)


def make_head(
    features: Shape,
    outputs: int,
    options: Mapping[str, Any],
    *,
    grid: int = 0,
    dropout_first: bool = False,
) -> nn.Sequential:
    """Return the layers from features, (F, h, w) or (F,), to `outputs` logits.

    `options` are "pooling", "known_classes", "dense" and "dropout" of the registry. Pooling isn't
    needed for a vector. The names: pool, flatten, known, dense1, relu1, dropout1, …, output.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    size = features[0]
    if len(features) == 3:
        size = _vector(layers, features, options["pooling"], grid)
    if options["known_classes"]:
        layers[KNOWN] = KnownClasses(size, options["known_classes"])
        size += options["known_classes"]
    probability = options["dropout"]
    for number, width in enumerate(options["dense"], start=1):
        if probability and dropout_first:
            layers[f"dropout{number}"] = nn.Dropout(probability)
        layers[f"dense{number}"] = nn.Linear(size, width)
        layers[f"relu{number}"] = nn.ReLU(inplace=True)
        if probability and not dropout_first:
            layers[f"dropout{number}"] = nn.Dropout(probability)
        size = width
    if probability and not options["dense"]:
        layers["dropout1"] = nn.Dropout(probability)
    layers["output"] = nn.Linear(size, outputs)
    return nn.Sequential(layers)


def _vector(layers: "OrderedDict[str, nn.Module]", features: Shape, pooling: str, grid: int) -> int:
    """Add what makes a vector of a map; return its length."""
    if pooling in ("grid", "flatten"):
        if pooling == "grid":
            layers["pool"] = adaptive_pooling(grid, features)
            features = (features[0], grid, grid)
        layers["flatten"] = nn.Flatten()
        return product(features)
    layers["pool"] = GlobalPooling(GlobalPool("max" if pooling == "max" else "average"))
    return features[0]
