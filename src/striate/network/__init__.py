"""Networks: layers and their arithmetic, the registered networks, the layer table.

PyTorch is imported only by what makes or reads modules, when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from striate.network._arithmetic import Shape
from striate.network._entry import Entry
from striate.network._options import Option
from striate.network._registry import entry, networks
from striate.network._rows import Row, Summary
from striate.network._spec import Layer
from striate.network._spec_block import Add, Residual
from striate.network._spec_plain import Activation, BatchNorm, Dense, Dropout, Flatten, GlobalPool
from striate.network._spec_window import Conv, Pool
from striate.network._specification import Specification
from striate.network._specify import specify
from striate.network._summary import summary

if TYPE_CHECKING:
    from striate.network._build import Network, build
    from striate.network._initialise import initialise
    from striate.network._kernels import first_kernels

__all__ = [
    "Activation",
    "Add",
    "BatchNorm",
    "Conv",
    "Dense",
    "Dropout",
    "Entry",
    "Flatten",
    "GlobalPool",
    "Layer",
    "Network",
    "Option",
    "Pool",
    "Residual",
    "Row",
    "Shape",
    "Specification",
    "Summary",
    "build",
    "entry",
    "first_kernels",
    "initialise",
    "networks",
    "specify",
    "summary",
]

# What needs PyTorch, by the module that holds it (PEP 562).
_LAZY = {
    "Network": "_build",
    "build": "_build",
    "first_kernels": "_kernels",
    "initialise": "_initialise",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'striate.network' has no attribute '{name}'")
    return getattr(import_module(f"striate.network.{_LAZY[name]}"), name)
