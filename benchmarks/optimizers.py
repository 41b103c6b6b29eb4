"""Step time of the bundled optimizers against torch.optim, and against what memory allows.

    python benchmarks/optimizers.py [--sizes tiny medium large] [--rounds 15]

One thread, CPU time, all contenders of a row interleaved, medians over rounds. The columns are
ratios to torch.optim with its default settings: ours, torch's `fused=True` and `foreach=True`, and
the floor, which is the bytes that must move (each tensor read once, and written once where it
changes) over the bandwidth of a copy of the same tensors. A floor above a measured ratio means the
tensors fit into a cache. Gaps under about 10 % do not resolve on a noisy machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from lrfind import optim

SHAPES = {
    "tiny": [(40, 64), (40,), (64, 64), (64,), (48, 64), (64,)],
    "medium": [shape for _ in range(30) for shape in ((408, 408), (408,))],
    "large": [shape for _ in range(75) for shape in ((1154, 1154), (1154,))],
}
SECONDS = {"tiny": 0.01, "medium": 0.15, "large": 0.5}
"""CPU time that one contender gets in a round, at least one step."""

ROWS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("Adam", {}),
    ("AdamW", {}),
    ("Adagrad", {}),
    ("RMSprop", {}),
    ("Adadelta", {}),
]
TARGETS = {
    "SGD": (0.10, 0.55, 0.75),
    "Adam": (0.08, 0.32, 0.28),
    "AdamW": (0.08, 0.32, 0.28),
    "Adagrad": (0.06, 0.35, 0.36),
    "RMSprop": (0.08, 0.40, 0.40),
    "Adadelta": (0.15, 0.75, 0.60),
}
MOVES = {"SGD": (3, 5), "Adam": (7, 7), "AdamW": (7, 7), "Adagrad": (5, 5), "RMSprop": (5, 5)}
"""Tensors read plus tensors written in a step: without and with momentum."""


def make_step(
    cls: type[torch.optim.Optimizer], size: str, **kwargs: object
) -> Callable[[], object]:
    torch.manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES[size]]
    for param in params:
        param.grad = torch.randn_like(param)
    return cls(params, lr=1e-4, **kwargs).step  # type: ignore[arg-type]


def make_copy(size: str) -> Callable[[], object]:
    sources = [torch.randn(shape) for shape in SHAPES[size]]
    targets = [torch.empty_like(source) for source in sources]
    return lambda: torch._foreach_copy_(targets, sources)


def measure(
    steps: dict[str, Callable[[], object]], budget_s: float, rounds: int
) -> dict[str, float]:
    counts = {}
    for name, step in steps.items():
        step()
        start = time.process_time()
        step()
        counts[name] = max(1, round(budget_s / max(time.process_time() - start, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            for _ in range(counts[name]):
                step()
            times[name].append((time.process_time() - start) / counts[name])
    return {name: statistics.median(values) for name, values in times.items()}


def contenders(name: str, kwargs: dict[str, object], size: str) -> dict[str, Callable[[], object]]:
    theirs = getattr(torch.optim, name)
    steps = {
        "torch": make_step(theirs, size, **kwargs),
        "lrfind": make_step(getattr(optim, name), size, **kwargs),
        "foreach": make_step(theirs, size, foreach=True, **kwargs),
        "copy": make_copy(size),
    }
    if name not in ("RMSprop", "Adadelta"):
        steps["fused"] = make_step(theirs, size, fused=True, **kwargs)
    return steps


def print_size(size: str, rounds: int) -> None:
    total = sum(torch.Size(shape).numel() for shape in SHAPES[size])
    print(f"\n{size}: {len(SHAPES[size])} tensors, {total:,} parameters")
    print(f"{'':18}{'torch':>12}{'lrfind':>9}{'line':>7}{'fused':>9}{'foreach':>9}{'floor':>8}")
    for name, kwargs in ROWS:
        measured = measure(contenders(name, kwargs, size), SECONDS[size], rounds)
        base = measured["torch"]
        moves = MOVES.get(name, (7, 7))[bool(kwargs)]
        floor = measured["copy"] * moves / 2 / base
        is_lined = name != "SGD" or kwargs
        line = f"{TARGETS[name][list(SHAPES).index(size)]:.2f}" if is_lined else ""
        fused = f"{measured['fused'] / base:.2f}" if "fused" in measured else "-"
        print(
            f"{name + (' momentum' if kwargs else ''):18}{base * 1e6:>9.0f} µs"
            f"{measured['lrfind'] / base:>9.3f}{line:>7}{fused:>9}"
            f"{measured['foreach'] / base:>9.2f}{floor:>8.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--sizes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, CPU time, medians; ratios to torch's default")
    for size in options.sizes:
        print_size(size, options.rounds)


if __name__ == "__main__":
    main()
