"""Threads that do pieces of work, item after item; one that is stuck is left alone and replaced."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar, final

T = TypeVar("T")

_TICK = 0.5
"""Seconds between two looks at who is stuck; less where `longest` is short."""

_AHEAD = 2
"""Pieces handed out but not done, for each thread."""

_LEAVING = 5.0
"""Seconds to wait for a thread that ends after the item it is at."""


class _Member(Generic[T]):
    """One thread's work: its piece, how much of it is begun, and since when nothing has moved."""

    def __init__(self) -> None:
        self.piece: Sequence[T] = ()
        self.pieces = self.begun = 0
        self.done = 0  # what the items done have come to
        self.busy = self.lost = False
        self.seen = (0, 0)
        self.waited = 0.0

    @property
    def place(self) -> tuple[int, int]:
        """Which item of which piece is under way."""
        return self.pieces, self.begun


@final
class Crew(Generic[T]):
    """Daemon threads that take pieces of work; for one `run`.

    Python can't end a thread. One that spends more than `longest` seconds on an item is left alone,
    without keeping the process from ending; another takes the rest of its piece. Only time that
    `run` has seen pass counts: not that in which the whole process was stopped.

    Args:
        do: does an item, and returns what it counts for progress.
        give_up: told of an item that took too long, which counts 1. `do` may come back for it yet.
        threads: at least one.
        longest: seconds for one item.
    """

    def __init__(
        self,
        do: Callable[[T], int],
        give_up: Callable[[T], None],
        *,
        threads: int,
        longest: float,
    ) -> None:
        self._do, self._give_up = do, give_up
        self._threads, self._longest = max(1, threads), longest
        self._tick = min(_TICK, longest / 4)
        self._todo: SimpleQueue[Sequence[T] | None] = SimpleQueue()
        self._told: SimpleQueue[int | BaseException] = SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._members: list[tuple[_Member[T], threading.Thread]] = []
        self._looked = 0.0

    def run(self, pieces: Iterable[Sequence[T]]) -> Iterator[int]:
        """Yield what each piece has come to when it is done; the first error of `do` comes out."""
        self._looked = time.monotonic()
        for _ in range(self._threads):
            self._hire()
        try:
            for piece in pieces:
                self._hand_out(piece)
                while self._waiting >= _AHEAD * self._threads:
                    yield self._next()
            while self._waiting:
                yield self._next()
        finally:
            # After an error or Ctrl-C too: each thread ends after the item it is at.
            self._stop.set()
            for _ in self._members:
                self._todo.put(None)
            for member, thread in self._members:
                if not member.lost:
                    thread.join(_LEAVING)

    def _hire(self) -> None:
        member: _Member[T] = _Member()
        work = threading.Thread(
            target=self._work, args=(member,), name="striate-store", daemon=True
        )
        self._members.append((member, work))
        work.start()

    def _hand_out(self, piece: Sequence[T]) -> None:
        self._todo.put(piece)
        self._waiting += 1

    def _work(self, member: _Member[T]) -> None:
        while (piece := self._todo.get()) is not None:
            with self._lock:
                member.piece, member.begun, member.done = piece, 0, 0
                member.pieces += 1
                member.busy = True
            try:
                for item in piece:
                    with self._lock:
                        if member.lost or self._stop.is_set():
                            return
                        member.begun += 1
                    member.done += self._do(item)
            except BaseException as error:  # noqa: BLE001 - raised again where `run` was called
                if not member.lost:
                    self._told.put(error)
                return
            with self._lock:
                if member.lost:
                    return
                member.busy = False
            self._told.put(member.done)

    def _next(self) -> int:
        while True:
            self._look()
            try:
                told = self._told.get(timeout=self._tick)
            except Empty:
                continue
            if isinstance(told, BaseException):
                raise told
            self._waiting -= 1
            return told

    def _look(self) -> None:
        """Replace the threads that have been at one item for too long."""
        now = time.monotonic()
        if now - self._looked < self._tick / 2:
            return
        passed, self._looked = min(now - self._looked, 2 * self._tick), now
        with self._lock:
            for member, _ in self._members:
                is_still = member.busy and member.place == member.seen
                member.waited = member.waited + passed if is_still else 0.0
                member.seen = member.place
                member.lost = member.lost or member.waited > self._longest
            stuck = [one for one, _ in self._members if one.lost and one.busy]
        for member in stuck:
            member.busy = False
            self._replace(member)

    def _replace(self, member: _Member[T]) -> None:
        """Give up a lost thread's item; hand out the rest of its piece."""
        self._give_up(member.piece[member.begun - 1])
        self._told.put(member.done + 1)
        if rest := member.piece[member.begun :]:
            self._hand_out(rest)
        self._hire()
