"""`lrfind check`: does a pinned LR still fit? Stale, drifted, still good."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.options import Debug, MaxAge, Quiet, say, wants_color, width_of
from lrfind.cli.ranks import refuse_ranks
from lrfind.errors import ExitCode, InputError, LrfindError, Problem, UserCodeError
from lrfind.output_format import CheckFormat

if TYPE_CHECKING:
    from datetime import timedelta

    from lrfind.lock.check import Check, Rerun
    from lrfind.lock.lock import Lock


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

    Exit codes: 0 good, 1 drifted or stale, 2 wrong input, 3 inconclusive. Of several configs the
    worst decides: 2, then 1, then 3.

    Example: `lrfind check configs --no-run`
    """
    from lrfind.lock.age import parse_age
    from lrfind.lock.check import exit_code

    if verify and run is False:
        what = "trains, which --no-run rules out"
        raise InputError(Problem("--verify", what, "drop one of them"))
    refuse_ranks("check")
    limit = parse_age(max_age) if max_age is not None else None
    checks: list[Check] = []
    code = None
    try:
        for config in expanded(configs):
            checks.append(checked(config, run, verify, limit, ignore_versions, quiet=quiet))
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    show(checks, output_format)
    raise typer.Exit(exit_code(checks) if code is None else code)


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


def checked(
    config: Path,
    run: bool | None,
    verify: bool,
    max_age: timedelta | None,
    ignore_versions: bool,
    *,
    quiet: bool,
) -> Check:
    """Check one config; whatever is wrong with it becomes part of the answer."""
    from lrfind.lock.check import Check, State, judge
    from lrfind.lock.files import read_lock
    from lrfind.lock.staleness import changes_since

    try:
        lock = read_lock(config)
        changes = changes_since(lock, config, max_age=max_age, ignore_versions=ignore_versions)
        is_stale = any(change.is_stale for change in changes)
        if run is False or (is_stale and run is None):
            return judge(config, lock, changes)
        return judge(config, lock, changes, again(config, lock, verify=verify, quiet=quiet))
    except LrfindError as error:
        return Check(config, State.BAD_INPUT, error=error)


def again(config: Path, lock: Lock, *, verify: bool, quiet: bool) -> Rerun:
    """Run what was pinned again, its story on standard error."""
    from lrfind.config import load
    from lrfind.console import SweepProgress
    from lrfind.pinning import rerun

    loaded = load(config)
    if not quiet:
        say(f"{config}")
    with redirect_stdout(sys.stderr), SweepProgress(quiet=quiet) as progress:
        return rerun(loaded, lock, verify=verify, observers=[progress], trial_observers=[progress])


def show(checks: list[Check], output_format: CheckFormat) -> None:
    """Print the answers on standard output, and on standard error where user code failed."""
    out = sys.stdout
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
    for found in checks:
        if isinstance(found.error, UserCodeError):
            from lrfind.console import show_error

            sys.stderr.write(show_error(found.error))
