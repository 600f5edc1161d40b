"""Two crews on one queue that is still being filled: few read, many send, and what was read waits in so much memory.

Python's lock is why there are two. A hand that reads lets go of it and waits for it again at every call to the system:
dozens at once spend more time handing it on than reading. One that sends is outside it nearly all the time, and still
no more are called than there is work for. (docs/decisions/0018-files-by-obstore.md has the figures.)
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
Job = Callable[[], object]

SENDERS_AT_FIRST, BACKLOG = 8, 16
"""Another sender is called when more than so many files wait to be sent."""

MOST_READERS = 64
LOOKED_AT = 32
QUICK_S = 2e-4
"""One reader keeps up with files that take it so long each; where they take longer (NFS, a line) more are called."""


class Room:
    """So many bytes in memory, of all hands together."""

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, 0
        self._changed = threading.Condition()

    def take(self, size: int) -> None:
        """Waits until there is room for `size` bytes. More than there ever is goes alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + size <= self._most)
            self._taken += size

    def await_some(self) -> None:
        """Waits until not all of it is taken."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken < self._most)

    def give(self, size: int) -> None:
        """Gives back what was taken."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()


def each(
    read: Callable[[T], Job], items: Iterable[T], senders: int, *, room: Room, size: Callable[[T], int] = lambda _: 0
) -> None:
    """`read` on every item, by as many readers as it takes, and what it gives is called by up to so many `senders`.

    An item is asked for when a reader is free and there is room for its `size`, which it has until it was sent; so
    whatever makes the items works beside what is done with them, and never far ahead. The first failure, of the
    reading, the sending or the making, is raised once what was under way has ended; nothing is begun after it. An
    interruption is raised at once.
    """
    readers = min(senders, MOST_READERS)
    pool = ThreadPoolExecutor(senders + readers, thread_name_prefix="files")
    crew = _Crew(pool, senders, room, read, items, size)
    try:
        wait(pool.submit(crew.read_first, readers).result())
        crew.dismiss()
    except BaseException:
        crew.ending.set()
        pool.shutdown(wait=False, cancel_futures=True)  # who interrupts does not wait for the end of a large file
        raise
    pool.shutdown()
    if crew.failures:
        raise crew.failures[0]


class _Crew(Generic[T]):
    def __init__(
        self,
        pool: ThreadPoolExecutor,
        most_senders: int,
        room: Room,
        read: Callable[[T], Job],
        items: Iterable[T],
        size: Callable[[T], int],
    ) -> None:
        self._pool, self._most_senders, self._room = pool, most_senders, room
        self._read, self._items, self._size = read, iter(items), size
        self._taking, self._calling = threading.Lock(), threading.Lock()
        self._jobs: SimpleQueue[tuple[Job, int] | None] = SimpleQueue()
        self._senders: list[Future[None]] = []
        self.ending = threading.Event()
        self.failures: list[BaseException] = []

    def read_first(self, most: int) -> list[Future[None]]:
        """Reads, and after the first few calls as many others as these were slow; gives them."""
        took: list[float] = []
        while len(took) < LOOKED_AT:
            began = time.monotonic()
            if not self._read_one():
                return []
            took.append(time.monotonic() - began)
        others = min(most - 1, int(statistics.median(took) / QUICK_S))
        called = [self._pool.submit(self._read_on) for _ in range(others)]
        self._read_on()
        return called

    def dismiss(self) -> None:
        """Waits until everything that was read is sent."""
        for _ in self._senders:
            self._jobs.put(None)
        wait(self._senders)

    def _read_on(self) -> None:
        while self._read_one():
            pass

    def _read_one(self) -> bool:
        """Whether there was an item."""
        try:
            with self._taking:
                self._room.await_some()
                found = [] if self.ending.is_set() else list(islice(self._items, 1))
            for item in found:
                self._hand_on(item)
        except BaseException as failure:
            self._fail(failure)
            return False
        return bool(found)

    def _hand_on(self, item: T) -> None:
        size = self._size(item)
        self._room.take(size)
        try:
            self._jobs.put((self._read(item), size))
        except BaseException:
            self._room.give(size)
            raise
        with self._calling:
            there, late = len(self._senders), self._jobs.qsize() > BACKLOG
            if there < self._most_senders and (late or there < SENDERS_AT_FIRST):
                self._senders.append(self._pool.submit(self._send))

    def _send(self) -> None:
        """Until there is no more; after a failure what was read is let go."""
        while (given := self._jobs.get()) is not None:
            job, size = given
            try:
                if not self.ending.is_set():
                    job()
            except BaseException as failure:
                self._fail(failure)
            finally:
                self._room.give(size)

    def _fail(self, failure: BaseException) -> None:
        self.failures.append(failure)
        self.ending.set()
