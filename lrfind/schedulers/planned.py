"""A schedule with the run it is for: checked as a whole, and ready to be drawn. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lrfind.schedulers import CATALOG
from lrfind.schedulers.drawings import DRAWINGS, Floats
from lrfind.schedulers.forms.argument import ArgumentError
from lrfind.schedulers.preview import complete, paste, preview


@dataclass(frozen=True)
class Planned:
    """A bundled schedule over a run.

    Attributes:
        name: config name, one of `lrfind.schedulers.CATALOG`.
        lr: what the optimizer is built with.
        warmup: steps of linear warmup before the schedule begins.
        args: what the class is built with, completed for the run.
        lrs: shape `(steps,)`: the LR of each update, finite and ≥ 0.
    """

    name: str
    lr: float
    warmup: int
    args: Mapping[str, Any]
    lrs: Floats = field(repr=False)

    @property
    def steps(self) -> int:
        """Updates of the run, warmup included."""
        return len(self.lrs)

    @property
    def title(self) -> str:
        """What is drawn, in a line: `cosine: 1000 steps, the first 50 of warmup`."""
        warmup = f", the first {self.warmup} of warmup" if self.warmup else ""
        return f"{self.name}: {self.steps} step{'s' * (self.steps > 1)}{warmup}"

    @property
    def formula(self) -> str:
        """The schedule in one line."""
        return CATALOG[self.name].formula

    @property
    def settings(self) -> str:
        """The arguments that it is drawn with: `T_max = 950`."""
        unseen = DRAWINGS[self.name].unseen
        return ", ".join(
            f"{key} = {value:g}" if isinstance(value, float) else f"{key} = {value}"
            for key, value in self.args.items()
            if key not in unseen
        )

    @property
    def peak(self) -> int:
        """The first step with the highest LR."""
        return int(np.argmax(self.lrs))

    @property
    def peak_text(self) -> str:
        """The highest LR and where it stands: `1.0e-01 at step 50`."""
        where = f"at step {self.peak}"
        if self.peak < self.steps - 1 and (self.lrs[self.peak :] == self.lrs[self.peak]).all():
            where = f"from step {self.peak} on" if self.peak else "at every step"
        return f"{self.lrs[self.peak]:.1e} {where}"

    @property
    def python(self) -> str:
        """The schedule as Python, ready to paste."""
        return paste(self.name, self.lr, self.steps, self.warmup, self.args)


def plan(
    name: str, lr: float, steps: int, warmup: int = 0, args: Mapping[str, Any] | None = None
) -> Planned:
    """Compute a bundled schedule over a run and check that it makes sense there.

    Args:
        name: config name, one of `lrfind.schedulers.CATALOG`.
        lr: the LR that the optimizer is built with.
        steps: optimizer steps of the run, warmup included.
        warmup: steps of linear warmup before the schedule begins.
        args: the class's own; what it needs and is left out is fitted to the run.

    Raises:
        ArgumentError: an unknown name or argument, a value of the wrong kind, or one that leads
            to an LR that is no finite number ≥ 0.

    Example:
        >>> plan("step", lr=0.1, steps=4, args={"step_size": 2}).lrs.round(4).tolist()
        [0.1, 0.1, 0.01, 0.01]
    """
    if not 0 < lr < math.inf:
        raise ArgumentError(name, f"lr = {lr} must be a finite number > 0", "pass the peak LR")
    given = ", ".join(f"{key} = {value!r}" for key, value in (args or {}).items())
    try:
        with np.errstate(all="ignore"):
            completed = complete(name, lr, steps, warmup, args)
            lrs = preview(name, lr, steps, warmup, completed)
    except ArgumentError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        remedy = f"pass values as {CATALOG[name].path.partition(':')[2]} takes them"
        raise ArgumentError(name, f"cannot be drawn with {given}: {error}", remedy) from None
    wrong = np.flatnonzero(~(np.isfinite(lrs) & (lrs >= 0)))
    if len(wrong):
        step = int(wrong[0])
        what = f"{given} leads to LR {lrs[step]:g} at step {step}; an LR is a finite number ≥ 0"
        raise ArgumentError(name, what, "mend that argument")
    return Planned(name, lr, warmup, completed, lrs)
