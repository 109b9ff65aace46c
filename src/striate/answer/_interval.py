"""The interval of a share."""

from math import sqrt

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution: 95 % between both ends


def wilson(correct: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of correct/total, both ends within 0 to 1; `total` is at least 1.

    Source: Wilson (1927), the score interval:
    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n).
    """
    share = correct / total
    extra = _Z * _Z / total
    middle = share + extra / 2
    half = _Z * sqrt(share * (1 - share) / total + extra / (4 * total))
    low, high = (middle - half) / (1 + extra), (middle + half) / (1 + extra)
    # The ends are exact where nothing or everything is right; the formula is off by a rounding.
    return (low if correct else 0.0), (high if correct < total else 1.0)
