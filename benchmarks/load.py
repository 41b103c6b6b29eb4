"""Time and memory of reading, suggesting and drawing long curves.

    python -m benchmarks.load --write

Each cell is a process of its own: `lrfind suggest` and `lrfind plot` on a `curve.csv` and a
`report.json` with that many points. Time is processor time of the process, memory its peak, both
with Python and the libraries; the column *per point* is the slope between the two longest curves.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.page import write_section
from lrfind.curve import Curve
from lrfind.export import write_curves, write_report
from lrfind.report import make_report

POINTS = (10_000, 100_000, 1_000_000)
COMMANDS = {
    "suggest curve.csv": ("suggest", "curve.csv"),
    "suggest report.json": ("suggest", "report.json"),
    "plot curve.csv (PNG)": ("plot", "curve.csv", "-o", "out.png"),
    "plot report.json (SVG)": ("plot", "report.json", "-o", "out.svg"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=POINTS)
    parser.add_argument("--write", action="store_true", help="write the table into the docs")
    options = parser.parse_args()
    cells: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for points in options.points:
        with tempfile.TemporaryDirectory() as folder:
            save(points, Path(folder))
            for name, command in COMMANDS.items():
                cells[name].append(cost(command, Path(folder)))
                seconds, peak = cells[name][-1]
                print(f"{points:>9} {name:<24} {seconds:6.1f} s {peak:6.0f} MiB", flush=True)
    if options.write:
        write_section("load", table(options.points, cells))


def save(points: int, folder: Path) -> None:
    """Save a sweep that falls and rises, with noise."""
    lr = np.geomspace(1e-7, 10, points)
    x = np.log10(lr)
    loss = 2.3 - 1.7 / (1 + np.exp(-3.5 * (x + 2.6))) + np.exp(5 * (x - 0.3))
    curve = Curve(lr, loss + 0.1 * np.random.default_rng(0).standard_normal(points))
    write_curves([curve], folder / "curve.csv")
    write_report(make_report([curve], "auto"), folder / "report.json")


def cost(command: tuple[str, ...], folder: Path) -> tuple[float, float]:
    """Run a command; return its processor time in s and its peak memory in MiB."""
    code = "import sys; from lrfind.cli import main; sys.argv[0] = 'lrfind'; main()"
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execv(sys.executable, [sys.executable, "-c", code, *command])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"lrfind {' '.join(command)} ended with status {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def table(points: list[int], cells: dict[str, list[tuple[float, float]]]) -> str:
    """Write the figures as Markdown."""
    heads = " | ".join(f"{count:,} points" for count in points)
    rows = [f"| | {heads} | per point |", "|---|" + "---:|" * (len(points) + 1)]
    for name, found in cells.items():
        texts = [f"{seconds:.1f} s, {peak:.0f} MiB" for seconds, peak in found]
        (s0, m0), (s1, m1) = found[-2:]
        apart = points[-1] - points[-2]
        slope = f"{1e6 * (s1 - s0) / apart:.1f} µs, {2**20 * (m1 - m0) / apart:.0f} B"
        rows.append(f"| `{name}` | {' | '.join(texts)} | {slope} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
