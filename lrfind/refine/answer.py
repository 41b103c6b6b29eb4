"""What trials make of a sweep's suggestion. Knows no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lrfind.refine.climb import Climb, Gate
from lrfind.refine.schedule import TrialSchedule
from lrfind.suggest.answer import Note, Suggestion, Verdict
from lrfind.suggest.purpose import PEAK_RATIO

FAR_DECADES = 1.0
"""Distance between the sweep's and the trials' answer above which one contradicts the other."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How trials changed a suggestion.

    Attributes:
        suggestion: what to use now.
        notes: what the user should know of the trials.
    """

    suggestion: Suggestion
    notes: tuple[Note, ...] = ()


def start_lr(suggestion: Suggestion, schedule: TrialSchedule) -> float:
    """Choose the answer that a climb under this schedule starts from."""
    return suggestion.peak_lr if schedule.course is None else suggestion.lr


def conclude(suggestion: Suggestion, climb: Climb, gate: Gate, schedule: TrialSchedule) -> Outcome:
    """Join the sweep's suggestion and the trials around it.

    Under the schedule that a config names the trials find its lr, and everything else moves along.
    Without one they find the peak of warmup and cosine, and lr lies below it by the ratio that
    sweeps use as well. The usable range ends below every LR at which a trial diverged.
    """
    answer = climb.answer(gate)
    if not climb.trials:
        return Outcome(suggestion)
    if answer is None:
        return _kept(suggestion, climb, gate, schedule)
    lr = answer / PEAK_RATIO if schedule.course is None else answer
    blown = min((trial.lr for trial in climb.trials if trial.diverged), default=math.inf)
    far = abs(math.log10(answer / climb.start_lr))
    failed = all(trial.diverged for trial in climb.trials)
    verdict = suggestion.verdict
    if failed or far > FAR_DECADES:
        verdict = Verdict.LOW_CONFIDENCE
    elif verdict is Verdict.NEVER_DIVERGED and climb.is_bracketed:
        verdict = Verdict.OK  # a higher LR was tried, and was worse
    scale = lr / suggestion.lr
    refined = replace(
        suggestion,
        lr=lr,
        peak_lr=answer if schedule.course is None else suggestion.peak_lr * scale,
        low=suggestion.low * scale,
        high=max(lr, min(suggestion.high * scale, blown)),
        base_lr=None if suggestion.base_lr is None else suggestion.base_lr * scale,
        method=f"{suggestion.method}+trials",
        verdict=verdict,
        reason=f"{_found(climb, schedule, answer)}; sweep: {suggestion.reason}",
    )
    return Outcome(refined, _notes(climb, far, failed=failed))


def _kept(suggestion: Suggestion, climb: Climb, gate: Gate, schedule: TrialSchedule) -> Outcome:
    best = min(trial.loss for trial in climb.trials)
    note = Note(
        "refine-no-fall",
        f"the best of {_tried(climb)} under {schedule.title} ended at loss {best:.4g}, not one"
        f" batch's noise ({gate.sigma:.2g}) below its start, {gate.initial:.4g}",
        "the sweep's answer was kept; longer trials say more: --set refine.trial_steps=200"
        " --budget 1200",
    )
    return Outcome(suggestion, (note,))


def _found(climb: Climb, schedule: TrialSchedule, answer: float) -> str:
    what = "peak" if schedule.course is None else "lr"
    lead = f"{_tried(climb)} of {climb.purse.length} steps under {schedule.title}"
    if all(trial.diverged for trial in climb.trials):
        return f"{lead} all diverged, down to {what} {answer:.1e}"
    best = min(climb.trials, key=lambda trial: trial.loss)
    ends = f"end lowest at {what} {best.lr:.1e}, loss {best.loss:.3g}"
    first = climb.trials[0]
    if best is not first:
        seen = "diverged" if first.diverged else f"{first.loss:.3g}"
        ends += f" ({seen} at the sweep's {first.lr:.1e})"
    return f"{lead} {ends}"


def _tried(climb: Climb) -> str:
    count = len(climb.trials)
    return f"{count} trial{'s' * (count > 1)}"


def _notes(climb: Climb, far: float, *, failed: bool) -> tuple[Note, ...]:
    if failed:
        return (
            Note(
                "refine-diverged",
                f"all {_tried(climb)} diverged, down to {min(t.lr for t in climb.trials):.1e}",
                "look at the loss by hand, or lower sweep.start_lr and sweep again",
            ),
        )
    notes = []
    if far > FAR_DECADES:
        notes.append(
            Note(
                "refine-far",
                f"the trials' answer lies {far:.1f} decades from the sweep's",
                "trust the trials more, and take more seeds to be sure: --set sweep.seeds=3",
            )
        )
    if not climb.is_bracketed:
        notes.append(
            Note(
                "refine-open",
                f"the best of {_tried(climb)} stands at the edge of what was tried",
                "raise the budget (--budget), or sweep more steps",
            )
        )
    return tuple(notes)
