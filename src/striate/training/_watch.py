"""Leaving in time though a step takes long: a thread that saves what the last step has left.

Python's signal handlers run between two lines of Python, and a step is one line: 18 s were seen for
a VGG-16. The operating system's handler, though, writes the signal's number to a socket at once.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from striate.training._interrupt import SIGNALS

GRACE = 3.0
"""Seconds that the main thread has to notice a signal by itself."""


class Watch:
    """As a context, sees to it that a signal ends the process soon, with everything saved.

    The main thread holds `guard` while it changes what is saved. `noticed` is to be called when it
    has seen the signal and takes over. Outside the main thread Python gives no signals: then nothing
    is watched.

    Args:
        save: saves the state that the last finished step has left; called by the thread.
        again: the command that goes on, for the message; "": none is printed.
    """

    def __init__(self, save: Callable[[], None], again: str) -> None:
        self.guard = threading.Lock()
        self._save, self._again = save, again
        self._noticed = threading.Event()
        self._thread: threading.Thread | None = None

    def noticed(self) -> None:
        """Say that the main thread has seen the signal."""
        self._noticed.set()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._ours, self._systems = socket.socketpair()
            self._systems.setblocking(False)
            self._before = signal.set_wakeup_fd(self._systems.fileno(), warn_on_full_buffer=False)
            self._thread = threading.Thread(target=self._run, name="striate-watch", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._noticed.set()
        if self._thread is not None:
            signal.set_wakeup_fd(self._before)
            self._systems.close()
            self._thread.join()
            self._ours.close()

    def _run(self) -> None:
        """Wait for the first signal, then leave; a second one doesn't wait for anything."""
        number = self._next()
        if number is None:
            return
        threading.Thread(target=self._leave, args=(number,), daemon=True).start()
        second = self._next()
        if second is not None and not self._noticed.is_set():
            os._exit(128 + second)

    def _next(self) -> int | None:
        """Wait for a signal; None where the context has ended instead."""
        while one := self._ours.recv(1):
            if ord(one) in SIGNALS:
                return ord(one)
        return None

    def _leave(self, number: int) -> None:
        if self._noticed.wait(GRACE):
            return
        with self.guard:
            self._save()
            if self._again:
                sys.stderr.write(
                    "striate: Stopped in the middle of a step; what was done before it is saved. "
                    f"Go on with: {self._again}\n"
                )
                sys.stderr.flush()
            os._exit(128 + number)
