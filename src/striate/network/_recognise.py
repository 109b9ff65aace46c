"""PyTorch's modules as specifications, so that any network's table has formulas."""

from torch import nn

from striate.network._modules import ACTIVATION_MODULES, GlobalPooling, MinPool, Sum
from striate.network._spec import Layer
from striate.network._spec_block import Add
from striate.network._spec_plain import Activation, BatchNorm, Dense, Dropout, Flatten, GlobalPool
from striate.network._spec_window import Conv, Pool, Size

_ACTIVATIONS = {type(make()): name for name, make in ACTIVATION_MODULES.items()}
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d)


def recognise(module: nn.Module) -> Layer | None:
    """Return the specification whose arithmetic a module follows, or None."""
    match module:
        case nn.Conv1d() | nn.Conv2d():
            return _convolution(module)
        case nn.MaxPool1d() | nn.MaxPool2d():
            return _max_pool(module)
        case nn.AvgPool1d() | nn.AvgPool2d():
            return _average_pool(module)
        case MinPool() | GlobalPooling():
            return module.spec
        case nn.AdaptiveAvgPool2d():
            return GlobalPool("average") if module.output_size in (1, (1, 1)) else None
        case nn.AdaptiveMaxPool2d():
            return GlobalPool("max") if module.output_size in (1, (1, 1)) else None
        case nn.Linear():
            return Dense(module.out_features, bias=module.bias is not None)
        case nn.Flatten():
            return Flatten() if (module.start_dim, module.end_dim) == (1, -1) else None
        case Sum():
            return Add()
    return _plain(module)


def _plain(module: nn.Module) -> Layer | None:
    if isinstance(module, _BATCH_NORMS):
        return BatchNorm() if module.affine else None
    if isinstance(module, _DROPOUTS):
        return Dropout(module.p)
    name = _ACTIVATIONS.get(type(module))
    return Activation(name) if name else None


def _convolution(module: nn.Conv1d | nn.Conv2d) -> Conv | None:
    """Every padding mode has the same sizes; "same" only where it is the same on both sides."""
    spans = [d * (k - 1) for k, d in zip(module.kernel_size, module.dilation, strict=True)]
    padding: Size
    if module.padding == "same":
        if any(span % 2 for span in spans):
            return None
        padding = tuple(span // 2 for span in spans)
    else:
        padding = 0 if isinstance(module.padding, str) else tuple(module.padding)
    return Conv(
        module.out_channels,
        tuple(module.kernel_size),
        stride=tuple(module.stride),
        padding=padding,
        dilation=tuple(module.dilation),
        groups=module.groups,
        bias=module.bias is not None,
    )


def _max_pool(module: nn.MaxPool1d | nn.MaxPool2d) -> Pool | None:
    if module.dilation not in (1, (1,), (1, 1)) or module.return_indices:
        return None
    return Pool("max", module.kernel_size, module.stride, module.padding, module.ceil_mode)


def _average_pool(module: nn.AvgPool1d | nn.AvgPool2d) -> Pool:
    return Pool(
        "average",
        module.kernel_size,
        module.stride,
        module.padding,
        module.ceil_mode,
        module.count_include_pad,
    )
