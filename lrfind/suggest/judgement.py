"""One curve's answer: what a rule says of it, its range, and how far to trust it.

The judgement is the same for every rule: it weighs what the curve shows (`lrfind.suggest.reading`)
and never how a sweep says that it ended, since a saved curve may have been cut or merged.

- *no-signal*: the loss neither fell nor rose beyond its noise, however large updates became: a
  number would come from the optimizer alone. Refused. So is a loss that held while updates replaced
  the weights, and then became NaN: weight decay alone overflows weights.
- *diverged-at-start*: it rose within the first decade without having fallen. Refused.
- *never-diverged*: it fell and did not rise: the answer is a lower bound.
- *low-confidence*: it rose without having fallen before, or while updates were still tiny, or
  the fall is weak, the points few, or the answer at the end of the range.
- *ok*: it clearly fell and rose.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lrfind.curve import Curve
from lrfind.errors import LrfindError, NoSuggestionError, Problem, UserCodeError
from lrfind.suggest.answer import Suggestion, Verdict
from lrfind.suggest.points import decades
from lrfind.suggest.purpose import PEAK_RATIO, Purpose, peak_ratio
from lrfind.suggest.reading import Pick, Read, Reading, read_curve
from lrfind.suggest.updates import LARGE, SMALL

Rule = Callable[..., Pick | float]
"""`(reading, **options) -> Pick`; a bare float will do for a rule of the user's own."""

LOW_SIGNAL = 5.0
"""Standard errors below which even a clear fall is read with low confidence."""

FEW_POINTS = 20
"""Points below which an answer has low confidence."""

REACH = 1.6
"""Usable range below and above the answer, as a factor; the rise cuts it short.

Regret at a constant LR stays under 10 % throughout in 78 to 82 % of cases on the benchmark's fit
tasks, depending on the plan of the sweep; 79 to 81 % where the factor is fitted without the family
that it is judged on. Where no fall was seen, in about half of the cases.
"""

FLAT_ROOM_DECADES = 1.0
"""Measured decades that must lie before the rise where no fall was seen."""


def ask(
    rule: Rule,
    curve: Curve,
    method: str,
    options: dict[str, Any],
    purpose: Purpose | None = None,
    read: Read = read_curve,
) -> Suggestion:
    """Ask a rule about one curve, and judge its answer; without a purpose it is for a constant LR.

    Raises:
        NoSuggestionError: the curve shows nothing, or the rule finds no answer in it.
    """
    reading = read(curve)
    _require_signal(reading)
    pick = _called(rule, reading, method, options)
    constant = min(max(pick.lr, reading.start_lr), reading.end_lr)
    ceiling = reading.end_lr if reading.rise_lr is None else min(reading.rise_lr, reading.end_lr)
    ratio = 1.0 if purpose is None else peak_ratio(purpose.rms_share(constant))
    lr = max(constant, min(constant * ratio, ceiling))
    base_share = None if purpose is None else purpose.base_share
    return Suggestion(
        lr=lr,
        peak_lr=max(constant, min(constant * PEAK_RATIO, ceiling)),
        low=max(lr / REACH, reading.start_lr),
        high=max(lr, min(lr * REACH, ceiling)),
        method=method,
        verdict=_verdict(reading, edge=constant != pick.lr),
        reason=f"{describe(reading)}; {pick.why}"
        + (f", cut off at {constant:.1e}, the edge of the range" if constant != pick.lr else "")
        + ("" if purpose is None else _aim(lr, constant, purpose)),
        per_seed=(lr,),
        schedule="" if purpose is None else purpose.title,
        base_lr=None if base_share is None else lr * base_share,
    )


def _aim(lr: float, constant: float, purpose: Purpose) -> str:
    """Say how an answer follows from the one for a constant LR."""
    factor = f"{lr / constant:.3g} × the constant {constant:.1e}, " if lr != constant else ""
    return f"; {factor}for {purpose.title}"


def describe(reading: Reading) -> str:
    """Say what a curve shows, in half a sentence with its numbers."""
    if reading.fell:
        signal = f"{reading.signal:.0f} σ" if reading.signal < 1000.0 else "> 1000 σ"
        seen = f"loss fell {reading.drop:.3g} ({signal}) to its minimum at {reading.min_lr:.1e}"
        if reading.rise_lr is None:
            return f"{seen} and did not rise up to {reading.end_lr:.1e}"
        early = f", with updates still below {SMALL:.0%} of the weights"
        return f"{seen} and {rise(reading)}{early if reading.rose_early else ''}"
    seen = f"loss fell {reading.drop:.2g}, within its noise ({reading.signal:.1f} σ)"
    if reading.drop == 0.0:
        seen = "loss never fell below its start"
    if reading.rise_lr is None:
        return f"{seen}, and did not rise up to {reading.end_lr:.1e}"
    return f"{seen}, and {rise(reading)}"


def rise(reading: Reading) -> str:
    """Say how the loss ended its fall, where it did: `rose past 1.0e-01`."""
    if reading.broke:
        return f"became infinite or NaN at {reading.rise_lr:.1e} without having risen"
    return f"rose past {reading.rise_lr:.1e}"


def _require_signal(reading: Reading) -> None:
    if reading.fell:
        return
    if reading.rise_lr is None or reading.ignored_updates:
        raise NoSuggestionError(Verdict.NO_SIGNAL, *_flat(reading))
    room = decades(reading.start_lr, reading.rise_lr)
    if room < FLAT_ROOM_DECADES:
        raise NoSuggestionError(
            Verdict.DIVERGED_AT_START,
            f"loss {rise(reading)}, {room:.1f} decades from the start of the sweep, without"
            " having fallen",
            f"lower sweep.start_lr, e.g. --set sweep.start_lr={reading.start_lr / 1000:.0e}",
        )


def _flat(reading: Reading) -> tuple[str, str]:
    """Say what a flat curve shows, and what to change."""
    updates = reading.updates
    if updates is None or updates.large_from > reading.end_lr:
        remedy = "raise sweep.end_lr; if it stays flat, check that the loss depends on"
        return describe(reading), f"{remedy} the parameters"
    large = f", though updates passed {LARGE:.0%} of the weights at {updates.large_from:.1e}"
    return describe(reading) + large, "check that the loss depends on the parameters"


def _called(rule: Rule, reading: Reading, method: str, options: dict[str, Any]) -> Pick:
    try:
        found = rule(reading, **options)
    except LrfindError:
        raise
    except Exception as error:
        what = f"method {method!r} raised {type(error).__name__}: {error}"
        raise UserCodeError(Problem("suggest", what, "mend the rule")) from error
    pick = found if isinstance(found, Pick) else Pick(float(found), f"{method} says {found:.1e}")
    if not (math.isfinite(pick.lr) and pick.lr > 0.0):
        raise UserCodeError(
            Problem(
                "suggest",
                f"method {method!r} answered {pick.lr!r}; an LR is finite and above 0",
                "raise lrfind.errors.NoSuggestionError where there is no answer",
            )
        )
    return pick


def _verdict(reading: Reading, *, edge: bool) -> Verdict:
    if reading.fell and reading.rise_lr is None:
        return Verdict.NEVER_DIVERGED
    if reading.rose_early or reading.signal < LOW_SIGNAL or reading.points < FEW_POINTS or edge:
        return Verdict.LOW_CONFIDENCE
    return Verdict.OK
