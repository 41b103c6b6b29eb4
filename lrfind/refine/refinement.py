"""From a sweep's suggestion to one that was tried out, within a budget of updates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lrfind.curve import Curve, StopReason
from lrfind.errors import DataExhaustedError, InputError
from lrfind.refine.ahead import Ahead
from lrfind.refine.answer import conclude, start_lr
from lrfind.refine.climb import Climb, Gate, Oracle, Purse
from lrfind.refine.schedule import TrialSchedule
from lrfind.refine.spread import Spread
from lrfind.refine.trial import Trial
from lrfind.refine.trials import Judge, Trials
from lrfind.smoothing import Floats, ceiling, noise_scale, starting_loss
from lrfind.spec import RefineSection
from lrfind.suggest import Note, Suggestion
from lrfind.workload.workload import Workload

if TYPE_CHECKING:
    from lrfind.distributed.group import Group

FEWEST = 3
"""Trials without which no answer is enclosed."""

TYPICAL = 4
"""Trials that enclose an answer which was nearly right."""

SHORTEST, LONGEST = 75, 100
"""Updates of a trial where the config does not say.

Trials of 25 and 50 updates end before high LRs show that they are unstable, and their answers were
worse than the sweep's own; longer ones than 100 gained nothing.
"""

TOLERANCE = 2.0
"""Drops of the sweep by which a trial's loss may stand above its start before it is cut short."""


class TrialObserver(Protocol):
    """Whoever watches the trials."""

    def begin_trial(self, index: int, lr: float, steps: int) -> None:
        """Take note that a trial of so many updates starts."""

    def end_trial(self, trial: Trial | None) -> None:
        """Take note of where it ended; None where it was broken off."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """What came of the trials.

    Attributes:
        suggestion: the sweep's, changed by what the trials say.
        trials: in the order in which they were made.
        notes: what the user should know of them.
        is_interrupted: Ctrl-C came; the sweep's suggestion stands.
    """

    suggestion: Suggestion
    trials: tuple[Trial, ...] = ()
    notes: tuple[Note, ...] = ()
    is_interrupted: bool = False


def refine(
    workload: Workload,
    curves: Sequence[Curve],
    suggestion: Suggestion,
    section: RefineSection,
    schedule: TrialSchedule,
    observers: Sequence[TrialObserver] = (),
    *,
    spent: int | None = None,
    group: Group | None = None,
) -> Refinement:
    """Try LRs around a suggestion from the first seed's initial state, and say which is best.

    Args:
        workload: what the sweeps trained.
        curves: of the sweeps.
        suggestion: read off them.
        section: the budget.
        schedule: what the trials train under.
        observers: told of every trial.
        spent: updates that the sweeps took; None: as many as the curves have points.
        group: ranks that all refine the same suggestion, and train the trials between them.

    Returns:
        The refined suggestion; after Ctrl-C the given one, with what was tried.
    """
    spent = sum(len(curve) for curve in curves) if spent is None else spent
    loss = next(curve.loss for curve in curves if np.isfinite(curve.loss).any())
    tolerance = TOLERANCE * _drop(loss)
    if any(curve.stop is StopReason.EXHAUSTED for curve in curves):
        return Refinement(suggestion, notes=(_NO_DATA,))
    try:
        with workload.open(curves[0].seed) as trainable:
            try:
                judge = Judge(trainable)
            except InputError as error:
                # A sweep read these data before, so that nothing else can be wrong with them.
                raise DataExhaustedError(str(error)) from error
            purse = _purse(section, spent, judge.cost)
            if not purse.affords((FEWEST - 1) * (purse.length + purse.overhead)):
                return Refinement(suggestion, notes=(_no_budget(section, spent),))
            trials = Trials(trainable, judge, schedule, purse.length, tolerance, workload.copies)
            climb = Climb(start_lr(suggestion, schedule), purse)
            oracle = Ahead(trials, climb) if group is None else Spread(trials, climb, group)
            try:
                climb.run(lambda lr: _watched(oracle, lr, len(climb.tried), purse, observers))
            except KeyboardInterrupt:
                return Refinement(suggestion, climb.trials, (_INTERRUPTED,), is_interrupted=True)
            gate = Gate(trials.initial, noise_scale(loss))
    except DataExhaustedError:
        return Refinement(suggestion, notes=(_NO_DATA,))
    except KeyboardInterrupt:
        return Refinement(suggestion, notes=(_INTERRUPTED,), is_interrupted=True)
    outcome = conclude(suggestion, climb, gate, schedule)
    return Refinement(outcome.suggestion, climb.trials, outcome.notes)


def _watched(
    oracle: Oracle, lr: float, index: int, purse: Purse, observers: Sequence[TrialObserver]
) -> Trial:
    for observer in observers:
        observer.begin_trial(index, lr, purse.length)
    trial = None
    try:
        trial = oracle(lr)
    finally:
        for observer in observers:
            observer.end_trial(trial)
    return trial


def _purse(section: RefineSection, spent: int, judging: int) -> Purse:
    """Deal out what the sweep left; the judge is asked once more, before the first trial."""
    left = max(section.budget - spent - judging, 0)
    length = section.trial_steps
    if length is None:
        length = min(max(left // TYPICAL - judging, SHORTEST), LONGEST)
    return Purse(left, length, judging)


def _drop(loss: Floats) -> float:
    """Measure the loss in units of what a sweep showed: its drop, or its noise."""
    return ceiling(loss) - starting_loss(loss)


def _no_budget(section: RefineSection, spent: int) -> Note:
    return Note(
        "refine-no-budget",
        f"the sweep took {spent} of {section.budget} steps, too many to leave {FEWEST} trials",
        f"raise the budget: --budget {spent + TYPICAL * LONGEST + LONGEST}, or take fewer"
        " sweep.steps",
    )


_NO_DATA = Note(
    "refine-no-data",
    "no data were left for trials",
    "give a function that makes the data, or data that can be read again",
)
_INTERRUPTED = Note(
    "refine-interrupted",
    "the trials were interrupted",
    "the sweep's answer was kept; let them finish to refine it",
)
