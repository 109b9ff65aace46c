"""The optimizers by name, without PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OptimizerEntry:
    """One optimizer.

    Attributes:
        name: what `optimizer.name` takes.
        title: its usual name.
        decay: "L2" (weight_decay · weight is added to the gradient) or "decoupled" (weights shrink
            by learning rate · weight_decay beside the update).
        options: option name → default, PyTorch's.
        source: the paper.
    """

    name: str
    title: str
    decay: str
    options: Mapping[str, object]
    source: str


_ADAM = {"betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False}

_OPTIMIZERS = (
    OptimizerEntry(
        name="adam",
        title="Adam",
        decay="L2",
        options={**_ADAM, "weight_decay": 0.0},
        source="Kingma and Ba 2014, Adam; amsgrad: Reddi et al. 2018, On the Convergence of Adam",
    ),
    OptimizerEntry(
        name="adamw",
        title="AdamW",
        decay="decoupled",
        options={**_ADAM, "weight_decay": 0.01},
        source="Loshchilov and Hutter 2017, Decoupled Weight Decay Regularization",
    ),
    OptimizerEntry(
        name="sgd",
        title="Stochastic gradient descent",
        decay="L2",
        options={"momentum": 0.0, "nesterov": False, "weight_decay": 0.0},
        source="Sutskever et al. 2013, On the Importance of Initialization and Momentum",
    ),
    OptimizerEntry(
        name="rmsprop",
        title="RMSprop",
        decay="L2",
        options={"alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "weight_decay": 0.0},
        source="Tieleman and Hinton 2012, Neural Networks for Machine Learning, lecture 6.5",
    ),
    OptimizerEntry(
        name="adagrad",
        title="AdaGrad",
        decay="L2",
        options={"eps": 1e-10, "weight_decay": 0.0},
        source="Duchi, Hazan and Singer 2011, Adaptive Subgradient Methods",
    ),
    OptimizerEntry(
        name="muon",
        title="Muon, with AdamW for the head and for parameters of one axis",
        decay="decoupled",
        options={
            "momentum": 0.95,
            "nesterov": True,
            "keep_norm": False,
            "weight_decay": 0.1,
            "betas": (0.9, 0.999),
            "eps": 1e-8,
        },
        source="Jordan et al. 2024, Muon; scale of the update: Liu et al. 2025, Muon is Scalable",
    ),
)


def optimizers() -> tuple[OptimizerEntry, ...]:
    """Return every optimizer that `optimizer.name` takes."""
    return _OPTIMIZERS


def decoupled(name: str) -> bool:
    """Return whether the optimizer of that name decays weights beside the update."""
    return any(entry.name == name and entry.decay == "decoupled" for entry in optimizers())
