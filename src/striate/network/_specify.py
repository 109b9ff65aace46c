"""From a name to layers for one picture size; no PyTorch here."""

from collections.abc import Mapping

from striate.errors import NetworkError
from striate.network._arithmetic import Shape, times
from striate.network._options import read_options
from striate.network._registry import entry
from striate.network._specification import Specification, walk


def specify(
    name: str, *, shape: Shape, outputs: int, options: Mapping[str, object] | None = None
) -> Specification:
    """Return a registered or written network's layers for pictures of `shape` (C, H, W) or (C, L).

    A written network is one line ("conv 8 3 | relu | dense 10") or the path of a YAML list; the
    dense layer that gives `outputs` is checked, or added where it is missing.

    Raises NetworkError for an unknown name or option, where a layer doesn't fit the picture, and for
    a network that is a library's module and has no specification.
    """
    found = entry(name)
    if found.builder is None:
        raise NetworkError(
            f"'{name}' is a module of {found.origin.library if found.origin else 'its author'}, "
            "not a list of layers. 'build' makes it."
        )
    read = read_options(name, found.options, options or {})
    check_request(shape, outputs)
    specification = found.builder(shape, outputs, **read)
    try:
        walk(specification.layers, shape)
    except NetworkError as error:
        raise NetworkError(f"Network '{name}' doesn't fit. {error}") from None
    return specification


def check_request(shape: Shape, outputs: int) -> None:
    """Raise NetworkError where a network without outputs, or an empty picture, is asked for."""
    if outputs < 1:
        raise NetworkError(f"A network needs 1 output or more, got {outputs}.")
    if min(shape) < 1:
        raise NetworkError(f"A picture needs 1 channel and 1×1 pixels or more, got {times(shape)}.")


def require_fit(
    name: str, *, shape: Shape, outputs: int, options: Mapping[str, object] | None = None
) -> None:
    """Raise NetworkError where `build` would, without making any weights.

    PyTorch is imported for networks of libraries alone; their sizes are worked out on its meta
    device.
    """
    found = entry(name)
    if found.origin is None:
        specify(name, shape=shape, outputs=outputs, options=options)
        return
    from striate.network._classify import classify

    check_request(shape, outputs)
    classify(found, shape, outputs, options or {}, device="meta")
