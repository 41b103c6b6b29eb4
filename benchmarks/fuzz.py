"""Fuzz lrfind with mutants of the shipped configs, longer than the tests do.

    python -m benchmarks.fuzz --mutants 20000 --write

Every mutant goes through `lrfind validate`, those that are valid and small through `lrfind run`, on
tiny stand-ins of the examples' models and data. A mutant passes where the exit code is 0, 2 or 3,
no frame of lrfind and no internal error is shown, and nothing is written outside the output folder.
What fails is saved under `--keep`.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections import Counter
from pathlib import Path

from benchmarks.fuzzing.workshop import Verdict, workshop
from benchmarks.page import write_section


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=2000, help="of all configs together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the mutants that fail")
    parser.add_argument("--write", action="store_true", help="write the table into the docs")
    options = parser.parse_args()
    found: list[Verdict] = []
    keep = options.keep.resolve() if options.keep else None
    with workshop() as shop:
        names = list(shop.sources)
        for i in range(options.mutants):
            rng = random.Random(f"{options.seed}/{i}")
            data = shop.mutant(names[i % len(names)], rng)
            verdict = shop.judge(data, runs=True)
            found.append(verdict)
            if verdict.wrong:
                print(f"mutant {i}: {verdict.wrong}", file=sys.stderr)
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{i}.yaml").write_bytes(data)
    text = table(found, len(names), options.seed)
    print(text)
    if options.write:
        write_section("fuzz", text)
    return int(any(verdict.wrong for verdict in found))


def table(found: list[Verdict], configs: int, seed: int) -> str:
    """Write the figures of a run as Markdown."""
    codes = Counter(verdict.code for verdict in found)
    ran = sum(verdict.command == "run" for verdict in found)
    wrong = sum(bool(verdict.wrong) for verdict in found)
    times = [1e3 * verdict.seconds for verdict in found]
    return "\n".join(
        [
            "| mutants | configs | refused (2) | accepted (0) | no answer (3) | run to the end |"
            " broken promises | median ms | slowest s |",
            "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
            f"| {len(found)} | {configs} | {codes[2]} | {codes[0]} | {codes[3]} | {ran} | {wrong} |"
            f" {statistics.median(times):.1f} | {max(times) / 1e3:.1f} |",
            "",
            f"Seed {seed}.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
