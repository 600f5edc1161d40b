"""Rows by several streams of one process: a table to each as long as there are so many, indexes as each is complete."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from onboarding.databases.plan import Shard

LOOK_S = 0.5


def all_shards(shards: Sequence[Shard], jobs: int, copy: Callable[[Shard], object], look: Callable[[], object]) -> None:
    """Every shard, `jobs` at a time; `look` is called twice a second. The first failure is raised when all stand still.

    Two streams into one table wait for each other whenever it grows, so a shard of another table goes first.
    """
    waiting, under_way = list(shards), dict[Future[object], Shard]()
    failures: list[BaseException] = []
    with ThreadPoolExecutor(jobs, thread_name_prefix="copy") as pool:
        while under_way or (waiting and not failures):
            while waiting and not failures and len(under_way) < jobs:
                chosen = next_shard(waiting, under_way.values())
                waiting.remove(chosen)
                under_way[pool.submit(copy, chosen)] = chosen
            ended, _ = wait(under_way, timeout=LOOK_S, return_when=FIRST_COMPLETED)
            failures += [failure for one in ended if (failure := one.exception()) is not None]
            for one in ended:
                del under_way[one]
            look()
    if failures:
        raise failures[0]


def next_shard(waiting: Sequence[Shard], under_way: Collection[Shard]) -> Shard:
    """The first that writes into no table that is being written into; else the first."""
    busy = {part.into for shard in under_way for part in shard.parts}
    return next((shard for shard in waiting if not any(part.into in busy for part in shard.parts)), waiting[0])
