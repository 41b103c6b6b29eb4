"""The two questions asked of every suggestion: a constant LR, and the peak of warmup + cosine."""

from __future__ import annotations

import math

STEPS = 300
"""Updates of a training that an LR is judged by."""

WARMUP_SHARE = 0.05


def constant(steps: int = STEPS) -> list[float]:
    """Multiply by one throughout."""
    return [1.0] * steps


def warmup_cosine(steps: int = STEPS) -> list[float]:
    """Rise linearly over the first 5 %, then fall along half a cosine to zero."""
    warmup = max(1, round(WARMUP_SHARE * steps))
    rise = [(t + 1) / warmup for t in range(warmup)]
    fall = [(1.0 + math.cos(math.pi * t / (steps - warmup))) / 2.0 for t in range(steps - warmup)]
    return rise + fall


SCHEDULES = {"constant": constant, "warmup_cosine": warmup_cosine}
"""Name → multipliers of the LR, a step each."""
