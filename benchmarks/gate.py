"""False alarms and catches of `lrfind check` on the shipped configs.

    python -m benchmarks.gate [--reruns 20] [--seeds 25] [--changed-seeds 5] [--configs digits ...]

For each config: `lrfind pin` in a copy of the project, then `lrfind check` again and again, each in
a process of its own, which must not alarm. Then the first five seeds make a pin, and every further
five a check whose seeds have nothing to do with it, which is the most that another machine could
change. Then real changes (batch size × 8, SGD ↔ AdamW, inputs × 100) are swept with the pin's own
seeds, and judged by what the sweeps say alone: that the files changed, a check would have told
without a run. `*` marks an alarm. Zero of any of the three leaves it out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.shipped import runnable
from lrfind.config import load
from lrfind.lock.tolerance import USUAL_NOISE_DECADES, tolerance_decades
from lrfind.pinning.seeds import answers_by_seed, noise_by_seed, whole_report
from lrfind.spec import Spec

ROOT = Path(__file__).parents[1]
PINNED = 5
"""Seeds of a pin, and of a check."""

SCALED = """
from pathlib import Path
from torch.utils.data import Dataset
from lrfind.registry import import_file

class Scaled(Dataset):
    def __init__(self, inner): self.inner = inner
    def __len__(self): return len(self.inner)
    def __getitem__(self, index):
        first, *others = self.inner[index]
        return (first * 100, *others)

def scaled(path, name, args=None):
    source = getattr(import_file(Path(path)), name)(**(args or {}))
    return (source[0] * 100, *source[1:]) if isinstance(source, tuple) else Scaled(source)
