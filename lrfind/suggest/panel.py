"""From curves to one suggestion: ask a rule about each seed, judge the answers, join them.

The judgement is the same for every rule: it weighs what the curve shows (`lrfind.suggest.reading`)
and never how a sweep says that it ended, since a saved curve may have been cut or merged.
"""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lrfind.curve import Curve
from lrfind.errors import InputError, LrfindError, NoSuggestionError, Problem, UserCodeError
from lrfind.registry import load_entry, load_target, nearest
from lrfind.suggest import CATALOG, DEFAULT_METHOD
from lrfind.suggest.answer import Suggestion, Verdict
from lrfind.suggest.reading import Pick, Reading, decades, read_curve

Rule = Callable[..., Pick | float]
"""`(reading, **options) -> Pick`; a bare float will do for a rule of the user's own."""

PEAK_RATIO = 2.25
"""Optimal peak LR of warmup + decay over the optimal constant LR, the same for every rule."""

LOW_SIGNAL = 8.0
"""Standard errors below which even a clear fall is read with low confidence."""

FEW_POINTS = 20
"""Points below which an answer has low confidence."""

DISAGREEMENT_DECADES = 0.5
"""Spread between seeds above which their median has low confidence."""

REACH = (3.0, 2.0)
"""Usable range below and above the answer, as factors; the rise cuts it short.

On lrfind's own small tasks the regret stayed under 10 % in about 7 of 10 cases at each end.
"""

FLAT_REACH = (10.0, 4.0)
"""The same where no fall was seen."""

FLAT_ROOM_DECADES = 1.0
"""Measured decades that must lie before the rise where no fall was seen."""


@dataclass(frozen=True, slots=True)
class SeedAnswer:
    """What one curve answers, and the features it was read from."""

    suggestion: Suggestion
    reading: Reading


def suggest(curves: Sequence[Curve], method: str = DEFAULT_METHOD, **options: Any) -> Suggestion:
    """Name the LR that curves of one setting, one a seed, speak for.

    With several seeds, the median in log LR of the seeds that have an answer.

    Args:
        curves: at least one.
        method: a name in `CATALOG`, or an import path of your own rule, relative to the working
            directory: `(Reading, **options) -> Pick` or a float.
        options: keyword arguments of the rule (`decades` of `before_rise`).

    Returns:
        A suggestion with start ≤ low ≤ lr ≤ high ≤ end and lr ≤ peak_lr ≤ end of what was
        measured.

    Raises:
        NoSuggestionError: no curve holds an honest answer.
        InputError: the method is unknown or does not take these options.

    Example:
        >>> import numpy as np
        >>> lr = np.logspace(-5, 1, 121)
        >>> loss = 2 - 1.5 / (1 + 0.01 / lr) + lr**2
        >>> answer = suggest([Curve(lr, loss)])
        >>> f"{answer.lr:.2g} {answer.verdict}"
        '0.058 ok'
    """
    rule = find_rule(method, options)
    answers: list[Suggestion] = []
    refusals: list[NoSuggestionError] = []
    for curve in curves:
        try:
            answers.append(ask(rule, curve, method, options).suggestion)
        except NoSuggestionError as error:
            refusals.append(error)
    if not answers:
        raise _joint_refusal(refusals)
    return answers[0] if len(curves) == 1 else _join(answers, len(curves))


def find_rule(method: str, options: dict[str, Any]) -> Rule:
    """Look a rule up by name or import path, and check that it takes these options."""
    if ":" in method:
        rule: Rule = load_target(method, Path.cwd(), "suggest", "method")
    elif method in CATALOG:
        rule = load_entry(CATALOG[method])
    else:
        raise InputError(
            Problem("suggest.method", f"{method!r} is no suggestion rule", nearest(method, CATALOG))
        )
    accepted = list(inspect.signature(rule).parameters.values())[1:]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted):
        return rule
    names = [parameter.name for parameter in accepted]
    unknown = [name for name in options if name not in names]
    if unknown:
        raise InputError(
            *(
                Problem(
                    "suggest", f"method {method!r} takes no option {name!r}", nearest(name, names)
                )
                for name in unknown
            )
        )
    return rule


