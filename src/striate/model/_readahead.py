"""Doing slow things for the next items while the caller works on the present one."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST_THREADS = 8


def read_ahead(function: Callable[[T], R], items: Iterable[T], *, window: int) -> Iterator[R]:
    """Yield `function(item)` in order; up to `window` items are worked on ahead, in threads.

    A single item is worked on without a thread, as starting a pool would take longer. An exception
    is raised where its result would stand.
    """
    left = iter(items)
    first = list(islice(left, 2))
    if len(first) < 2:
        yield from map(function, first)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1))
    try:
        for item in chain(first, left):
            waiting.append(pool.submit(function, item))
            if len(waiting) >= window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
