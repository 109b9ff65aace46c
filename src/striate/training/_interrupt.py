"""Ctrl-C and SIGTERM: the first asks the run to stop after this step, the second stops at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from striate.errors import StoppedError


class Stop:
    """Whether somebody asked the run to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """128 + the signal's number: 130 for Ctrl-C, 143 for SIGTERM; 0 when nobody asked."""
        return 128 + self.signal if self.signal is not None else 0


@contextmanager
def stopped_at_once(sentence: str) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into StoppedError(sentence): for work that leaves nothing to keep."""

    def handle(number: int, _frame: FrameType | None) -> None:
        raise StoppedError(sentence, 128 + number)

    with _handled(handle):
        yield


@contextmanager
def stoppable(say: Callable[[str], None]) -> Iterator[Stop]:
    """Turn the first SIGINT or SIGTERM into a request; the second raises StoppedError."""
    stop = Stop()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop:
            raise StoppedError("Stopped at once.", 128 + number)
        stop.signal = number
        say("Stopping after this step; what is done so far is kept. Once more to stop at once.")

    with _handled(handle):
        yield stop


@contextmanager
def _handled(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Take both signals over; outside the main thread Python doesn't allow it, and nothing is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
