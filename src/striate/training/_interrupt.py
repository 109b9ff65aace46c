"""Ctrl-C, SIGTERM and SIGHUP: the first asks a run to stop after its step, the second stops it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from striate.errors import StoppedError
from striate.training._freed_memory import ask_for_large_pages

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Ctrl-C, what a system sends before it ends programs, and a terminal that was closed."""


class Stop:
    """Whether somebody asked the run to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def at_once(self) -> bool:
        """Whether nothing but saving should be done: whoever sent SIGTERM or SIGHUP won't wait."""
        return self.signal not in (None, signal.SIGINT)

    @property
    def exit_code(self) -> int:
        """128 + the signal's number: 130 for Ctrl-C, 143 for SIGTERM; 0 when nobody asked."""
        return 128 + self.signal if self.signal is not None else 0


def import_torch() -> None:
    """Import PyTorch, and let signals wait for that: two seconds, the first time.

    An exception that a signal's handler raises in the middle of it can abort the process (SIGABRT, seen
    twice in some hundred interrupted runs): PyTorch's C++ part calls Python there and expects none.
    """
    ask_for_large_pages()
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        import torch

        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        import torch  # noqa: F401
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def stopped_at_once(sentence: str) -> Iterator[None]:
    """Turn the signals into StoppedError(sentence): for work that leaves nothing to keep."""

    def handle(number: int, _frame: FrameType | None) -> None:
        raise StoppedError(sentence, 128 + number)

    with _handled(handle):
        yield


@contextmanager
def stoppable(say: Callable[[str], None]) -> Iterator[Stop]:
    """Turn the first of these signals into a request; the second raises StoppedError."""
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
    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
