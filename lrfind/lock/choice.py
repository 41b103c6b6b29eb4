"""An LR that a person pins, with the reason why."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lrfind.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Choice:
    """An LR that a person chose.

    Attributes:
        lr: to be pinned.
        reason: why.
    """

    lr: float
    reason: str


def choice_of(lr: float | None, reason: str | None) -> Choice | None:
    """Join the two options of a pin by hand; None where neither is given.

    Raises:
        InputError: one without the other, or an LR that is none.
    """
    if lr is None and reason is None:
        return None
    if lr is None or not (reason or "").strip():
        missing, given = ("--lr", "--reason") if lr is None else ("--reason", f"--lr {lr:g}")
        what = f"needs {missing}: a pin by hand says why it was chosen"
        raise InputError(Problem(given, what, 'for instance --lr 3e-4 --reason "as in the paper"'))
    if not 0 < lr < math.inf:
        raise InputError(Problem("--lr", f"= {lr!r} must be positive and finite", "give an LR"))
    return Choice(lr, " ".join((reason or "").split()))