"""
UNSCALABLE = {"text", "own_loader"}
"""Configs whose inputs are characters."""


@dataclass(frozen=True)
class Seen:
    """What the sweep of one seed says: its LR, None without an answer, and its noise."""

    lr: float | None
    noise: float


@dataclass(frozen=True)
class Gate:
    """A pin: medians in decades, and how far a check may lie from them."""

    lr: float
    noise: float
    lr_tolerance: float
    noise_tolerance: float

    def distances(self, seen: Sequence[Seen]) -> tuple[float, float]:
        lr, noise = medians(seen)
        return lr - self.lr, noise - self.noise

    def alarms(self, seen: Sequence[Seen]) -> bool:
        lr, noise = self.distances(seen)
        return not (abs(lr) <= self.lr_tolerance and abs(noise) <= self.noise_tolerance)


def medians(seen: Sequence[Seen]) -> tuple[float, float]:
    lrs = [math.log10(one.lr) for one in seen if one.lr is not None]
    return median(lrs or [math.nan]), median(math.log10(one.noise) for one in seen)


def gate_of(seen: Sequence[Seen]) -> Gate:
    lr, noise = medians(seen)
    return Gate(
        lr,
        noise,
        tolerance_decades([one.lr for one in seen if one.lr is not None]),
        tolerance_decades([one.noise for one in seen], USUAL_NOISE_DECADES),
    )


def sweep(name: str, overrides: Sequence[str], seed: int) -> Seen:
    path = ROOT / "configs" / f"{name}.yaml"
    config = load(path, [*overrides, f"seed={seed}", "sweep.seeds=1"])
    with contextlib.redirect_stdout(sys.stderr):
        report = whole_report(config, (), ())
    return Seen(answers_by_seed(report, config)[seed], noise_by_seed(report)[seed])


def changes(name: str, spec: Spec, scaled: Path) -> Iterator[tuple[str, list[str]]]:
    """Name the changes that a config can take, with their overrides."""
    if spec.data.batch_size is not None:
        yield "batch × 8", [f"data.batch_size={8 * spec.data.batch_size}"]
    other = "adamw" if spec.optimizer.name == "sgd" else "sgd"
    yield f"{spec.optimizer.name} → {other}", [f"optimizer={other}"]
    if name in UNSCALABLE:
        return
    overrides = _scaled("data", spec.data.target, spec.data.args, scaled)
    if (held_out := spec.sweep.validation) is not None:
        overrides += _scaled("sweep.validation", held_out.target, held_out.args, scaled)
    yield "inputs × 100", overrides


def _scaled(key: str, target: str, args: object, scaled: Path) -> list[str]:
    file, _, attr = target.rpartition(":")
    values = {"path": str((ROOT / "configs" / file).resolve()), "name": attr, "args": args}
    return [f"{key}.target={scaled}:scaled", f"{key}.args={json.dumps(values)}"]


def reruns(name: str, count: int, folder: Path) -> tuple[int, float, float]:
    """Pin a config and check it again and again as CI does.

    Returns:
        Checks that did not exit with 0, and the largest distances of LR and noise in decades.
    """
    for part in ("configs", "examples"):
        shutil.copytree(ROOT / part, folder / part, dirs_exist_ok=True)
    (folder / "pyproject.toml").touch()
    alarms, moved = 0, [0.0, 0.0]
    lrfind(folder, "pin", f"configs/{name}.yaml", "-q")
    for _ in range(count):
        done = lrfind(folder, "check", f"configs/{name}.yaml", "-q", "--format", "json")
        check = json.loads(done.stdout)["checks"][0]
        alarms += done.returncode != 0
        for i, key in enumerate(("decades", "noise_decades")):
            moved[i] = max(moved[i], abs(math.inf if check[key] is None else check[key]))
    return alarms, moved[0], moved[1]


def lrfind(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lrfind", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )


def row(name: str, seeds: int, changed_seeds: int, scaled: Path) -> tuple[str, int, int]:
    """Measure a config: its row, the false alarms and the checks made."""
    seen = [sweep(name, [], seed) for seed in range(seeds)]
    gate = gate_of(seen[:PINNED])
    checks = [seen[i : i + PINNED] for i in range(PINNED, seeds - PINNED + 1, PINNED)]
    alarms = sum(map(gate.alarms, checks))
    told = []
    spec = load(ROOT / "configs" / f"{name}.yaml").spec
    for what, overrides in changes(name, spec, scaled) if changed_seeds else ():
        found = [sweep(name, overrides, seed) for seed in range(changed_seeds)]
        lr, noise = gate.distances(found)
        told.append(f"{what}: {lr:+.2f} / {noise:+.2f}{' *' if gate.alarms(found) else ''}")
    limits = f"{gate.lr_tolerance:.2f} / {gate.noise_tolerance:.2f}"
    text = f"| {name} | {limits} | {alarms} of {len(checks)} | {' · '.join(told)} |"
    return text, alarms, len(checks)


def main() -> None:
    names = [path.stem for path in runnable()]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--reruns", type=int, default=20, help="with the seeds of the pin")
    parser.add_argument("--seeds", type=int, default=25, help="of the unchanged config")
    parser.add_argument("--changed-seeds", type=int, default=PINNED, help="of each change")
    parser.add_argument("--configs", nargs="+", choices=names, default=names, metavar="NAME")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.configs if options.reruns else ():
            alarms, lr, noise = reruns(name, options.reruns, Path(folder))
            told = f"{alarms} false alarms in {options.reruns} re-runs"
            print(f"{name}: {told}, at most {lr:.2f} / {noise:.2f} decades away", flush=True)
        scaled = Path(folder, "scaled_inputs.py")
        scaled.write_text(SCALED)
        if options.seeds:
            judge(options, scaled)


def judge(options: argparse.Namespace, scaled: Path) -> None:
    """Print the rows of other seeds and of real changes."""
    print("| config | tolerance, LR / noise | false alarms, other seeds | changes, LR / noise |")
    print("|---|---|---|---|", flush=True)
    alarms = checks = 0
    for name in options.configs:
        text, more, count = row(name, options.seeds, options.changed_seeds, scaled)
        print(text, flush=True)
        alarms, checks = alarms + more, checks + count
    print(f"\n{alarms} false alarms in {checks} checks")


if __name__ == "__main__":
    main()
