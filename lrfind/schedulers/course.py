"""A bundled schedule over a run, whatever its LR: what a suggested LR is for. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from lrfind.schedulers.drawings import Floats
from lrfind.schedulers.preview import preview_at

MOST_POINTS = 10_000
"""Steps of a run that are looked at; a longer one is read at as many, spread evenly."""

LEVEL = ("constant", "warmup", "plateau")
"""Schedules that hold the LR they are given; a plateau does until its metric stalls."""

BASE_SHARE = 0.4
"""`base_lr` of a cycle over its `max_lr`, where the config does not say.

Of 0.4, a quarter and a tenth, 0.4 ended lowest on the benchmark; a third or a quarter is usual
(Smith 2017, arXiv 1506.01186).
"""

_ENDS = {
    "cyclic": ("base_lr", "max_lr", BASE_SHARE),
    "exponential_sweep": ("start_lr", "end_lr", 1e-8),
    "linear_sweep": ("start_lr", "end_lr", 1e-8),
}
"""Schedules between two LRs: their names, and the lower over the higher where one is left out."""


@dataclass(frozen=True, slots=True)
class Course:
    """A bundled schedule over a run, drawn for any LR.

    LRs among its arguments (`max_lr`, `base_lr`) are what is asked for, so that they count only by
    their ratio; `eta_min` stays what it is.

    Attributes:
        name: config name, one of `lrfind.schedulers.CATALOG`.
        steps: updates of the run, warmup included.
        warmup: of these, steps of linear warmup before the schedule begins.
        args: the scheduler's own arguments; what it needs and is left out is fitted to the run.
    """

    name: str
    steps: int
    warmup: int = 0
    args: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_section(cls, data: Mapping[str, Any] | None) -> Course | None:
        """Take the `schedule` section of a config as plain data; None where it names none."""
        if data is None:
            return None
        return cls(data["name"], data["steps"], data["warmup"], data["args"])

    @property
    def is_level(self) -> bool:
        """Tell schedules whose LR is a constant one from those whose LR is a peak."""
        return self.name in LEVEL

    @property
    def title(self) -> str:
        """Say what an LR is for, to follow "for": `cosine over 950 steps after 50 of warmup`."""
        after = f" after {self.warmup} steps of warmup" if self.warmup else ""
        match self.name:
            case "constant":
                return f"a constant schedule{after}"
            case "warmup":
                return f"a constant schedule{after or ' after its warmup'}"
            case "plateau":
                return f"plateau{after}, whose lr is constant until its metric stalls"
        role = ", as its max_lr" if self.name in ("cyclic", "onecycle") else ""
        length = self.steps - self.warmup
        after = f" after {self.warmup} of warmup" if self.warmup else ""
        return f"{self.name} over {length} step{'s' * (length > 1)}{after}{role}"

    @property
    def base_share(self) -> float | None:
        """Divide the `base_lr` of a cycle by its `max_lr`; None for other schedules."""
        return self._share() if self.name == "cyclic" else None

    def lrs(self, lr: float, count: int | None = None) -> Floats:
        """Draw the LR at evenly spread steps of the run.

        Args:
            lr: what the optimizer is built with; the highest of `cyclic`, `onecycle` and the
                sweeps.
            count: how many; all, up to `MOST_POINTS`, where left out.

        Returns:
            shape `(count,)`; of a plateau, the LR that it begins with.

        Raises:
            ArgumentError: an unknown name or argument, or one that makes no sense.
        """
        count = min(self.steps, MOST_POINTS) if count is None else count
        at = ((np.arange(count) + 0.5) * self.steps / count).astype(np.int64)
        name, args = (self.name, self._args(lr)) if self.name != "plateau" else ("constant", {})
        return preview_at(at, name, lr, self.steps, self.warmup, args)

    def rms_share(self, lr: float) -> float:
        """Divide the root mean square of the LR, from the peak on, by the peak; 1 without decay.

        What comes before the first highest LR is warmup, and says little of the optimum: rising
        over half of a run hardly moves it.

        Raises:
            ArgumentError: as `lrs`.
        """
        if self.is_level:
            return 1.0
        lrs = self.lrs(lr)
        peak = int(np.argmax(lrs))
        if not lrs[peak] > 0.0:
            return 1.0
        return float(np.sqrt(np.mean(np.square(lrs[peak:] / lrs[peak]))))

    def _args(self, lr: float) -> dict[str, Any]:
        args = {key: value for key, value in self.args.items() if key != "max_lr"}
        if self.name in _ENDS:
            low, high, _ = _ENDS[self.name]
            args |= {low: self._share() * lr, high: lr}
        return args

    def _share(self) -> float:
        low, high, usual = _ENDS[self.name]
        ends = self.args.get(low), self.args.get(high)
        if not all(type(end) in (int, float) for end in ends):
            return usual
        start, end = cast(tuple[float, float], ends)
        return start / end if 0.0 < start < end else usual
