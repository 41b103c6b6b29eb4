"""`lrfind check`: does a pinned LR still fit? Stale, drifted, still good."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from lrfind.cli.guard import Guard
from lrfind.cli.options import Debug, MaxAge, Quiet, say, wants_color, width_of
from lrfind.cli.ranks import Ranks, met_alike, one_by_one
from lrfind.distributed import World, world_of
from lrfind.errors import ExitCode, InputError, LrfindError, Problem
from lrfind.output_format import CheckFormat

if TYPE_CHECKING:
    from datetime import timedelta

    from lrfind.lock.check import Check, Failure, Rerun
    from lrfind.lock.lock import Lock

    Again = Callable[[Path, Lock, "Question"], Rerun | Failure]


def check(
    configs: Annotated[
        list[Path],
        typer.Argument(metavar="CONFIG", help="Config files, or folders of pinned ones."),
    ],
    run: Annotated[
        bool | None,
        typer.Option(
            "--run/--no-run",
            help="Sweep again even where the pin is stale, or never; left out: where it is not.",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Train briefly at the pinned LR and at 3 × and 1/3.")
    ] = False,
    max_age: MaxAge = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", min=0.001, help="Give up a config whose sweeps take longer."
        ),
    ] = None,
    ignore_versions: Annotated[
        bool, typer.Option("--ignore-versions", help="Tell of other versions, no more.")
    ] = False,
    output_format: Annotated[
        CheckFormat,
        typer.Option(
            "--format",
            metavar="|".join(CheckFormat),
            help="What to print; github writes annotations, job summary and outputs.",
        ),
    ] = CheckFormat.TABLE,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Tell whether pinned LRs still fit.

    A pin is stale where its config, the user's source files, or lrfind's or torch's version
    changed: that is told at once. Else the sweeps are run again, and it has drifted where they come
    out further away than their tolerance.

    Every config is swept in a process of its own: where one crashes or hangs, the others go on.

    Exit codes: 0 good, 1 drifted or stale, 2 wrong input, 3 inconclusive, 124 given up after
    `--timeout`, 130 ended by Ctrl-C or SIGTERM (what was checked by then is told). Of several
    configs the worst decides: 2, then 124, then 1, then 3.

    Example: `lrfind check configs --no-run`
    """
    from lrfind.lock.age import parse_age

    world = world_of(os.environ)
    with met_alike(world):
        if verify and run is False:
            what = "trains, which --no-run rules out"
            raise InputError(Problem("--verify", what, "drop one of them"))
        age = parse_age(max_age) if max_age else None
        question = Question(run, verify, age, timeout, ignore_versions, quiet)
        found = expanded(configs)
        ranks = _ranks_for(found, question, world)

        out = sys.stdout

        def told(checks: list[Check]) -> None:
            if world.leads:
                show(checks, output_format, out)
                # Where a thread tells them because the main one stands in the user's code, whose
                # prints go elsewhere, the process ends without a look at this stream.
                out.flush()

        code = _answer(found, question, ranks, told)
    raise typer.Exit(code)


def _answer(
    configs: list[Path], asked: Question, ranks: Ranks, told: Callable[[list[Check]], None]
) -> ExitCode:
    """Ask, tell the answers, and choose the exit code."""
    from lrfind.lock.check import exit_code

    # A config that is swept in a process of its own has its own time.
    are_together = not ranks.world.is_alone and len(configs) == 1
    with Guard(asked.timeout_s if are_together else None) as guard:
        if ranks.world.is_alone:
            checks = ask(configs, asked, guard)
        else:
            from lrfind.cli.check_together import ask_together

            checks = ask_together(configs, asked, guard, ranks, told)
        if checks or guard.cause is None:
            told(checks)
        code = exit_code(checks) if len(checks) == len(configs) else ExitCode.INTERRUPTED
        return ranks.agreed(code, guard)


