"""Size arithmetic, its formulas and receptive fields, against PyTorch."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from striate.errors import NetworkError
from striate.network import Conv, GlobalPool, Layer, Pool, Sides
from striate.network._arithmetic import Window, formula
from striate.network._field import Field
from striate.network._modules import sequence
from striate.network._specification import walk

PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))


@pytest.mark.parametrize(
    ("window", "size", "expected"),
    [
        (Window(kernel=3, padding=1), 28, "(28 − 3 + 2·1)/1 + 1 = 28"),
        (Window(kernel=2, stride=2), 28, "(28 − 2 + 2·0)/2 + 1 = 14"),
        (Window(kernel=2, stride=2), 29, "floor((29 − 2 + 2·0)/2) + 1 = 14"),
        (Window(kernel=3, dilation=2), 9, "(9 − (2·(3 − 1) + 1) + 2·0)/1 + 1 = 5"),
        # GoogLeNet's first pool: 56 from 112, where floor would give 55.
        (Window(kernel=3, stride=2, ceil=True), 112, "ceil((112 − 3 + 2·0)/2) + 1 = 56"),
        (Window(kernel=3, stride=2), 112, "floor((112 − 3 + 2·0)/2) + 1 = 55"),
        (
            Window(kernel=2, stride=3, padding=1, ceil=True),
            6,
            "(6 − 2 + 2·1)/3 + 1 = 3",
        ),
        (
            Window(kernel=1, stride=3, padding=0, ceil=True),
            3,
            "ceil((3 − 1 + 2·0)/3) + 1 − 1 = 1 (the last window would start in the padding)",
        ),
    ],
)
def test_the_formula_holds_the_windows_own_numbers(
    window: Window, size: int, expected: str
) -> None:
    assert window.formula(size) == expected


def test_height_and_width_are_told_apart_only_where_they_differ() -> None:
    three, five = Window(kernel=3), Window(kernel=5)
    assert formula((three, three), (8, 8)) == "(8 − 3 + 2·0)/1 + 1 = 6"
    assert formula((three, five), (8, 9)) == (
        "height: (8 − 3 + 2·0)/1 + 1 = 6; width: (9 − 5 + 2·0)/1 + 1 = 5"
    )


@given(kernel=PAIRS, stride=PAIRS, padding=PAIRS, dilation=PAIRS, size=PAIRS)
@settings(deadline=None, max_examples=60)
def test_convolution_has_pytorchs_size_parameters_and_no_less(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    size: tuple[int, int],
) -> None:
    layer = Conv(4, kernel, stride=stride, padding=padding, dilation=dilation, groups=2)
    shape = (2, size[0] + 2, size[1] + 3)
    expected = layer.output(shape)
    module = nn.Conv2d(2, 4, kernel, stride, padding, dilation, groups=2)
    assert layer.parameters(shape) == sum(one.numel() for one in module.parameters())
    if min(expected) < 1:
        with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
            module(torch.zeros(1, *shape))
    else:
        assert expected == tuple(module(torch.zeros(1, *shape)).shape[1:])


@given(
    how=st.sampled_from(["max", "min", "average"]),
    window=PAIRS,
    stride=PAIRS,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    ceil=st.booleans(),
    count=st.booleans(),
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
)
@settings(deadline=None, max_examples=80)
def test_pooling_has_the_size_and_values_of_a_loop_over_windows(
    how: str,
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    ceil: bool,
    count: bool,
    size: tuple[int, int],
) -> None:
    assume(all(2 * p <= k for k, p in zip(window, padding, strict=True)))
    layer = Pool(how, window, stride, padding, ceil, count)  # type: ignore[arg-type]
    maps = torch.randn(1, 2, *size, generator=torch.Generator().manual_seed(0))
    got = sequence([layer], (2, *size))(maps)
    assert tuple(got.shape[1:]) == layer.output((2, *size))
    torch.testing.assert_close(got, _pool_by_hand(maps, layer, got.shape[2], got.shape[3]))


def _pool_by_hand(maps: Tensor, layer: Pool, height: int, width: int) -> Tensor:
    """Return what each window holds, with the padding left out or, where it counts, as zeros.

    A window that reaches behind the padding (ceil) is divided by what lies in picture and padding,
    as PyTorch does.
    """
    rows, columns = maps.shape[2:]
    (up, left) = layer.windows((rows, columns))
    result = torch.empty(1, 2, height, width)
    for i in range(height):
        for j in range(width):
            top, start = i * up.stride - up.padding, j * left.stride - left.padding
            inside = maps[
                :,
                :,
                max(top, 0) : min(top + up.kernel, rows),
                max(start, 0) : min(start + left.kernel, columns),
            ]
            if layer.how == "max":
                result[:, :, i, j] = inside.amax(dim=(2, 3))
            elif layer.how == "min":
                result[:, :, i, j] = inside.amin(dim=(2, 3))
            else:
                cells = inside.shape[2] * inside.shape[3]
                if layer.count_padding:
                    cells = (min(top + up.kernel, rows + up.padding) - top) * (
                        min(start + left.kernel, columns + left.padding) - start
                    )
                result[:, :, i, j] = inside.sum(dim=(2, 3)) / cells
    return result


LAYERS = st.one_of(
    st.builds(
        Conv,
        channels=st.just(2),
        kernel=PAIRS,
        stride=st.integers(1, 2),
        padding=st.integers(0, 2) | st.just(Sides(0, 1)) | st.just("same"),
        dilation=st.integers(1, 2),
    ),
    st.builds(
        Pool,
        how=st.just("average"),
        window=st.integers(2, 3),
        stride=st.integers(1, 3),
        padding=st.integers(0, 1) | st.just(Sides(1, 0)),
        ceil=st.booleans(),
    ),
    st.builds(Pool, st.just("average"), st.integers(2, 3), st.just(1), st.just("same")),
)


@given(layers=st.lists(LAYERS, min_size=1, max_size=4), data=st.data())
@settings(deadline=None, max_examples=60)
def test_receptive_fields_are_where_the_gradient_is(
    layers: list[Layer], data: st.DataObject
) -> None:
    shape = (1, 21, 24)
    try:
        step = walk(layers, shape)[-1]
    except NetworkError:
        assume(False)
    module = sequence(layers, shape)
    for weights in module.parameters():
        # Positive weights: no two paths to a pixel can cancel each other.
        nn.init.uniform_(weights, 0.5, 1.0)
    pixels = torch.ones(1, *shape, requires_grad=True)
    row = data.draw(st.integers(0, step.output[1] - 1))
    column = data.draw(st.integers(0, step.output[2] - 1))
    module(pixels)[0, 0, row, column].backward()
    assert pixels.grad is not None
    seen = pixels.grad[0, 0] != 0
    rows, columns = _touched(layers, 0, row, shape[1]), _touched(layers, 1, column, shape[2])
    expected = torch.zeros(shape[1:], dtype=torch.bool)
    expected[torch.tensor(rows, dtype=torch.long)[:, None], columns] = True
    assert torch.equal(seen, expected)
    for field, position, places in zip(step.fields, (row, column), (rows, columns), strict=True):
        first = field.start + position * field.stride
        assert all(first <= place < first + field.size for place in places)


def _touched(layers: list[Layer], axis: int, position: int, size: int) -> list[int]:
    """Return the pixels that one output position depends on, by going back through the windows."""
    windows, sizes = [], [size]
    for layer in layers:
        assert isinstance(layer, Conv | Pool)
        # The other axis doesn't matter for this one.
        windows.append(layer.windows((sizes[-1], sizes[-1]))[axis])
        sizes.append(windows[-1].positions(sizes[-1]))
    places = {position}
    for window, before in zip(reversed(windows), reversed(sizes[:-1]), strict=True):
        places = {
            pixel
            for place in places
            for tap in range(window.kernel)
            if (pixel := place * window.stride - window.padding + tap * window.dilation) >= 0
            and pixel < before
        }
    return sorted(places)


def test_a_field_in_the_middle_has_exactly_its_size() -> None:
    layers = [Conv(2, 3, padding=1), Pool("average", 2), Conv(2, 3, padding=1), Pool("average", 2)]
    step = walk(layers, (1, 28, 28))[-1]
    assert step.fields == (Field(size=10, stride=4, start=-3),) * 2
    assert step.fields[0].centre == 1.5
    module = sequence(layers, (1, 28, 28))
    pixels = torch.randn(1, 1, 28, 28, requires_grad=True)
    module(pixels)[0, :, 3, 3].sum().backward()
    assert pixels.grad is not None
    rows = pixels.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert (rows[0].item(), rows[-1].item()) == (-3 + 3 * 4, -3 + 3 * 4 + 9)


def test_global_pooling_sees_what_any_position_saw_and_no_more() -> None:
    """5 pixels pooled by 2 leave the last one unread."""
    layers = [Pool("max", 2), GlobalPool("average")]
    assert walk(layers, (1, 5, 6))[-1].fields == (
        Field(size=4, stride=5, start=0),
        Field(size=6, stride=6, start=0),
    )


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("max", [[6, 8], [14, 16]]),
        ("min", [[1, 3], [9, 11]]),
        ("average", [[3.5, 5.5], [11.5, 13.5]]),
    ],
)
def test_pooling_the_courses_example(how: str, expected: list[list[float]]) -> None:
    maps = torch.arange(1.0, 17.0).reshape(1, 1, 4, 4)
    layer = Pool(how, 2)  # type: ignore[arg-type]
    assert sequence([layer], (1, 4, 4))(maps)[0, 0].tolist() == expected


@pytest.mark.parametrize(
    ("ones", "expected"), [(True, [[54, 63], [90, 99]]), (False, [[-6, -6], [-6, -6]])]
)
def test_convolving_the_courses_example(ones: bool, expected: list[list[float]]) -> None:
    maps = torch.arange(1.0, 17.0).reshape(1, 1, 4, 4)
    network = sequence([Conv(1, 3, bias=False)], (1, 4, 4))
    kernel = torch.ones(3, 3) if ones else torch.tensor([[1.0, 0, -1]] * 3)
    with torch.no_grad():
        next(network.parameters()).copy_(kernel.reshape(1, 1, 3, 3))
    assert network(maps)[0, 0].tolist() == expected
