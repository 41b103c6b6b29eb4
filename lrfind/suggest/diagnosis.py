"""Notes: what a user should know about curves, each with its number and what to change."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lrfind.curve import Curve, StopReason
from lrfind.errors import InputError, NoSuggestionError, UserCodeError
from lrfind.suggest import CATALOG
from lrfind.suggest.answer import Note, Suggestion
from lrfind.suggest.judgement import FEW_POINTS, FLAT_ROOM_DECADES, LOW_SIGNAL, ask, rise
from lrfind.suggest.panel import DISAGREEMENT_DECADES, find_rule
from lrfind.suggest.points import decades
from lrfind.suggest.reading import CLEAR, Read, Reading, read_curve
from lrfind.suggest.updates import SMALL

_EDGE = 1.05
"""Factor from an end of the range within which a suggestion counts as being at the edge."""


def diagnose(
    curves: Sequence[Curve], suggestion: Suggestion | None, read: Read = read_curve
) -> tuple[Note, ...]:
    """Say what is remarkable about curves and their suggestion, most important first.

    A curve with a clear fall and a clear rise, read by seeds that agree, gives no note. What
    holds for several seeds is said once, with the numbers of the first of them.

    Args:
        curves: one a seed.
        suggestion: what `suggest` made of them; None where it refused.
        read: how each is read.
    """
    notes: list[Note] = []
    readings = [_reading(curve, read) for curve in curves]
    seen = [reading for reading in readings if reading is not None]
    for finding in (
        _never_diverged,
        _diverged_at_start,
        _rose_early,
        _never_fell,
        _noisy,
        _few_points,
    ):
        found = [note for reading in seen if (note := finding(reading)) is not None]
        if found:
            notes.append(_counted(found[0], len(found), len(curves)))
    notes += _at_edge(suggestion, seen)
    notes += _across_seeds(curves, suggestion)
    for stops in (map(_nonfinite, curves, readings), map(_cut_short, curves)):
        told = [note for note in stops if note is not None]
        if told:
            notes.append(_counted(told[0], len(told), len(curves)))
    return tuple(notes)


def _reading(curve: Curve, read: Read) -> Reading | None:
    try:
        return read(curve)
    except NoSuggestionError:
        return None


def _counted(note: Note, count: int, of: int) -> Note:
    if of == 1:
        return note
    return Note(note.code, f"{count} of {of} seeds: {note.message}", note.advice)


def _set(key: str, value: float) -> str:
    return f"--set {key}={value:.0e}" if value < 1e-2 else f"--set {key}={value:g}"


def _above(lr: float) -> float:
    """Round up to the next power of ten, at least a factor of 3 away."""
    return float(10.0 ** min(math.ceil(math.log10(lr * 3.0)), 308))


def _never_diverged(reading: Reading) -> Note | None:
    if reading.rise_lr is not None:
        return None
    seen = "was still near its lowest" if reading.fell else "had neither fallen nor risen"
    return Note(
        "never-diverged",
        f"the loss {seen} at the end of the range, {reading.end_lr:.1e}",
        f"raise the end: {_set('sweep.end_lr', _above(reading.end_lr))}",
    )


def _diverged_at_start(reading: Reading) -> Note | None:
    if reading.fell or reading.rise_lr is None:
        return None
    room = decades(reading.start_lr, reading.rise_lr)
    if room >= FLAT_ROOM_DECADES:
        return None
    return Note(
        "diverged-at-start",
        f"the loss {rise(reading)}, {room:.1f} decades from the start",
        f"lower the start: {_set('sweep.start_lr', reading.start_lr / 1000.0)}",
    )


def _rose_early(reading: Reading) -> Note | None:
    # A loss that became NaN without having risen is told as such, with other advice.
    if not reading.rose_early or reading.broke:
        return None
    return Note(
        "rose-early",
        f"the loss rose past {reading.rise_lr:.1e} with updates still below {SMALL:.0%} of the"
        " weights, which is seldom a divergence",
        "a good LR may lie above: raise data.batch_size, or sweep on with --set"
        " sweep.stop.factor=.inf",
    )


def _never_fell(reading: Reading) -> Note | None:
    if reading.fell:
        return None
    return Note(
        "never-fell",
        f"the loss fell {reading.drop:.2g}, {reading.signal:.1f} standard errors where a clear"
        f" fall has {CLEAR:g}",
        "usual when training starts from a trained model; else check that the loss depends on"
        " the parameters, and take more steps: --set sweep.steps=400",
    )


def _noisy(reading: Reading) -> Note | None:
    if not reading.fell or reading.signal >= LOW_SIGNAL:
        return None
    return Note(
        "noisy",
        f"the fall of {reading.drop:.2g} is only {reading.signal:.1f} standard errors",
        "raise data.batch_size, take more steps (--set sweep.steps=400)"
        " or several seeds (--set sweep.seeds=3)",
    )


def _few_points(reading: Reading) -> Note | None:
    if reading.points >= FEW_POINTS:
        return None
    return Note(
        "few-points",
        f"the curve has {reading.points} usable points; {FEW_POINTS} make a clear reading",
        "take more steps: --set sweep.steps=200",
    )


def _at_edge(suggestion: Suggestion | None, seen: Sequence[Reading]) -> list[Note]:
    if suggestion is None or not seen:
        return []
    start = min(reading.start_lr for reading in seen)
    end = max(reading.end_lr for reading in seen)
    if suggestion.lr <= start * _EDGE:
        return [
            Note(
                "optimum-at-edge",
                f"the suggestion {suggestion.lr:.1e} is the lowest LR measured",
                f"lower the start: {_set('sweep.start_lr', start / 1000.0)}",
            )
        ]
    if suggestion.lr >= end / _EDGE:
        return [
            Note(
                "optimum-at-edge",
                f"the suggestion {suggestion.lr:.1e} is the highest LR measured",
                f"raise the end: {_set('sweep.end_lr', _above(end))}",
            )
        ]
    return []


def _across_seeds(curves: Sequence[Curve], suggestion: Suggestion | None) -> list[Note]:
    if suggestion is None or len(curves) < 2:
        return []
    notes = []
    if suggestion.spread_decades > DISAGREEMENT_DECADES:
        low, high = min(suggestion.per_seed), max(suggestion.per_seed)
        notes.append(
            Note(
                "seeds-disagree",
                f"the seeds' answers span {suggestion.spread_decades:.1f} decades,"
                f" {low:.1e} to {high:.1e}",
                "raise data.batch_size or sweep.steps, or take more seeds: --set sweep.seeds=5",
            )
        )
    silent = len(curves) - len(suggestion.per_seed)
    if silent:
        notes.append(
            Note(
                "seeds-without-answer",
                f"{silent} of {len(curves)} seeds {_refusal(curves, suggestion.method)}",
                "the suggestion is the median of the others; take more seeds to be sure",
            )
        )
    return notes


def _refusal(curves: Sequence[Curve], method: str) -> str:
    """Quote the first seed without an answer; a rule of the user's own is not asked again."""
    if method not in CATALOG:
        return "have no answer"
    try:
        rule = find_rule(method, {})
    except InputError:
        return "have no answer"
    for curve in curves:
        try:
            ask(rule, curve, method, {})
        except NoSuggestionError as error:
            return f"have no answer (seed {curve.seed}: {error.reason})"
        except UserCodeError:  # it needs options that are not known here
            break
    return "have no answer"


