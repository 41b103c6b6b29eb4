"""From curves to one suggestion: ask a rule about each seed and join the answers."""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lrfind.curve import Curve
from lrfind.errors import InputError, NoSuggestionError, Problem
from lrfind.registry import load_entry, load_target, nearest
from lrfind.suggest import CATALOG, DEFAULT_METHOD
from lrfind.suggest.answer import Suggestion, Verdict
from lrfind.suggest.judgement import Rule, ask
from lrfind.suggest.purpose import Purpose
from lrfind.suggest.reading import Read, read_curve

DISAGREEMENT_DECADES = 0.5
"""Spread between seeds above which their median has low confidence."""


def suggest(
    curves: Sequence[Curve],
    method: str = DEFAULT_METHOD,
    *,
    purpose: Purpose | None = None,
    **options: Any,
) -> Suggestion:
    """Name the LR that curves of one setting, one a seed, speak for.

    With several seeds, the median in log LR of the seeds that have an answer.

    Args:
        curves: at least one.
        method: a name in `CATALOG`, or an import path of your own rule, relative to the working
            directory: `(Reading, **options) -> Pick` or a float.
        purpose: the schedule that the LR is for; None for a constant one.
        options: keyword arguments of the rule (`decades` of `before_rise`).

    Returns:
        A suggestion with start ≤ low ≤ lr ≤ high ≤ end of what was measured, and, without a
        purpose, lr ≤ peak_lr ≤ end.

    Raises:
        NoSuggestionError: no curve holds an honest answer.
        InputError: the method is unknown or does not take these options.

    Example:
        >>> import numpy as np
        >>> lr = np.logspace(-5, 1, 121)
        >>> loss = 2 - 1.5 / (1 + 0.01 / lr) + lr**2
        >>> answer = suggest([Curve(lr, loss)])
        >>> f"{answer.lr:.2g} {answer.verdict}"
        '0.042 ok'
    """
    return suggest_by(find_rule(method, options), curves, method, options, purpose)


def suggest_by(
    rule: Rule,
    curves: Sequence[Curve],
    method: str,
    options: dict[str, Any],
    purpose: Purpose | None = None,
    read: Read = read_curve,
) -> Suggestion:
    """Ask a rule that was found before, under the name `method`; see `suggest`."""
    answers: list[Suggestion] = []
    refusals: list[NoSuggestionError] = []
    for curve in curves:
        try:
            answers.append(ask(rule, curve, method, options, purpose, read))
        except NoSuggestionError as error:
            refusals.append(error)
    if not answers:
        raise _joint_refusal(refusals)
    return answers[0] if len(curves) == 1 else _join(answers, len(curves))


def find_rule(method: str, options: dict[str, Any], folder: Path | None = None) -> Rule:
    """Look a rule up by name or import path, and check that it takes these options.

    Args:
        method: a name in `CATALOG`, or an import path, which runs the module it names.
        options: keyword arguments of the rule.
        folder: where a relative file path starts from; the working directory where left out.

    Raises:
        InputError: there is no such rule, or it takes no such option.
        UserCodeError: the module raised while it was imported.
    """
    if ":" in method:
        rule: Rule = load_target(method, folder or Path.cwd(), "suggest", "method")
    elif method in CATALOG:
        rule = load_entry(CATALOG[method])
    else:
        raise InputError(
            Problem(
                "suggest", f"method = {method!r} is no suggestion rule", nearest(method, CATALOG)
            )
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


def _join(answers: Sequence[Suggestion], asked: int) -> Suggestion:
    per_seed = tuple(answer.lr for answer in answers)
    lr = _median(per_seed)
    # The seed nearest the median tells the reason, so that its numbers belong to one curve.
    nearest_seed = min(answers, key=lambda answer: abs(math.log(answer.lr / lr)))
    high = max(lr, _median([answer.high for answer in answers]))
    peak_lr = _median([answer.peak_lr for answer in answers])
    bases = [answer.base_lr for answer in answers if answer.base_lr is not None]
    joined = replace(
        nearest_seed,
        lr=lr,
        peak_lr=peak_lr if nearest_seed.schedule else max(lr, peak_lr),
        low=min(lr, _median([answer.low for answer in answers])),
        high=high,
        base_lr=min(lr, _median(bases)) if bases else None,
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
