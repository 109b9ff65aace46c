"""The options of `striate arithmetic` as numbers and a layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from striate.errors import UsageError, unknown

if TYPE_CHECKING:
    from striate.network import Calculation, Conv, Pool, Sizes
    from striate.network._calculator_numbers import Maps
    from striate.network._size import Size

OPERATIONS = ("conv", "pool")
KINDS = ("max", "min", "average")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options as typed; None, () or False where they weren't given."""

    operation: str
    input: Sequence[str]
    at: str | None
    crop: str | None
    size: str | None
    kernel: Sequence[str]
    bias: str | None
    window: str | None
    kind: str | None
    stride: str | None
    padding: str
    dilation: str | None
    ceil: bool
    ignore_padding: bool


def calculate(asked: Asked) -> Union["Calculation", "Sizes"]:
    """Return the calculation that was asked for; with --size, the sizes alone.

    Raises UsageError for options that don't go together and for what isn't a number or size,
    NetworkError where the window doesn't fit, and PictureError for a picture that can't be read.
    """
    from striate.cli._typed import read_pair
    from striate.network import Sizes, convolve, pool, read_maps, read_number

    _check_together(asked)
    if asked.size is not None:
        layer = _pooling(asked) if asked.operation == "pool" else _sized_convolution(asked)
        return Sizes(layer=layer, shape=(1, *read_pair(asked.size, "--size")))
    maps = _maps(asked)
    if asked.operation == "pool":
        return pool(maps, _pooling(asked))
    kernel = read_maps(asked.kernel, "--kernel")
    layer = _convolution(asked, (len(kernel[0]), len(kernel[0][0])))
    bias = 0 if asked.bias is None else read_number(asked.bias, "--bias")
    return convolve(maps, kernel, layer, bias=bias)


def _check_together(asked: Asked) -> None:
    """Raise UsageError for an option that the operation lacks or doesn't take."""
    if asked.operation not in OPERATIONS:
        raise UsageError(unknown("operation", asked.operation, OPERATIONS))
    if bool(asked.input) == (asked.size is not None):
        raise UsageError("Give either --input, numbers or a picture, or --size for sizes alone.")
    other = "pool" if asked.operation == "conv" else "conv"
    of: dict[str, dict[str, object]] = {
        "pool": {
            "--window": asked.window,
            "--kind": asked.kind,
            "--ceil": asked.ceil,
            "--ignore-padding": asked.ignore_padding,
        },
        "conv": {"--kernel": asked.kernel, "--bias": asked.bias, "--dilation": asked.dilation},
    }
    for option, given in of[other].items():
        if given:
            raise UsageError(f"{option} is an option of {other}; {asked.operation} has none.")
    needed = "--kernel" if asked.operation == "conv" else "--window"
    if not of[asked.operation][needed]:
        raise UsageError(f"{asked.operation} needs a {needed}.")
    for option, value in (("--bias", asked.bias), ("--at", asked.at), ("--crop", asked.crop)):
        if asked.size is not None and value is not None:
            raise UsageError(f"{option} needs --input; with --size there are no numbers.")


def _maps(asked: Asked) -> "Maps":
    from striate.cli._typed import names_file, read_picture
    from striate.network import read_maps

    named = [text for text in asked.input if names_file(text)]
    if named:
        if len(asked.input) > 1:
            raise UsageError(f"A picture is the whole --input: give {named[0]} alone.")
        return read_picture(named[0], at=asked.at, crop=asked.crop)
    if asked.at is not None or asked.crop is not None:
        raise UsageError("--at and --crop take a part of a picture; numbers are typed as needed.")
    return read_maps(asked.input, "--input")


def _sized_convolution(asked: Asked) -> "Conv":
    """Return the convolution of --size, where --kernel is a size."""
    from striate.cli._typed import read_size

    if len(asked.kernel) > 1:
        raise UsageError("With --size, --kernel is one size, as 3 or 3x5.")
    return _convolution(asked, read_size(asked.kernel[0], "--kernel"))


def _convolution(asked: Asked, kernel: "Size") -> "Conv":
    from striate.cli._typed import read_padding, read_size
    from striate.network import Conv

    return Conv(
        1,
        kernel,
        stride=read_size(asked.stride or "1", "--stride"),
        padding=read_padding(asked.padding),
        dilation=read_size(asked.dilation or "1", "--dilation"),
    )


def _pooling(asked: Asked) -> "Pool":
    from typing import Literal, cast

    from striate.cli._typed import read_padding, read_size
    from striate.network import Pool

    kind = asked.kind or "max"
    if kind not in KINDS:
        raise UsageError(unknown("kind of pooling", kind, KINDS))
    return Pool(
        cast(Literal["max", "min", "average"], kind),
        read_size(asked.window or "", "--window"),
        stride=None if asked.stride is None else read_size(asked.stride, "--stride"),
        padding=read_padding(asked.padding),
        ceil=asked.ceil,
        count_padding=not asked.ignore_padding,
    )
