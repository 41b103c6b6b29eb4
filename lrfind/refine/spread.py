"""Trials that may be asked for next, trained by other ranks while this one trains: free of torch.

Every rank climbs by itself. Trials depend on their LR alone, so that all ranks see the same ends
and go the same way, and the climb, its answer and its bounds are those of one process. What nobody
asks for in the end cost time that a rank would have waited for; the budget counts the climb's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from lrfind.refine.ahead import likely_ends
from lrfind.refine.climb import Climb, Losses, Oracle, next_rung
from lrfind.refine.trial import Trial

if TYPE_CHECKING:
    from lrfind.distributed.group import Group


class Spread:
    """An oracle for a climb that trains one LR a rank.

    Args:
        train: trains from the same state each time, on every rank.
        climb: whose next steps are guessed; in the same state on every rank.
        group: the ranks, joined.
    """

    def __init__(self, train: Oracle, climb: Climb, group: Group) -> None:
        self._train = train
        self._climb = climb
        self._group = group
        self._unasked: dict[int, Trial] = {}

    def __call__(self, lr: float, /) -> Trial:
        """Give the trial that the climb asks for, trained now or beside an earlier one."""
        asked, *guesses = self._rungs()
        if asked not in self._unasked:
            rank, rungs = self._group.world.rank, [asked, *guesses]
            own = self._train(self._climb.lr(rungs[rank])) if rank < len(rungs) else None
            found = zip(rungs, self._group.exchanged(own), strict=False)
            self._unasked.update((rung, trial) for rung, trial in found if trial is not None)
        return self._unasked.pop(asked)

    def _rungs(self) -> list[int]:
        """Choose a rung for each rank; the first is the one that is asked for."""
        climb, purse = self._climb, self._climb.purse
        can_go_on = purse.affords(climb.spent + purse.length + purse.overhead)
        count = self._group.world.size if can_go_on else 1
        known = {rung: trial.loss for rung, trial in self._unasked.items()}
        return list(islice(foreseen_rungs(climb.losses, known), count))


def foreseen_rungs(losses: Losses, known: Mapping[int, float]) -> Iterator[int]:
    """List what a climb may ask for, the next first, then what follows its likely ends, and so on.

    Args:
        losses: of the rungs tried so far.
        known: ends of rungs that were not asked for yet; of these only the next one is listed.
    """
    asked = next_rung(losses)
    seen = set(known) - {asked}
    level = [dict(losses)]
    while level:
        after = []
        for path in level:
            rung = next_rung(path)
            if rung is None:
                continue
            if rung not in seen:
                seen.add(rung)
                yield rung
            ends = [known[rung]] if rung in known else likely_ends(path)
            after += [{**path, rung: end} for end in ends]
        level = after