def _ranks_for(configs: list[Path], asked: Question, world: World) -> Ranks:
    """Give the processes that share the sweeps; one where there are none to share.

    Raises:
        InputError: several configs are to be swept, and the ranks would train each together.
        typer.Exit: this process has no part in it.
    """
    if world.is_alone or asked.run is False:
        # Without a sweep each process finds the same, and the first one tells it.
        return Ranks()
    from lrfind.config import load

    strategies = set()
    for path in configs:
        # What is wrong with a config is told in its turn.
        with suppress(LrfindError):
            strategies.add(load(path).spec.distributed.strategy)
    if strategies <= {"none"}:
        if not world.leads:
            raise typer.Exit
        return Ranks()
    if len(configs) > 1 and strategies != {"replicas"}:
        raise one_by_one("check", world)
    return Ranks(world)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each config.

    Attributes:
        run: sweep even where stale, or never; None: where it is not stale.
        verify: train at the pinned LR as well.
        max_age: age above which a pin is stale.
        timeout_s: time limit for the sweeps of a config.
        ignore_versions: tell of other versions, no more.
        quiet: show no progress.
    """

    run: bool | None
    verify: bool
    max_age: timedelta | None
    timeout_s: float | None
    ignore_versions: bool
    quiet: bool


def expanded(configs: list[Path]) -> list[Path]:
    """Put the pinned configs of a folder in its place.

    Raises:
        InputError: a folder holds no lock.
    """
    from lrfind.lock.files import SUFFIX, pinned_configs

    found: list[Path] = []
    for path in configs:
        inside = sorted(pinned_configs(path)) if path.is_dir() else [path]
        if not inside:
            remedy = f"pin a config in it: lrfind pin {path / 'CONFIG'}"
            raise InputError(Problem(str(path), f"holds no *{SUFFIX}", remedy))
        found += inside
    return list(dict.fromkeys(found))


def ask(
    configs: list[Path], question: Question, guard: Guard, again_by: Again | None = None
) -> list[Check]:
    """Check one config after the other; fewer, and said so, where told to end.

    Args:
        configs: their paths.
        question: what to find out.
        guard: asks it to end.
        again_by: runs what was pinned again; None: a process of its own a config.
    """
    checks: list[Check] = []
    try:
        for config in configs:
            checks.append(checked(config, question, again_by))
        guard.settle()
    except KeyboardInterrupt:
        guard.settle()
        end_sweeps()
        by = f"ended by {guard.cause.title}" if guard.cause else "ended"
        say(f"{by} with {len(checks)} of {len(configs)} configs checked")
    return checks


def checked(config: Path, asked: Question, again_by: Again | None = None) -> Check:
    """Check one config; whatever is wrong with it becomes part of the answer.

    Args:
        config: its path.
        asked: what to find out.
        again_by: runs what was pinned again; None: a process of its own does.
    """
    from lrfind.lock.check import Check, Failure, bug_of, failure_of, judge
    from lrfind.lock.files import read_lock
    from lrfind.lock.staleness import changes_since

    try:
        lock = read_lock(config)
        changes = changes_since(
            lock, config, max_age=asked.max_age, ignore_versions=asked.ignore_versions
        )
        is_stale = any(change.is_stale for change in changes)
        if asked.run is False or (is_stale and asked.run is None):
            return judge(config, lock, changes)
        again = (again_by or _again_apart)(config, lock, asked)
    except LrfindError as error:
        again = failure_of(error, config)
    except Exception as error:
        again = bug_of(error, config)
    if isinstance(again, Failure):
        return Check(config, again.state, failure=again)
    return judge(config, lock, changes, again)


def _again_apart(config: Path, lock: Lock, asked: Question) -> Rerun | Failure:
    from lrfind.cli.check_apart import Job, run_apart

    return run_apart(Job(config, lock, asked.verify, asked.timeout_s, asked.quiet))


def end_sweeps() -> None:
    """End what was being swept; nothing where nothing was."""
    if "lrfind.cli.apart" in sys.modules:
        from lrfind.cli.apart import end_all

        end_all()


def show(checks: list[Check], output_format: CheckFormat, out: TextIO) -> None:
    """Print the answers."""
    match output_format:
        case CheckFormat.TABLE:
            from lrfind.console.check_table import check_table

            out.write(check_table(checks, width=width_of(out), color=wants_color(out)))
        case CheckFormat.JSON:
            from lrfind.console.check_json import check_json

            out.write(check_json(checks))
        case CheckFormat.MARKDOWN:
            from lrfind.console.check_markdown import check_markdown

            out.write(check_markdown(checks))
        case CheckFormat.GITHUB:
            from lrfind.cli.github import tell_github

            tell_github(checks, out)
