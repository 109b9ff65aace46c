"""Networks: layers and their arithmetic, the registered networks, the layer table.

PyTorch is imported only by what makes or reads modules, when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from striate.network._arithmetic import Shape
from striate.network._calculation import Calculation, Sizes
from striate.network._calculator import convolve, pool
from striate.network._calculator_numbers import read_maps, read_number
from striate.network._entry import Entry
from striate.network._look import Finding, look
from striate.network._notation import parse
from striate.network._options import Option
from striate.network._registry import entry, has_backbone, networks
from striate.network._rows import Row, Summary
from striate.network._size import Sides
from striate.network._spec import Layer
from striate.network._spec_block import Add, Concatenate, Parallel, Residual
from striate.network._spec_plain import Activation, BatchNorm, Dense, Dropout, Flatten, GlobalPool
from striate.network._spec_window import Conv, Pool
from striate.network._specification import Specification
from striate.network._specify import require_fit, specify
from striate.network._summary import summary
from striate.network._written import canonical, written_line

if TYPE_CHECKING:
    from striate.network._build import Network, build
    from striate.network._classifier import Classifier, freeze, layer_units
    from striate.network._classify import is_depthwise
    from striate.network._initialise import initialise
    from striate.network._kernels import first_kernels
    from striate.network._weights import Pretrained, find_weights, installed
    from striate.network._weights_fit import Report, fit_weights, known_classes
    from striate.network._weights_pixels import Pixels
    from striate.network._whiten import whiten

__all__ = [
    "Activation",
    "Add",
    "BatchNorm",
    "Calculation",
    "Classifier",
    "Concatenate",
    "Conv",
    "Dense",
    "Dropout",
    "Entry",
    "Finding",
    "Flatten",
    "GlobalPool",
    "Layer",
    "Network",
    "Option",
    "Parallel",
    "Pixels",
    "Pool",
    "Pretrained",
    "Report",
    "Residual",
    "Row",
    "Shape",
    "Sides",
    "Sizes",
    "Specification",
    "Summary",
    "build",
    "canonical",
    "convolve",
    "entry",
    "find_weights",
    "first_kernels",
    "fit_weights",
    "freeze",
    "has_backbone",
    "initialise",
    "installed",
    "is_depthwise",
    "known_classes",
    "layer_units",
    "look",
    "networks",
    "parse",
    "pool",
    "read_maps",
    "read_number",
    "require_fit",
    "specify",
    "summary",
    "whiten",
    "written_line",
]

# What needs PyTorch or is seldom needed, by the module that holds it (PEP 562).
_LAZY = {
    "Classifier": "_classifier",
    "Pretrained": "_weights",
    "Report": "_weights_fit",
    "Network": "_build",
    "Pixels": "_weights_pixels",
    "build": "_build",
    "find_weights": "_weights",
    "first_kernels": "_kernels",
    "fit_weights": "_weights_fit",
    "freeze": "_classifier",
    "initialise": "_initialise",
    "installed": "_weights",
    "is_depthwise": "_classify",
    "known_classes": "_weights_fit",
    "layer_units": "_classifier",
    "whiten": "_whiten",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'striate.network' has no attribute '{name}'")
    return getattr(import_module(f"striate.network.{_LAZY[name]}"), name)
