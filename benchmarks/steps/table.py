"""Loops in turn, their ratios to the first, and the table of them."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

from benchmarks.steps.loops import Loop
from benchmarks.steps.tasks import Clock, Task, Timed

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def measure(task: Task, loops: Mapping[str, Loop], rounds: int) -> dict[str, list[float]]:
    """Run every loop once a round, in turn: CPU seconds a step, a value a round.

    A first round, which fills caches, does not count. Each round begins with another loop: what
    one leaves behind in caches and memory costs the next one a few percent.
    """
    found: dict[str, list[float]] = {name: [] for name in loops}
    names = [*loops]
    for i in range(rounds + 1):
        for name in [*names[i % len(names) :], *names[: i % len(names)]]:
            loop, clock = loops[name], Clock()
            torch.manual_seed(i)
            loop(task, Timed(task.model(), clock))
            if i:
                found[name].append(clock.step_s)
    return found


def ratios(values: Sequence[float], base: Sequence[float]) -> tuple[float, float, float]:
    """Divide round by round; lower quartile, median, upper quartile."""
    found = [a / b for a, b in zip(values, base, strict=True)]
    if len(found) == 1:
        return found[0], found[0], found[0]
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
    return low, middle, high


def ratio_cell(values: Sequence[float], base: Sequence[float]) -> str:
    """Write a ratio: median (quartiles)."""
    low, middle, high = ratios(values, base)
    return f"{middle:.2f} ({low:.2f} … {high:.2f})"


def stamp(rounds: int, packages: Sequence[str]) -> str:
    """Say what was measured on, and how."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"CPU time a step, one thread; ratios within a round, median (quartiles) of {rounds} "
        f"rounds; {versions}, Python {platform.python_version()}, {_processor()}, "
        f"{os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}."
    )


def write(section: str, text: str) -> None:
    """Replace what stands between a section's markers in docs/benchmarks.md.

    Raises:
        RuntimeError: the page has no such markers.
    """
    begin, end = f"<!-- {section} -->\n", f"<!-- /{section} -->"
    before, found_begin, rest = PAGE.read_text("utf-8").partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise RuntimeError(f"{PAGE} has no {begin.strip()} … {end}")
    PAGE.write_text(before + begin + text + end + after, encoding="utf-8")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
