"""Given moves as matrices, against products of elementary matrices and points moved by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data._moves import matrices_of


def whole(linear: list[list[float]], x: float = 0.0, y: float = 0.0) -> np.ndarray:
    (a, b), (c, d) = linear
    return np.array([[a, b, x], [c, d, y], [0, 0, 1]])


def by_hand(
    height: int, width: int, turn: float, lean: float, zoom: tuple[float, float], shift: np.ndarray
) -> np.ndarray:
    x, y = (width - 1) / 2, (height - 1) / 2
    t, unit = np.radians(turn), [[1.0, 0.0], [0.0, 1.0]]
    steps = [
        whole(unit, -x, -y),
        whole([[zoom[0], 0], [0, zoom[1]]]),
        whole([[1, np.tan(np.radians(lean))], [0, 1]]),
        whole([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]),
        whole(unit, x + shift[0], y + shift[1]),
    ]
    product = np.eye(3)
    for step in steps:
        product = step @ product
    return product[:2]


@settings(deadline=None, max_examples=60)
@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    turn=st.floats(-180, 180),
    lean=st.floats(-60, 60),
    zoom=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    shift=st.tuples(st.floats(-99, 99), st.floats(-99, 99)),
)
def test_a_matrix_is_the_product_of_its_moves(
    size: tuple[int, int],
    turn: float,
    lean: float,
    zoom: tuple[float, float],
    shift: tuple[float, float],
) -> None:
    height, width = size
    (found,) = matrices_of(
        height=height, width=width, rotation=turn, shear=lean, zoom=zoom, shift=shift
    )
    expected = by_hand(height, width, turn, lean, zoom, np.array(shift))
    np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize(
    ("moves", "point", "moved"),
    [
        ({}, (1, 2), (1, 2)),
        ({"shift": (2, -1)}, (1, 2), (3, 1)),
        ({"zoom": (-1, 1)}, (0, 2), (6, 2)),
        ({"zoom": (1, -1)}, (0, 0), (0, 4)),
        ({"zoom": (2, 2)}, (4, 3), (5, 4)),
        # Counter-clockwise as seen: what is right of the centre goes up.
        ({"rotation": 90}, (5, 2), (3, 0)),
        ({"shear": 45}, (3, 3), (4, 3)),
    ],
)
def test_points_go_where_they_should(
    moves: dict[str, float], point: tuple[float, float], moved: tuple[float, float]
) -> None:
    (matrix,) = matrices_of(height=5, width=7, **moves)
    np.testing.assert_allclose(matrix @ [*point, 1], moved, atol=1e-12)


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    turns, shifts = np.array([0.0, 30.0, -90.0]), np.array([[1.0, 2.0], [0.0, 0.0], [-3.0, 4.0]])
    together = matrices_of(height=9, width=4, rotation=turns, zoom=(2, 1), shift=shifts)
    assert together.shape == (3, 2, 3)
    for found, turn, shift in zip(together, turns, shifts):
        alone = matrices_of(height=9, width=4, rotation=turn, zoom=(2, 1), shift=shift)
        np.testing.assert_array_equal(found, alone[0])
