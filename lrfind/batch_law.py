"""How the LR that sweeps speak for depends on the batch size: points, a power law, two rules.

Knows suggestions and numbers; neither runs a sweep nor says how one is shown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lrfind.scaling import ADAM_CAVEAT, RULES, Exponent, caveats, fit_exponent
from lrfind.suggest.answer import Suggestion, Verdict

SCHEMA = 1

MIN_ANSWERS = 2
"""Points below which there is no law to speak of."""

_ROUNDING = 1e-9
"""Slack for points that lie on a rule exactly, whose interval is a rounding error wide."""

_SCALED_BY_GRADIENT = ("ada", "rmsprop", "lamb", "lion")
"""Parts of the names of optimizers that divide a step by the gradient's own size."""


@dataclass(frozen=True, slots=True)
class BatchPoint:
    """What the sweep at one batch size found.

    Attributes:
        batch_size: samples a batch.
        suggestion: None where the sweep gave no honest answer.
        no_answer: the verdict and reason where there is none, else empty.
    """

    batch_size: int
    suggestion: Suggestion | None
    no_answer: str = ""

    @property
    def is_sure(self) -> bool:
        """Tell whether there is an answer with nothing against it."""
        return self.suggestion is not None and self.suggestion.verdict is Verdict.OK


@dataclass(frozen=True, slots=True)
class BatchLaw:
    """LRs at several batch sizes and η ∝ B^p through them.

    Attributes:
        points: one a batch size, smallest first.
        exponent: p with its interval; None below `MIN_ANSWERS` answers.
        notes: what to know before the law is used.
        title: what was swept, for headings.
    """

    points: tuple[BatchPoint, ...]
    exponent: Exponent | None
    notes: tuple[str, ...] = ()
    title: str = ""

    @property
    def answers(self) -> tuple[tuple[int, Suggestion], ...]:
        """List the batch sizes with an answer; these are fitted, each with the same weight."""
        return tuple((p.batch_size, p.suggestion) for p in self.points if p.suggestion is not None)

    @property
    def schedule(self) -> str:
        """What the LRs are for, to follow "for"; empty where no schedule was named."""
        return next((found.schedule for _, found in self.answers), "")

    @property
    def has_interval(self) -> bool:
        """Tell whether the points can contradict a line: two lie on one, whatever they are."""
        return self.exponent is not None and math.isfinite(self.exponent.standard_error)

    @property
    def supported(self) -> tuple[str, ...]:
        """List the rules of `lrfind.scaling.RULES` whose exponent lies inside the interval."""
        if self.exponent is None:
            return ()
        low, high = self.exponent.low - _ROUNDING, self.exponent.high + _ROUNDING
        return tuple(name for name, power in RULES.items() if low <= power <= high)

    @property
    def conclusion(self) -> str:
        """Say in a sentence which rule the data support."""
        if self.exponent is None:
            return "none: fewer than two batch sizes gave an answer"
        if not self.has_interval:
            return "undecided: two points fit any line, so neither rule can fail; add a third size"
        match self.supported:
            case ("linear",):
                return "linear: 1 lies inside the interval, 0.5 (square root) does not"
            case ("sqrt",):
                return "square root: 0.5 lies inside the interval, 1 (linear) does not"
            case ():
                return "neither: 1 (linear) and 0.5 (square root) both lie outside the interval"
            case _:
                return "both: 1 (linear) and 0.5 (square root) lie inside the interval"

    def lr_at(self, batch_size: float) -> float:
        """Read the fitted line, which passes through the mean of ln B and ln η.

        Raises:
            ValueError: nothing was fitted.
        """
        if self.exponent is None:
            raise ValueError("a law without an exponent has no line")
        n = len(self.answers)
        x_mean = math.fsum(math.log(size) for size, _ in self.answers) / n
        y_mean = math.fsum(math.log(found.lr) for _, found in self.answers) / n
        return math.exp(y_mean + self.exponent.value * (math.log(batch_size) - x_mean))


def fit_law(
    points: Iterable[BatchPoint], *, is_adam_style: bool = False, title: str = ""
) -> BatchLaw:
    """Fit η ∝ B^p to the points that hold an answer, whatever its verdict.

    Least squares in log–log without weights; see `lrfind.scaling.fit_exponent` for the formula and
    for where it is wrong (a law that bends).

    Args:
        points: one a batch size, in any order.
        is_adam_style: whether neither rule was derived for the optimizer.
        title: what was swept, for headings.
    """
    ordered = tuple(sorted(points, key=lambda point: point.batch_size))
    found = [(p.batch_size, p.suggestion.lr) for p in ordered if p.suggestion is not None]
    exponent = None
    if len(found) >= MIN_ANSWERS:
        exponent = fit_exponent([size for size, _ in found], [lr for _, lr in found])
    largest = max((point.batch_size for point in ordered), default=1)
    notes = [c for c in caveats(to_batch=largest) if is_adam_style or c != ADAM_CAVEAT]
    if any(p.suggestion is not None and not p.is_sure for p in ordered):
        notes.insert(0, "* not sure, but counted; the reason is in report.json of that batch size")
    return BatchLaw(ordered, exponent, tuple(notes), title)


def divides_by_gradient(names: Sequence[str]) -> bool:
    """Tell an Adam-style optimizer by the names of its class and the classes it is made of.

    Example:
        >>> divides_by_gradient(["RAdam", "Optimizer"]), divides_by_gradient(["SGD", "Optimizer"])
        (True, False)
    """
    return any(part in name.lower() for name in names for part in _SCALED_BY_GRADIENT)


def to_data(law: BatchLaw) -> dict[str, Any]:
    """Turn a law into plain data: columns over all sizes, None where a sweep gave no answer."""
    found = [point.suggestion for point in law.points]
    interval = None
    if law.exponent is not None and law.has_interval:
        interval = [law.exponent.low, law.exponent.high]
    return {
        "schema": SCHEMA,
        "title": law.title,
        "sizes": [point.batch_size for point in law.points],
        "lrs": [None if answer is None else answer.lr for answer in found],
        "exponent": None if law.exponent is None else law.exponent.value,
        "interval": interval,
        "supported": list(law.supported),
        "conclusion": law.conclusion,
        "suggestions": [None if answer is None else asdict(answer) for answer in found],
        "no_answers": [point.no_answer or None for point in law.points],
        "notes": list(law.notes),
    }


def to_json(law: BatchLaw) -> str:
    """Serialise a law, strictly: an interval without ends is null."""
    return json.dumps(to_data(law), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
