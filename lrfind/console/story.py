"""The words of a running sweep, short enough for a line: in a terminal and in a notebook."""

from __future__ import annotations

import math

from lrfind.curve import Step, StopReason
from lrfind.refine import Trial


def seed_name(seed: int, index: int, count: int) -> str:
    """Name a seed among others: `seed 2/3 (1)`."""
    return f"seed {seed}" if count == 1 else f"seed {index + 1}/{count} ({seed})"


def seed_line(name: str, latest: Step | None, planned: int, stop: StopReason) -> str:
    """Say how a sweep ended: steps, time, why."""
    done = latest.index + 1 if latest else 0
    elapsed_s = latest.elapsed_s if latest else 0.0
    steps = f"{planned} + {done - planned}" if done > planned else f"{done} of {planned}"
    return f"{name}: {steps} steps in {duration_text(elapsed_s)}; {stop.sentence}"


def trial_line(name: str, trial: Trial) -> str:
    """Say where a trial ended."""
    end = "diverged" if trial.diverged else f"loss {loss_text(trial.loss)}"
    return f"{name}: lr {trial.lr:.1e}, {end} after {trial.steps} steps"


def loss_text(loss: float) -> str:
    """Write a loss in at most nine columns."""
    if not math.isfinite(loss):
        return f"{loss:g}"
    return f"{loss:.4f}" if 1e-2 <= abs(loss) < 1e3 or loss == 0 else f"{loss:.2e}"


def duration_text(seconds: float) -> str:
    """Write how long something took."""
    return f"{seconds:.1f} s" if seconds < 120 else clock_text(seconds)


def clock_text(seconds: float) -> str:
    """Write a time as a clock shows it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
