"""Optimizers as thin state over PyTorch's functional kernels.

Constructing a torch.optim class imports torch._dynamo and sympy, as long as importing torch
itself; nothing here does. Importing this package imports no PyTorch.
"""

from striate.training._optimizers._base import Group, Optimizer
from striate.training._optimizers._make import make_optimizer
from striate.training._optimizers._registry import OptimizerEntry, decoupled, optimizers

__all__ = ["Group", "Optimizer", "OptimizerEntry", "decoupled", "make_optimizer", "optimizers"]
