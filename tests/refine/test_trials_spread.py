"""Trials spread over ranks: the climb of one process on each of them, in fewer rounds."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.distributed import World
from lrfind.refine.climb import Climb, Purse, next_rung
from lrfind.refine.spread import Spread, foreseen_rungs
from lrfind.refine.trial import Trial

LENGTH = 10


class Threads:
    """Ranks that are threads, and meet at a barrier.

    Args:
        size: how many.

    Attributes:
        rounds: how often they met.
    """

    def __init__(self, size: int) -> None:
        self.rounds = 0
        self._size = size
        self._values: list[Trial | None] = [None] * size
        self._barrier = threading.Barrier(size, action=self._count, timeout=20)

    def run(self, work: Callable[[Member], tuple[Trial, ...]]) -> list[tuple[Trial, ...]]:
        """Run work on every rank and give what each returned."""
        found: dict[int, tuple[Trial, ...]] = {}

        def be(rank: int) -> None:
            found[rank] = work(Member(self, World(rank, self._size, rank)))

        threads = [threading.Thread(target=be, args=(rank,)) for rank in range(self._size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [found[rank] for rank in range(self._size)]

    def exchanged(self, rank: int, value: Trial | None) -> list[Trial | None]:
        """Give what every rank has."""
        self._values[rank] = value
        self._barrier.wait()
        values = list(self._values)
        self._barrier.wait()
        return values

    def _count(self) -> None:
        self.rounds += 1


class Member:
    """One of these ranks, with what a climb needs of a group."""

    def __init__(self, threads: Threads, world: World) -> None:
        self.world = world
        self._threads = threads

    def exchanged(self, value: Trial | None) -> list[Trial | None]:
        """Give what every rank has."""
        return self._threads.exchanged(self.world.rank, value)


def valley(best: float, cliff: float) -> Callable[[float], Trial]:
    """Make trials that end lowest at an LR, and diverge early from another one on."""

    def train(lr: float) -> Trial:
        if lr >= cliff:
            return Trial(lr, math.inf, LENGTH // 2, diverged=True)
        return Trial(lr, 1 + abs(math.log10(lr / best)), LENGTH, diverged=False)

    return train


@settings(deadline=None, max_examples=40)
@given(
    start=st.floats(-5, 0),
    best=st.floats(-5, 0),
    cliff=st.floats(-4, 1),
    budget=st.integers(0, 12 * LENGTH),
    size=st.integers(1, 5),
)
def test_every_rank_climbs_as_one_process_does(
    start: float, best: float, cliff: float, budget: int, size: int
) -> None:
    """Trials, their order and what they cost are the same, and there are never more rounds."""
    train = valley(10**best, 10**cliff)
    alone = Climb(10**start, Purse(budget, LENGTH, 1))
    alone.run(train)

    def climb(group: Member) -> tuple[Trial, ...]:
        mine = Climb(10**start, Purse(budget, LENGTH, 1))
        mine.run(Spread(train, mine, group))  # type: ignore[arg-type]
        assert mine.spent == alone.spent
        return mine.trials

    threads = Threads(size)
    assert threads.run(climb) == [alone.trials] * size
    # Each round passes the barrier twice.
    assert threads.rounds // 2 <= len(alone.trials)


def test_three_ranks_climb_in_half_the_rounds() -> None:
    """What follows a better and a worse end is trained meanwhile."""
    train = valley(3e-2, 10.0)
    alone = Climb(1e-2, Purse(1000, LENGTH, 1))
    alone.run(train)

    def climb(group: Member) -> tuple[Trial, ...]:
        mine = Climb(1e-2, Purse(1000, LENGTH, 1))
        mine.run(Spread(train, mine, group))  # type: ignore[arg-type]
        return mine.trials

    threads = Threads(3)
    threads.run(climb)
    assert threads.rounds // 2 <= math.ceil(len(alone.trials) / 2)


def test_rungs_that_may_be_asked_for_come_with_the_next_first() -> None:
    """Known ends decide the way on, and are not trained again."""
    assert next_rung({0: 2.0}) == 2
    assert list(islice(foreseen_rungs({0: 2.0}, {}), 3)) == [2, 4, -2]
    assert list(islice(foreseen_rungs({}, {2: -9.0}), 2)) == [0, 4]
