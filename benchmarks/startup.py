"""Start to answer: what lrfind's commands cost from the shell, against what they cannot go below.

    python benchmarks/startup.py [--rounds 15] [--only run lrfind] [--write]

Every command is a process of its own. All of them run once a round, in turn, so that a busy
machine is busy for each; a ratio is taken within its round and its median and quartiles over the
rounds. CPU time is that of the process and of what it started, one thread. `--write` puts the
table into docs/benchmarks.md. Commands whose package is missing are left out (extra `bench`).
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
STARTS = ROOT / "benchmarks" / "starts"
BEGIN, END = "<!-- startup -->\n", "<!-- /startup -->"
QUICK, FULL = "a Typer app's `--help`", "`import torch`"


@dataclass(frozen=True)
class Contender:
    """A command to start.

    Attributes:
        name: its row.
        base: the row that its ratios are to.
        command: what follows `python`; `OUT` stands for a folder of its own, `PINNED` for a
            config with a lock beside it.
        goal: the largest ratio that it should have; None: nothing is asked of it.
        needs: a package without which it is left out.
    """

    name: str
    base: str
    command: tuple[str, ...]
    goal: float | None = None
    needs: str = "lrfind"


@dataclass(frozen=True)
class Start:
    """What one start took, in seconds."""

    cpu_s: float
    wall_s: float


LRFIND = ("-m", "lrfind")
DIGITS = ("configs/digits.yaml", "--set", "sweep.steps=100", "--out", "OUT")
VERSION = "`lrfind --version`"
CONTENDERS = (
    Contender(QUICK, QUICK, (str(STARTS / "typer_app.py"), "--help")),
    Contender(VERSION, QUICK, (*LRFIND, "--version")),
    Contender("`lrfind --help`", QUICK, (*LRFIND, "--help"), 1.2),
    Contender("`lrfind list`", QUICK, (*LRFIND, "list"), 1.2),
    Contender("`lrfind get`", VERSION, (*LRFIND, "get", "PINNED"), 1.3),
    Contender("`lrfind check --no-run`", VERSION, (*LRFIND, "check", "PINNED", "--no-run"), 1.3),
    Contender(FULL, FULL, ("-c", "import torch")),
    Contender("`lrfind run configs/digits.yaml`", FULL, (*LRFIND, "run", *DIGITS), 1.6),
    Contender("a bare script: torch.optim, pyplot", FULL, (str(STARTS / "bare.py"), "OUT")),
    Contender(
        "torch-lr-finder", FULL, (str(STARTS / "lr_finder.py"), "OUT"), needs="torch_lr_finder"
    ),
    Contender("Lightning", FULL, (str(STARTS / "trainer.py"), "OUT"), needs="lightning"),
)


def main() -> None:
    """Run every contender, print the table, and write it where that is asked for."""
    options = _parser().parse_args()
    chosen = [
        contender
        for contender in CONTENDERS
        if find_spec(contender.needs) is not None
        and (not options.only or any(part in contender.name for part in options.only))
    ]
    bases = {contender.base for contender in chosen}
    bases |= {contender.base for contender in CONTENDERS if contender.name in bases}
    chosen = [c for c in CONTENDERS if c in chosen or c.name in bases]
    starts = measure(chosen, options.rounds)
    text = f"{table(chosen, starts)}\n\n{stamp(options.rounds)}\n"
    print(text)
    if options.write:
        write(text)


def measure(contenders: Sequence[Contender], rounds: int) -> dict[str, list[Start]]:
    """Start every contender once a round; a first round, which fills caches, does not count."""
    starts: dict[str, list[Start]] = {contender.name: [] for contender in contenders}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pin(folder)
        for i in range(rounds + 1):
            for contender in contenders:
                start = run(contender, folder)
                if i:
                    starts[contender.name].append(start)
    return starts


def pin(folder: Path) -> None:
    """Copy the digits example into a folder and pin an LR for it."""
    for file in (Path("configs", "digits.yaml"), Path("examples", "digits.py")):
        folder.joinpath(file).parent.mkdir()
        shutil.copy(ROOT / file, folder / file)
    chosen = ("--lr", "1e-2", "--reason", "to have one")
    run(Contender("`lrfind pin`", VERSION, (*LRFIND, "pin", "PINNED", *chosen)), folder)


def run(contender: Contender, folder: Path) -> Start:
    """Start one contender and wait for its end.

    Raises:
        RuntimeError: it failed.
    """
    out = folder / "".join(filter(str.isalnum, contender.name))
    out.mkdir(exist_ok=True)
    paths = {"OUT": str(out), "PINNED": str(folder / "configs" / "digits.yaml")}
    command = [sys.executable, *(paths.get(part, part) for part in contender.command)]
    modules = os.pathsep.join([str(ROOT), str(ROOT / "examples")])
    env = {**os.environ, "PYTHONPATH": modules, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    with (out / "story.txt").open("w") as story:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=story, stderr=story)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{contender.name}: {(out / 'story.txt').read_text()}")
    return Start(usage.ru_utime + usage.ru_stime, wall_s)


def table(contenders: Sequence[Contender], starts: dict[str, list[Start]]) -> str:
    """Write the rows, each with its ratios to its base: median (quartiles)."""
    rows = [
        "| command | CPU s | × of | CPU ratio | wall ratio | goal |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for contender in contenders:
        own, base = starts[contender.name], starts[contender.base]
        seconds = statistics.median(start.cpu_s for start in own)
        goal = "" if contender.goal is None else f"≤ {contender.goal}"
        cpu = _ratio([a.cpu_s / b.cpu_s for a, b in zip(own, base, strict=True)])
        wall = _ratio([a.wall_s / b.wall_s for a, b in zip(own, base, strict=True)])
        if contender.name == contender.base:
            cpu = wall = "1"
        rows.append(
            f"| {contender.name} | {seconds:.2f} | {contender.base} | {cpu} | {wall} | {goal} |"
        )
    return "\n".join(rows)


def stamp(rounds: int) -> str:
    """Say what was measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "typer", "matplotlib"))
    return (
        f"Median (quartiles) of {rounds} rounds, one thread; {packages}, "
        f"Python {platform.python_version()}, {_processor()}, {os.cpu_count()} cores, "
        f"{datetime.now(UTC):%Y-%m-%d}."
    )


def write(text: str) -> None:
    """Replace what stands between the page's markers."""
    page = PAGE.read_text("utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RuntimeError(f"{PAGE} has no {BEGIN.strip()} … {END}")
    PAGE.write_text(before + begin + text + end + after, encoding="utf-8")


def _ratio(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f}"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f} … {high:.2f})"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="+", default=[], help="parts of names; their bases come")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    return parser


if __name__ == "__main__":
    main()
