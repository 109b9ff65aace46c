"""When to save: often enough that a crash costs little, rarely enough that saving costs little."""

from typing import final

SHARE_LOST = 0.01
"""A crash may cost that share of the run so far."""

SHARE_SPENT = 0.02
"""Saving may take that share of the time: 1 second in 50."""


@final
class Pace:
    """Decides when to save, from times alone. Times are seconds of one clock that never goes back.

    A crash loses at most max(`seconds`, 1 % of the run so far, 50 × the last save's cost), the
    step under way included where it takes no longer than those before. Saves begin at least
    50 × the last one's cost apart, so that after n saves they have cost at most 2 % of the time,
    and the last one.

    Args:
        seconds: `training.checkpoint_seconds`, at least 0; 30 is what is promised.
        begun: when this process began to train.
        ran: seconds that the run has trained before it was resumed.
    """

    def __init__(self, seconds: float, *, begun: float, ran: float = 0.0) -> None:
        self._seconds = seconds
        self._begun = begun - ran
        self._safe = begun  # everything before this moment is on the disk
        self._asked = begun
        self._cost = 0.0
        self._longest = [0.0, 0.0]  # between two questions: before and since the last save

    def due(self, now: float) -> bool:
        """Return whether to save now. To be asked after every step, and after a validation."""
        self._longest[1] = max(self._longest[1], now - self._asked)
        self._asked = now
        affordable = now - self._safe >= self._cost / SHARE_SPENT
        # The next chance to save is a step away, and what is saved then is safe a save later.
        lost = now + max(self._longest) + self._cost - self._safe
        return affordable and lost >= max(self._seconds, SHARE_LOST * (now - self._begun))

    def saved(self, begun: float, ended: float) -> None:
        """Take note of a finished save: the state of the moment `begun` is safe."""
        self._safe = begun
        self._asked = ended
        self._cost = ended - begun
        self._longest = [self._longest[1], 0.0]
