"""Initial weights, drawn from a seed."""

from math import isfinite, sqrt

import torch
from torch import Tensor, nn

from striate.errors import NetworkError, unknown

WEIGHTS = (
    "default",
    "normal",
    "xavier-uniform",
    "xavier-normal",
    "kaiming-uniform",
    "kaiming-normal",
    "orthogonal",
    "dirac",
    "constant",
)
BIASES = ("default", "zeros", "constant")

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def initialise(
    module: nn.Module,
    *,
    convolution: str | None = None,
    dense: str | None = None,
    bias: str | None = None,
    deviation: float = 0.01,
    constant: float = 0.0,
    seed: int,
) -> None:
    """Draw the weights of convolutions and dense layers anew, in place.

    `convolution` and `dense` are each one of

    - "default": PyTorch's, uniform within ±1/√fan_in;
    - "normal": mean 0 and `deviation`;
    - "xavier-uniform", "xavier-normal": variance 2/(fan_in + fan_out); X. Glorot, Y. Bengio 2010;
    - "kaiming-uniform", "kaiming-normal": variance 2/fan_in, for ReLU; K. He et al. 2015;
    - "orthogonal": A. Saxe et al. 2013;
    - "dirac": as "default", but the first filters, one for each channel that comes in, hand it on
      unchanged: K. Jordan 2024, arXiv:2404.00498. Dense layers: the first units copy their input;
    - "constant": `constant` everywhere. The units of a layer then stay alike however long they are
      trained: it is for looking at that, and for biases.

    `bias` is "default" (uniform within ±1/√fan_in), "zeros" or "constant", for the biases of both.
    None leaves things as they are; batch norm always keeps its ones and zeros. `deviation` is used
    by "normal" alone. Layers are drawn in the order of `module.modules()` from a generator of their
    own, so the global random state is neither read nor moved.

    Raises NetworkError for an unknown kind, a deviation that isn't above 0 and a constant that
    isn't finite.
    """
    for what, kind, known in (
        ("initialisation of convolutions", convolution, WEIGHTS),
        ("initialisation of dense layers", dense, WEIGHTS),
        ("initialisation of biases", bias, BIASES),
    ):
        if kind is not None and kind not in known:
            raise NetworkError(unknown(what, kind, known))
    if not deviation > 0:
        raise NetworkError(f"The deviation of initial weights must be above 0, got {deviation}.")
    if not isfinite(constant):
        raise NetworkError(f"The constant of initial weights must be finite, got {constant}.")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, _CONVOLUTIONS):
                _layer(layer, convolution, bias, (deviation, constant), generator)
            elif isinstance(layer, nn.Linear):
                _layer(layer, dense, bias, (deviation, constant), generator)


def _layer(
    layer: nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear,
    kind: str | None,
    bias: str | None,
    numbers: tuple[float, float],
    generator: torch.Generator,
) -> None:
    """Fill one layer; `numbers` are the deviation of "normal" and the value of "constant"."""
    if kind is not None:
        _weights(layer.weight, kind, numbers, generator)
    if layer.bias is None or bias is None:
        return
    if bias == "zeros":
        layer.bias.zero_()
    elif bias == "constant":
        layer.bias.fill_(numbers[1])
    else:
        bound = 1 / sqrt(layer.weight[0].numel())
        layer.bias.uniform_(-bound, bound, generator=generator)


def _weights(
    weights: Tensor, kind: str, numbers: tuple[float, float], generator: torch.Generator
) -> None:
    """Fill one weight tensor (out, in, …); fan_in is in × taps."""
    deviation, constant = numbers
    match kind:
        case "default":
            bound = 1 / sqrt(weights[0].numel())
            weights.uniform_(-bound, bound, generator=generator)
        case "normal":
            weights.normal_(0, deviation, generator=generator)
        case "xavier-uniform":
            nn.init.xavier_uniform_(weights, generator=generator)
        case "xavier-normal":
            nn.init.xavier_normal_(weights, generator=generator)
        case "kaiming-uniform":
            nn.init.kaiming_uniform_(weights, nonlinearity="relu", generator=generator)
        case "kaiming-normal":
            nn.init.kaiming_normal_(weights, nonlinearity="relu", generator=generator)
        case "dirac":
            _weights(weights, "default", numbers, generator)
            some = weights[: weights.shape[1]]
            if weights.ndim == 2:
                nn.init.eye_(some)
            else:
                nn.init.dirac_(some)
        case "constant":
            weights.fill_(constant)
        case _:
            nn.init.orthogonal_(weights, generator=generator)
