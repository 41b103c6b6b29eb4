"""The benchmark's five commands, run from the repository's root.

    python -m benchmarks.suggestion oracle    train every pair on a grid of LRs (kept in oracle/)
    python -m benchmarks.suggestion sweeps    run lrfind's range tests (kept in .cache/)
    python -m benchmarks.suggestion live      ask lrfind with trials and with 3 seeds (in .cache/)
    python -m benchmarks.suggestion peers     ask the other finders (kept in peers/; extra `bench`)
    python -m benchmarks.suggestion report    print the table for the tasks that rules are fitted on

What is already there is not done again; delete a pair's file to repeat it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.suggestion.access import load_pairs
from benchmarks.suggestion.tasks import PAIRS, Pair, Part


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one command."""
    options = _parser().parse_args(arguments)
    if options.command == "report":
        _report(options)
        return
    import torch

    torch.set_num_threads(1)
    # Each command imports what it needs: the peers' packages are not lrfind's, nor the reverse.
    if options.command == "oracle":
        from benchmarks.suggestion.oracle import run
    elif options.command == "sweeps":
        from benchmarks.suggestion.sweeps import run
    elif options.command == "live":
        from benchmarks.suggestion.live import run
    else:
        from benchmarks.suggestion.peers import run
    run(options.pairs, _tell)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.suggestion",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ("oracle", "sweeps", "live", "peers"):
        command = commands.add_parser(name)
        command.add_argument("--pairs", nargs="+", choices=list(PAIRS), default=list(PAIRS))
    report = commands.add_parser("report")
    which = report.add_mutually_exclusive_group()
    which.add_argument("--held-out", action="store_true", help="the held-out tasks; look once")
    which.add_argument("--fresh", action="store_true", help="tasks added after that look")
    which.add_argument("--all", action="store_true", help="all tasks together")
    report.add_argument("--by-pair", nargs="+", metavar="SYSTEM", help="regret of every pair")
    report.add_argument("--plot", type=Path, metavar="FILE", help="draw the systems' regrets")
    report.add_argument(
        "--write", action="store_true", help="put fit and held-out figures into docs/benchmarks.md"
    )
    return parser


def _report(options: argparse.Namespace) -> None:
    from benchmarks.suggestion.report import draw, pair_table, table

    if options.write:
        _write()
        return
    pairs, title = _chosen(options)
    _tell(table(pairs, title))
    if options.by_pair:
        _tell("\n" + pair_table(pairs, options.by_pair))
    if options.plot:
        draw(pairs, title, options.plot)


def _write() -> None:
    from benchmarks.page import PAGE, write_section
    from benchmarks.suggestion.report import draw, published

    write_section("suggestion", published())
    draw(load_pairs(Part.FRESH), "Fresh tasks", PAGE.parent / "images" / "suggestion.png")


def _chosen(options: argparse.Namespace) -> tuple[list[Pair], str]:
    if options.all:
        return list(PAIRS.values()), "All tasks"
    part = Part.HELD_OUT if options.held_out else Part.FRESH if options.fresh else Part.FIT
    return load_pairs(part), f"{part.capitalize()} tasks"


def _tell(line: str) -> None:
    print(line, flush=True)
