"""What a check of a pin found, and what the process says to its caller."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from lrfind.errors import ExitCode, InputError, LrfindError, Problem
from lrfind.lock.lock import Lock
from lrfind.lock.staleness import Change
from lrfind.lock.trials import Verification


class State(StrEnum):
    """How a pin stands, worst first: the order in which many checks are joined to one exit code."""

    BAD_INPUT = "bad input"
    BUG = "internal error"
    TIMED_OUT = "timed out"
    DRIFTED = "drifted"
    STALE = "stale"
    INCONCLUSIVE = "inconclusive"
    GOOD = "good"

    @property
    def exit_code(self) -> ExitCode:
        """What the process tells its caller."""
        return _CODES[self]


_CODES = {
    State.BAD_INPUT: ExitCode.BAD_INPUT,
    State.BUG: ExitCode.INTERNAL,
    State.TIMED_OUT: ExitCode.TIMED_OUT,
    State.DRIFTED: ExitCode.DRIFT,
    State.STALE: ExitCode.DRIFT,
    State.INCONCLUSIVE: ExitCode.NO_SUGGESTION,
    State.GOOD: ExitCode.OK,
}


@dataclass(frozen=True, slots=True)
class Rerun:
    """What the sweeps of a pin say today.

    Attributes:
        lr: their joint answer; None where they have none.
        why_none: why there is none, and what to change; empty where there is one.
        per_seed: seed to its own answer, None where it had none.
        noise: seed to the loss's noise, as a lock holds it.
        device: where it was measured.
        verification: what trials at the pinned LR say; None where they were not asked for.
    """

    lr: float | None
    why_none: str
    per_seed: Mapping[int, float | None]
    noise: Mapping[int, float]
    device: str
    verification: Verification | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer at all.

    Attributes:
        state: `BAD_INPUT`, `BUG` or `TIMED_OUT`.
        problems: what is wrong, one thing or more.
    """

    state: State
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What is known of one pin.

    Attributes:
        config: path of the config, as the user named it or as it was found.
        state: how the pin stands.
        lock: None where it could not be read.
        changes: what is not as it was.
        rerun: None where nothing was run.
        failure: why there is no answer; None where there is one.
    """

    config: Path
    state: State
    lock: Lock | None = None
    changes: tuple[Change, ...] = ()
    rerun: Rerun | None = None
    failure: Failure | None = None

    @property
    def decades(self) -> float | None:
        """Distance from the pinned LR to what was found, positive upwards; None without both."""
        if self.lock is None or self.rerun is None or self.rerun.lr is None:
            return None
        pinned = self.lock.reference_lr
        return None if pinned is None else math.log10(self.rerun.lr / pinned)

    @property
    def noise_decades(self) -> float | None:
        """Distance from the pinned noise of the loss to today's, between medians over seeds.

        None where the sweeps have no answer: a loss that never falls is nothing but noise.
        """
        if self.lock is None or self.rerun is None or self.decades is None:
            return None
        # Brings decimals and fractions with it, and `check --no-run` needs no median.
        from statistics import median

        then, now = median(self.lock.noise.values()), median(self.rerun.noise.values())
        return math.log10(now / then)

    @property
    def has_moved(self) -> bool:
        """Tell whether the sweeps come out at another LR."""
        limit = self.lock.tolerance_decades if self.lock is not None else 0.0
        return self.decades is not None and abs(self.decades) > limit

    @property
    def is_other_noise(self) -> bool:
        """Tell whether the loss is more or less noisy: another batch size, or other data."""
        limit = self.lock.noise_tolerance_decades if self.lock is not None else 0.0
        return self.noise_decades is not None and abs(self.noise_decades) > limit


def failure_of(error: LrfindError, config: Path) -> Failure:
    """Turn an error into what a check tells of it."""
    if isinstance(error, InputError):
        return Failure(State.BAD_INPUT, error.problems)
    return Failure(State.BAD_INPUT, (Problem(str(config), str(error), "mend it"),))


def bug_of(error: Exception, config: Path) -> Failure:
    """Turn an exception that nobody foresaw into what a check tells of it."""
    what = f"internal error: {' '.join(f'{type(error).__name__}: {error}'.split())}"
    remedy = "this is a bug of lrfind: run again with --debug and report it"
    return Failure(State.BUG, (Problem(str(config), what, remedy),))


def judge(
    config: Path, lock: Lock, changes: tuple[Change, ...], rerun: Rerun | None = None
) -> Check:
    """Say how a pin stands.

    Drifted where the new answer or the loss's noise lies further away than its tolerance, or trials
    end clearly better at another LR; else stale where something changed; else inconclusive where
    sweeps or trials say nothing; else good.
    """
    found = Check(config, State.GOOD, lock, changes, rerun)
    trials = rerun.verification if rerun is not None else None
    if (
        found.has_moved
        or found.is_other_noise
        or (trials is not None and trials.is_better_elsewhere)
    ):
        state = State.DRIFTED
    elif any(change.is_stale for change in changes):
        state = State.STALE
    elif rerun is not None and _is_silent(lock, rerun):
        state = State.INCONCLUSIVE
    else:
        state = State.GOOD
    return replace(found, state=state)


def worst(checks: Sequence[Check]) -> State:
    """Find the worst state, in the order of `State`; good where there is no check."""
    return next((state for state in State if any(c.state is state for c in checks)), State.GOOD)


def exit_code(checks: Sequence[Check]) -> ExitCode:
    """Join checks into one exit code: the worst state decides."""
    return worst(checks).exit_code


def _is_silent(lock: Lock, rerun: Rerun) -> bool:
    """Tell a re-run that says nothing, by its sweeps or by its trials."""
    trials = rerun.verification
    # Sweeps of a pin by hand may never have had an answer.
    return (rerun.lr is None and lock.reference_lr is not None) or (
        trials is not None and trials.is_silent
    )
