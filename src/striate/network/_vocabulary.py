"""Which layers can be written, and which words each takes."""

from collections.abc import Callable
from typing import Any, Literal

from striate.errors import nearest
from striate.network._spec import Layer
from striate.network._spec_plain import (
    ACTIVATIONS,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
)
from striate.network._spec_window import MODES, Conv, Pool
from striate.network._words import (
    FLAG,
    PADDING,
    SHARE,
    SIZE,
    SWITCH,
    WHOLE,
    Kind,
    MisreadError,
    Reader,
    Word,
    choice,
)

HOWS: tuple[Literal["max", "min", "average"], ...] = ("max", "min", "average")

POSITIONAL: dict[str, tuple[str, ...]] = {
    "conv": ("channels", "kernel"),
    **dict.fromkeys(HOWS, ("window",)),
    "global": ("pooling",),
    "dropout": ("probability",),
    "dense": ("units",),
}
"""Values that stand without a name after a layer's word, in order."""

BLOCKS = ("residual", "parallel")

_OTHERS = {
    "avg": "average",
    "avgpool": "average",
    "batch": "batchnorm",
    "bn": "batchnorm",
    "concat": "parallel",
    "conv1d": "conv",
    "conv2d": "conv",
    "fc": "dense",
    "gap": "global average",
    "linear": "dense",
    "maxpool": "max",
    "mean": "average",
    "minpool": "min",
    "norm": "batchnorm",
    "skip": "residual",
    "swish": "silu",
}
"""What other programs call our layers."""


def _conv(reader: Reader) -> Layer:
    channels = reader.take("the number of channels", WHOLE)
    kernel = reader.take("the kernel", SIZE)
    given = reader.options(
        {
            "stride": SIZE,
            "pad": PADDING,
            "dilation": SIZE,
            "groups": WHOLE,
            "mode": choice(MODES),
            "bias": SWITCH,
        }
    )
    return Conv(channels, kernel, **_renamed(given))


def _pool(reader: Reader, how: Literal["max", "min", "average"]) -> Layer:
    window = reader.take("the window", SIZE)
    known: dict[str, Kind] = {"stride": SIZE, "pad": PADDING, "ceil": FLAG}
    if how == "average":
        known["count"] = SWITCH
    return Pool(how, window, **_renamed(reader.options(known)))


def _global(reader: Reader) -> Layer:
    how = reader.take("the pooling", choice(HOWS))
    reader.options({})
    return GlobalPool(how)


def _dense(reader: Reader) -> Layer:
    units = reader.take("the number of units", WHOLE)
    return Dense(units, **reader.options({"bias": SWITCH}))


def _dropout(reader: Reader) -> Layer:
    probability = reader.take("the probability", SHARE)
    reader.options({})
    return Dropout(probability)


def _plain(layer: Layer) -> Callable[[Reader], Layer]:
    def read(reader: Reader) -> Layer:
        reader.options({})
        return layer

    return read


def _renamed(given: dict[str, Any]) -> dict[str, Any]:
    names = {"pad": "padding", "count": "count_padding"}
    return {names.get(name, name): value for name, value in given.items()}


LAYERS: dict[str, Callable[[Reader], Layer]] = {
    "conv": _conv,
    "max": lambda reader: _pool(reader, "max"),
    "min": lambda reader: _pool(reader, "min"),
    "average": lambda reader: _pool(reader, "average"),
    "global": _global,
    "batchnorm": _plain(BatchNorm()),
    "dropout": _dropout,
    **{name: _plain(Activation(name)) for name in ACTIVATIONS},
    "flatten": _plain(Flatten()),
    "dense": _dense,
}
"""How the words after each layer's own are read."""

KNOWN = (*LAYERS, *BLOCKS)


def read_layer(words: list[Word]) -> Layer:
    """Return the layer that these words mean; raise MisreadError or NetworkError."""
    name = words[0].text
    if name not in LAYERS:
        raise MisreadError(_unknown(name), words[0])
    return LAYERS[name](Reader(words, KNOWN))


def _unknown(name: str) -> str:
    near = f" Did you mean '{_OTHERS[name]}'?" if name in _OTHERS else nearest(name, KNOWN)
    return f"there is no layer called '{name}'.{near} Known: {', '.join(KNOWN)}."