def ask(rule: Rule, curve: Curve, method: str, options: dict[str, Any]) -> SeedAnswer:
    """Ask a rule about one curve, and judge its answer.

    Raises:
        NoSuggestionError: the curve shows nothing, or the rule finds no answer in it.
    """
    reading = read_curve(curve)
    _require_signal(reading)
    pick = _called(rule, reading, method, options)
    lr = min(max(pick.lr, reading.start_lr), reading.end_lr)
    ceiling = reading.end_lr if reading.rise_lr is None else min(reading.rise_lr, reading.end_lr)
    below, above = REACH if reading.fell else FLAT_REACH
    suggestion = Suggestion(
        lr=lr,
        peak_lr=max(lr, min(lr * PEAK_RATIO, ceiling)),
        low=max(lr / below, reading.start_lr),
        high=max(lr, min(lr * above, ceiling)),
        method=method,
        verdict=_verdict(reading, edge=lr != pick.lr),
        reason=f"{describe(reading)}; {pick.why}",
        per_seed=(lr,),
    )
    return SeedAnswer(suggestion, reading)


def describe(reading: Reading) -> str:
    """Say what a curve shows, in half a sentence with its numbers."""
    if reading.fell:
        signal = f"{reading.signal:.0f} σ" if reading.signal < 1000.0 else "> 1000 σ"
        seen = f"loss fell {reading.drop:.3g} ({signal}) to its minimum at {reading.min_lr:.1e}"
        if reading.rise_lr is None:
            return f"{seen} and did not rise up to {reading.end_lr:.1e}"
        return f"{seen} and rose past {reading.rise_lr:.1e}"
    seen = f"loss fell {reading.drop:.2g}, within its noise ({reading.signal:.1f} σ)"
    if reading.rise_lr is None:
        return f"{seen}, and did not rise up to {reading.end_lr:.1e}"
    return f"{seen}, and rose past {reading.rise_lr:.1e}"


def _require_signal(reading: Reading) -> None:
    if reading.fell:
        return
    if reading.rise_lr is None:
        raise NoSuggestionError(
            Verdict.NO_SIGNAL,
            describe(reading),
            "raise sweep.end_lr; if it stays flat, check that the loss depends on the parameters",
        )
    room = decades(reading.start_lr, reading.rise_lr)
    if room < FLAT_ROOM_DECADES:
        raise NoSuggestionError(
            Verdict.DIVERGED_AT_START,
            f"loss rose past {reading.rise_lr:.1e}, {room:.1f} decades from the start of the"
            " sweep, without having fallen",
            f"lower sweep.start_lr, e.g. --set sweep.start_lr={reading.start_lr / 1000:.0e}",
        )


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
    if reading.signal < LOW_SIGNAL or reading.points < FEW_POINTS or edge:
        return Verdict.LOW_CONFIDENCE
    return Verdict.OK


def _join(answers: Sequence[Suggestion], asked: int) -> Suggestion:
    per_seed = tuple(answer.lr for answer in answers)
    lr = _median(per_seed)
    # The seed nearest the median tells the reason, so that its numbers belong to one curve.
    nearest_seed = min(answers, key=lambda answer: abs(math.log(answer.lr / lr)))
    high = max(lr, _median([answer.high for answer in answers]))
    joined = replace(
        nearest_seed,
        lr=lr,
        peak_lr=max(lr, _median([answer.peak_lr for answer in answers])),
        low=min(lr, _median([answer.low for answer in answers])),
        high=high,
        per_seed=per_seed,
    )
    agreed = joined.spread_decades <= DISAGREEMENT_DECADES
    verdicts = Counter(answer.verdict for answer in answers)
    verdict, votes = verdicts.most_common(1)[0]
    if 2 * votes <= asked or (verdict is Verdict.OK and not agreed):
        verdict = Verdict.LOW_CONFIDENCE
    count = f"{len(answers)}" if len(answers) == asked else f"{len(answers)} of {asked}"
    return replace(
        joined,
        verdict=verdict,
        reason=f"median of {count} seeds, {joined.spread_decades:.2f} decades apart; "
        + nearest_seed.reason,
    )


def _median(lrs: Sequence[float]) -> float:
    """Take the median in log LR; exact for an odd count."""
    middle = sorted(lrs)[(len(lrs) - 1) // 2 : len(lrs) // 2 + 1]
    return middle[0] if len(middle) == 1 else float(np.sqrt(middle[0]) * np.sqrt(middle[1]))


def _joint_refusal(refusals: Sequence[NoSuggestionError]) -> NoSuggestionError:
    if not refusals:
        return NoSuggestionError(Verdict.NO_SIGNAL, "there is no curve", "pass at least one")
    if len(refusals) == 1:
        return refusals[0]
    verdict, _ = Counter(error.verdict for error in refusals).most_common(1)[0]
    told = next(error for error in refusals if error.verdict == verdict)
    return NoSuggestionError(
        verdict, f"none of {len(refusals)} seeds has an answer; {told.reason}", told.remedy
    )
