"""One sweep a seed: all of them here, or each process of several some of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lrfind.curve import Curve, StopReason
from lrfind.ramp import Observer, Plan, StopRule, extended, lowered, run_sweep
from lrfind.spec import SweepSection
from lrfind.workload.members import Seeds
from lrfind.workload.workload import Workload

if TYPE_CHECKING:
    from lrfind.distributed.group import Group


def sweep_seeds(
    workload: Workload, section: SweepSection, seed: int, observers: Sequence[Observer]
) -> list[Curve]:
    """Run one sweep a seed; Ctrl-C ends them all with what was measured.

    With `auto_range`, a seed whose loss only rose is swept again from a lower start, and the later
    seeds are swept from there at once.
    """
    return _Part(workload, section, seed, observers).sweep(range(section.seeds), plan_of(section))


def sweep_seeds_apart(
    workload: Workload,
    section: SweepSection,
    seed: int,
    observers: Sequence[Observer],
    group: Group,
) -> tuple[list[Curve], int]:
    """Run one sweep a seed, each process some of them, and join the curves of all.

    Where a seed had to start lower, later ones that others swept meanwhile from the planned start
    are swept again, as one process would have swept them.

    Returns:
        The curves by seed (after Ctrl-C those of this process), and how many more updates one
        process would have made than this one did.
    """
    part, plan = _Part(workload, section, seed, observers), plan_of(section)
    rank, size, count = group.world.rank, group.world.size, section.seeds
    # The first rank has a seed in any case: it tells what was trained.
    own = range(math.ceil(count * rank / size), math.ceil(count * (rank + 1) / size))
    curves = part.sweep(own, plan)
    if curves and curves[-1].stop is StopReason.INTERRUPTED:
        return curves, 0
    found = [lowering for lowering in group.exchanged(part.lowering) if lowering is not None]
    first = min(found, key=lambda lowering: lowering.index, default=None)
    taken = sum(map(len, curves)) + (part.lowering.dropped if part.lowering else 0)
    if first is not None and first.index < own.start:
        stale = range(own.start, part.lowering.index if part.lowering else own.stop)
        again = part.sweep(stale, first.plan, can_lower=False)
        if again and again[-1].stop is StopReason.INTERRUPTED:
            return again, 0
        taken += sum(map(len, again))
        curves = again + curves[len(again) :]
    joined: list[Curve] = []
    for theirs, notes in group.exchanged((curves, workload.notes)):
        joined += theirs
        workload.notes.update(notes)
    alone = sum(map(len, joined)) + (first.dropped if first is not None else 0)
    return joined, alone - taken


def plan_of(section: SweepSection) -> Plan:
    """Plan the LRs of a sweep."""
    return Plan(section.mode, section.start_lr, section.end_lr, section.steps)


@dataclass(frozen=True)
class _Lowering:
    """Which seed had to start lower, the updates of its dropped curve, and the new plan."""

    index: int
    dropped: int
    plan: Plan


@dataclass
class _Part:
    """The seeds that are swept here.

    Attributes:
        lowering: of the first of them that had to start lower; None where none had.
    """

    workload: Workload
    section: SweepSection
    seed: int
    observers: Sequence[Observer]
    lowering: _Lowering | None = field(default=None, init=False)

    def sweep(self, indices: range, plan: Plan, *, can_lower: bool = True) -> list[Curve]:
        """Sweep seeds by their index, one after another."""
        if not indices:
            return []
        section, planned = self.section, plan
        can_repeat = can_lower and section.auto_range and self.workload.recipe.can_repeat
        curves: list[Curve] = []
        first, side_by_side = self.seed + indices.start, section.side_by_side
        with Seeds(self.workload, first, len(indices), side_by_side=side_by_side) as seeds:
            for index in indices:
                curve = self._sweep_one(seeds, index, indices.start, plan)
                lower = lowered(plan, curve) if can_repeat and plan is planned else None
                if lower is not None:
                    self.lowering = _Lowering(index, len(curve), lower)
                    plan = lower
                    curve = self._sweep_one(seeds, index, indices.start, plan)
                curves.append(curve)
                if curves[-1].stop is StopReason.INTERRUPTED:
                    break
        return curves

    def _sweep_one(self, seeds: Seeds, index: int, start: int, plan: Plan) -> Curve:
        # A function, so that one seed's model is gone before the next one is built.
        section, stop = self.section, self.section.stop
        with seeds.open(index - start, plan.lr) as trainable:
            return run_sweep(
                trainable,
                plan,
                StopRule(stop.factor, stop.min_steps, stop.window, stop.patience),
                seed=self.seed + index,
                index=index,
                count=section.seeds,
                observers=self.observers,
                extend=extended if section.auto_range else None,
            )
