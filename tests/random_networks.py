"""Hypothesis strategies for layers, blocks and whole written networks."""

from hypothesis import strategies as st

from striate.errors import NetworkError
from striate.network import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Parallel,
    Pool,
    Residual,
    Sides,
)
from striate.network._spec_block import Item
from striate.network._spec_plain import ACTIVATIONS
from striate.network._spec_window import MODES
from striate.network._specification import walk


def sizes(least: int, most: int, axes: int = 2) -> st.SearchStrategy[int | tuple[int, ...]]:
    one = st.integers(least, most)
    return one | st.tuples(*[one] * axes) if axes > 1 else one


def paddings(most: int, axes: int = 2) -> st.SearchStrategy[object]:
    one = st.integers(0, most) | st.builds(Sides, st.integers(0, most), st.integers(0, most))
    return st.just("same") | one | st.tuples(*[one] * axes) if axes > 1 else st.just("same") | one


def convolutions(axes: int = 2) -> st.SearchStrategy[Conv]:
    return st.integers(1, 2).flatmap(
        lambda groups: st.builds(
            Conv,
            channels=st.integers(1, 3).map(lambda n: n * groups),
            kernel=sizes(1, 4, axes),
            stride=sizes(1, 3, axes),
            padding=paddings(2, axes),
            dilation=sizes(1, 2, axes),
            groups=st.just(groups),
            bias=st.booleans(),
            mode=st.sampled_from(MODES),
        )
    )


@st.composite
def pools(draw: st.DrawFn, axes: int = 2) -> Pool:
    how = draw(st.sampled_from(("max", "min", "average")))
    padding = draw(paddings(1, axes))
    return Pool(
        how,  # type: ignore[arg-type]
        draw(sizes(2, 4, axes)),
        draw(st.none() | sizes(1, 4, axes)),
        padding,  # type: ignore[arg-type]
        ceil=draw(st.booleans()) if padding != "same" else False,
        count_padding=draw(st.booleans()) if how == "average" else True,
    )


ACTIVATION = st.sampled_from(ACTIVATIONS).map(Activation)
PLAIN = st.one_of(
    ACTIVATION,
    st.just(BatchNorm()),
    st.builds(Dropout, st.floats(0, 1, exclude_max=True)),
    st.just(Flatten()),
    st.builds(Dense, st.integers(1, 9), st.booleans()),
    st.builds(GlobalPool, st.sampled_from(("max", "min", "average"))),
)
LAYERS = st.one_of(convolutions(), pools(), PLAIN)


def _branches(items: st.SearchStrategy[Item]) -> st.SearchStrategy[Item]:
    some = st.lists(items, min_size=1, max_size=3).map(tuple)
    return st.builds(Residual, some, st.just(()) | some) | st.builds(
        Parallel, st.lists(some, min_size=2, max_size=3).map(tuple)
    )


ITEMS: st.SearchStrategy[Item] = st.recursive(LAYERS, _branches, max_leaves=6)
"""Layers and blocks that can be written, whether or not they fit anything."""


def _fits(items: list[Item], shape: tuple[int, ...]) -> bool:
    try:
        walk(items, shape)
    except NetworkError:
        return False
    return True


@st.composite
def networks(draw: st.DrawFn, shape: tuple[int, ...] = (2, 17, 20)) -> tuple[Item, ...]:
    """Layers that fit pictures of `shape`, of every kind, without a last dense layer."""
    axes = len(shape) - 1
    same = st.builds(Conv, st.just(2), sizes(1, 3, axes), padding=st.just("same"))
    maps = st.one_of(
        convolutions(axes),
        pools(axes),
        ACTIVATION,
        st.just(BatchNorm()),
        st.just(Dropout(0.2)),
        st.builds(Residual, st.tuples(same, ACTIVATION), st.just(()) | st.tuples(same)),
        st.builds(Parallel, st.tuples(st.tuples(same), st.tuples(same, ACTIVATION))),
    )
    found: list[Item] = []
    for item in draw(st.lists(maps, min_size=1, max_size=5)):
        if _fits([*found, item], shape):
            found.append(item)
    end = draw(st.sampled_from([Flatten(), GlobalPool("average"), GlobalPool("min"), None]))
    if end is not None:
        found.append(end)
        found += draw(st.lists(st.builds(Dense, st.integers(1, 6)) | ACTIVATION, max_size=2))
    if not found or isinstance(found[-1], Dense | Activation):
        found.append(BatchNorm())
    return tuple(found)
