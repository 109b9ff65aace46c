"""The Wilson interval."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.answer._interval import wilson


def test_worked_by_hand() -> None:
    # n = 10, p = 0.8, z² = 3.8415: (0.8 + 0.19207 ± 1.96·√(0.016 + 0.0096036)) / 1.38415.
    assert wilson(8, 10) == pytest.approx((0.49016, 0.94332), abs=1e-5)
    assert wilson(9901, 10_000) == pytest.approx((0.98796, 0.99186), abs=1e-5)


def test_the_ends() -> None:
    # With nothing right the upper end is z² / (n + z²).
    assert wilson(0, 20) == pytest.approx((0, 3.841459 / 23.841459))
    assert wilson(20, 20) == pytest.approx((20 / 23.841459, 1))


@settings(deadline=None)
@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_holds_the_share_and_is_symmetric(case: tuple[int, int]) -> None:
    correct, total = case
    low, high = wilson(correct, total)
    assert 0 <= low <= correct / total <= high <= 1
    assert wilson(total - correct, total) == pytest.approx((1 - high, 1 - low), abs=1e-12)
    # The ends are where the score test is at its limit: (p̂ − p)² = z²·p(1 − p)/n.
    for end in (low, high):
        assert (correct / total - end) ** 2 == pytest.approx(
            1.959963984540054**2 * end * (1 - end) / total, abs=1e-12
        )