def _nonfinite(curve: Curve, reading: Reading | None) -> Note | None:
    bad = np.flatnonzero(~np.isfinite(curve.loss))
    if len(bad) == 0:
        return None
    first = int(bad[0])
    warned = (
        reading is not None
        and reading.rise_lr is not None
        and reading.rise_lr < float(curve.lr[first])
    )
    last = ""
    if first:
        last = f"; the last finite one was {curve.loss[first - 1]:.3g} at {curve.lr[first - 1]:.1e}"
    return Note(
        "non-finite",
        f"the loss became {curve.loss[first]:g} at {curve.lr[first]:.1e}, point {first + 1}{last}",
        "usual behind the rise: nothing to change"
        if warned
        else "it came before any rise: look for log(0), a division by 0 or fp16 overflow",
    )


_CUT = {
    StopReason.INTERRUPTED: "let the sweep finish before trusting its end",
    StopReason.EXHAUSTED: "pass data that can be read again, or take fewer sweep.steps",
    StopReason.FAILED: "mend the error and sweep again",
}


def _cut_short(curve: Curve) -> Note | None:
    if curve.stop not in _CUT:
        return None
    end = f"after {len(curve)} points" + (f", at {curve.lr[-1]:.1e}" if len(curve) else "")
    return Note(
        f"{curve.stop.value}",
        f"the curve is partial: the sweep ended {end}: {curve.stop.value}",
        _CUT[curve.stop],
    )
