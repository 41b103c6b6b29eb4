"""Sweeping on where the range was too narrow, instead of guessing what lies outside.

Both ways are bounded, so that a run's cost is known beforehand, and both are told in a note. The
curve decides, read as the suggestion will read it, and not the label of how the sweep ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lrfind.curve import Curve, StopReason
from lrfind.errors import NoSuggestionError
from lrfind.ramp.plan import Plan
from lrfind.suggest.answer import Note, Verdict
from lrfind.suggest.judgement import FLAT_ROOM_DECADES
from lrfind.suggest.points import decades
from lrfind.suggest.reading import Reading, read_curve

MORE_DECADES = 3.0
"""Most decades beyond `end_lr`."""

MORE_STEPS = 0.5
"""Most steps beyond the planned ones, as a share of them."""

LOWER = 1000.0
"""Factor by which `start_lr` is lowered, once."""

_LOWEST, _HIGHEST = 1e-300, 1e300

RANGE_NOTES = ("range-extended", "range-lowered")
"""Codes of the notes that `range_notes` gives."""

_OFF = "--no-auto-range (sweep.auto_range: false) keeps to the range"


def extended(plan: Plan, curve: Curve) -> Plan:
    """Continue a sweep whose loss had not risen by its end, with the same factor a step.

    By `MORE_DECADES` or `MORE_STEPS`, whichever is less; the divergence stop ends it earlier.

    Args:
        plan: of the sweep so far.
        curve: all of its points.

    Returns:
        The plan with `more` steps; the same plan where the loss rose, where nothing can be read
        off the curve, and for a linear sweep, which has no factor.
    """
    if plan.mode != "exponential" or plan.more:
        return plan
    reading = _read(curve)
    if reading is None or reading.rise_lr is not None:
        return plan
    room = min(MORE_DECADES, decades(plan.end_lr, max(_HIGHEST, plan.end_lr)))
    step_decades = decades(plan.start_lr, plan.end_lr) / (plan.steps - 1)
    return replace(plan, more=min(int(room / step_decades), int(MORE_STEPS * plan.steps)))


def lowered(plan: Plan, curve: Curve) -> Plan | None:
    """Plan another sweep for a loss that rose at the start: from a thousandth of `start_lr`.

    Returns:
        The plan; None where the loss fell before it rose, rose later than within the first decade,
        or was cut short, and for a linear sweep.
    """
    if plan.mode != "exponential" or plan.start_lr / LOWER < _LOWEST:
        return None
    if curve.stop not in (StopReason.DIVERGED, StopReason.NONFINITE, StopReason.COMPLETED):
        return None
    if not _rose_at_start(curve):
        return None
    return replace(plan, start_lr=plan.start_lr / LOWER)


def range_notes(curves: Sequence[Curve], plan: Plan) -> list[Note]:
    """Tell where curves go beyond what was planned, once for all seeds.

    Args:
        curves: one a seed.
        plan: as the config has it.
    """
    if plan.mode != "exponential":
        return []
    notes = []
    # Half a step away from the ends, for rounding.
    half = (plan.end_lr / plan.start_lr) ** (0.5 / (plan.steps - 1))
    beyond = [curve for curve in curves if len(curve) and curve.lr[-1] > plan.end_lr * half]
    if beyond:
        first = beyond[0]
        added = int((first.lr > plan.end_lr * half).sum())
        message = (
            f"the loss had not risen at sweep.end_lr = {plan.end_lr:g}: "
            f"{added} steps were added, up to {first.lr[-1]:.1e}"
        )
        notes.append(_counted("range-extended", message, len(beyond), len(curves)))
    below = [curve for curve in curves if len(curve) and curve.lr[0] < plan.start_lr / half]
    if below:
        message = (
            f"the loss only rose in the first decade from sweep.start_lr = {plan.start_lr:g}: "
            f"it was swept again from {below[0].lr[0]:.1e}"
        )
        notes.append(_counted("range-lowered", message, len(below), len(curves)))
    return notes


def _read(curve: Curve) -> Reading | None:
    try:
        return read_curve(curve)
    except NoSuggestionError:
        return None


def _rose_at_start(curve: Curve) -> bool:
    try:
        reading = read_curve(curve)
    except NoSuggestionError as error:
        return error.verdict == Verdict.DIVERGED_AT_START
    if reading.fell or reading.rise_lr is None:
        return False
    return decades(reading.start_lr, reading.rise_lr) < FLAT_ROOM_DECADES


def _counted(code: str, message: str, count: int, of: int) -> Note:
    return Note(code, message if of == 1 else f"{count} of {of} seeds: {message}", _OFF)
