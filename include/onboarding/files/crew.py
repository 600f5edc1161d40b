"""Many hands on one queue that is still being filled, and the memory that they share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Room:
    """So many bytes in memory, of all hands together."""

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, 0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Waits until there is room for `size` bytes, and has it for the block. More than there ever is goes alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + size <= self._most)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()


def each(work: Callable[[T], object], items: Iterable[T], hands: int) -> None:
    """Does `work` on every item, `hands` at a time; an item is asked for when a hand is free to take it.

    So whatever makes the items works beside what is done with them, and never far ahead. The first failure, of the
    work or of the making, is raised once what was under way has ended; nothing is begun after it. An interruption is
    raised at once.
    """
    queue, taking, ending = iter(items), threading.Lock(), threading.Event()
    nothing, failures = object(), list[BaseException]()

    def take() -> T | object:
        with taking:
            return nothing if ending.is_set() else next(queue, nothing)

    def hand() -> None:
        try:
            while (item := take()) is not nothing:
                work(item)  # type: ignore[arg-type]  # what is not `nothing` is a T
        except BaseException as failure:
            failures.append(failure)
            ending.set()

    pool = ThreadPoolExecutor(hands, thread_name_prefix="files")
    try:
        wait([pool.submit(hand) for _ in range(hands)])
    except BaseException:
        ending.set()
        pool.shutdown(wait=False, cancel_futures=True)  # who interrupts does not wait for the end of a large file
        raise
    pool.shutdown()
    if failures:
        raise failures[0]
