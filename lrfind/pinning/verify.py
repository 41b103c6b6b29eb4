"""Train briefly at a pinned LR and to either side of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrfind.blame import Blame, blamed_on
from lrfind.config import Config
from lrfind.curve import Curve
from lrfind.errors import DataExhaustedError, InputError, Problem
from lrfind.experiment import together
from lrfind.lock.lock import Lock
from lrfind.lock.trials import FACTOR, Verification
from lrfind.opening import open_workload
from lrfind.refine.refinement import LONGEST, TOLERANCE, TrialObserver
from lrfind.refine.schedule import TrialSchedule
from lrfind.refine.trial import Trial
from lrfind.refine.trials import Judge, Trials
from lrfind.schedulers.course import Course
from lrfind.smoothing import ceiling, noise_scale, starting_loss
from lrfind.spec import ScheduleSection

if TYPE_CHECKING:
    from lrfind.distributed.group import Group


def verify(
    config: Config,
    lock: Lock,
    curve: Curve,
    observers: Sequence[TrialObserver] = (),
    blame: Blame | None = None,
    group: Group | None = None,
) -> Verification:
    """Train from the first seed's start at the pinned LR, a third and three times of it.

    Under the config's own schedule, or at a constant LR; all trials see the same batches.

    Args:
        config: as it is now.
        lock: its pin.
        curve: of the first seed, which tells the noise of a batch and how far the loss can fall.
        observers: told of every trial.
        blame: kept up to date, for those who must say from outside what is being done.
        group: the processes that train together; None: this one alone.

    Raises:
        InputError: no data are left to train on, or as `open_workload`.
    """
    shape = _shape(config.spec.schedule)
    steps = config.spec.refine.trial_steps or LONGEST
    tolerance = TOLERANCE * (ceiling(curve.loss) - starting_loss(curve.loss))
    try:
        with together(config, group), blamed_on(config, blame) as blame:
            workload = blame.workload = open_workload(config, group)
            with workload.open(curve.seed) as trainable:
                judge = Judge(trainable)
                trials = Trials(trainable, judge, shape, steps, tolerance, workload.copies)
                below, pinned, above = (
                    _watched(trials, lock.lr * factor, i, steps, observers)
                    for i, factor in enumerate((1 / FACTOR, 1.0, FACTOR))
                )
                batches = len(judge.batches or trainable.held_out)
                initial = trials.initial
    except DataExhaustedError:
        what = "no data are left for trials: they can be read once"
        remedy = "give a function that makes the data, or leave --verify out"
        raise InputError(Problem(config.where("data"), what, remedy)) from None
    noise = noise_scale(curve.loss) * math.sqrt(2 / batches)
    return Verification((below, pinned, above), initial, noise)


def _shape(schedule: ScheduleSection | None) -> TrialSchedule:
    if schedule is None:
        return TrialSchedule(Course("constant", LONGEST))
    return TrialSchedule(Course.from_section(schedule.model_dump()))


def _watched(
    trials: Trials, lr: float, index: int, steps: int, observers: Sequence[TrialObserver]
) -> Trial:
    for observer in observers:
        observer.begin_trial(index, lr, steps)
    trial = None
    try:
        trial = trials(lr)
    finally:
        for observer in observers:
            observer.end_trial(trial)
    return trial
