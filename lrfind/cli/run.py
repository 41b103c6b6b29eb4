"""`lrfind run`: the main job."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from lrfind.cli.guard import Guard
from lrfind.cli.loading import Changes
from lrfind.cli.measuring import measure
from lrfind.cli.options import (
    BatchSizes,
    Budget,
    ConfigFiles,
    Debug,
    Deterministic,
    Html,
    KeepRange,
    LowMemory,
    Method,
    OutputFolder,
    OutputFormat,
    Overrides,
    Quiet,
    Refine,
    Timeout,
    Trackers,
    say,
    wants_color,
    width_of,
)
from lrfind.cli.preload import preload
from lrfind.cli.ranks import Ranks, met_alike, ranks_for
from lrfind.cli.tracking import open_trackers, refuse_trackers
from lrfind.distributed import world_of
from lrfind.errors import ExitCode, InputError, Problem
from lrfind.output_format import Format

if TYPE_CHECKING:
    from lrfind.cli.run_many import Wish
    from lrfind.config import Config
    from lrfind.distributed.group import Group
    from lrfind.report import Report


def run(
    configs: ConfigFiles,
    override: Overrides = None,
    out: OutputFolder = None,
    method: Method = None,
    no_auto_range: KeepRange = False,
    refine: Refine = False,
    budget: Budget = None,
    batch_sizes: BatchSizes = None,
    log: Trackers = None,
    timeout: Timeout = None,
    deterministic: Deterministic = False,
    low_memory: LowMemory = False,
    html: Html = False,
    output_format: OutputFormat = Format.TABLE,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Sweep the LR of a config's model, suggest one, and save curve, plot and report.

    Writes `curve.csv`, `curve.png` and `report.json`; with `--html` also `report.html`. Exit
    codes: 0 a suggestion, 2 wrong input, 3 no honest suggestion (the files are still written), 74
    the files could not be written, 124 ended by `--timeout`, 130 by Ctrl-C or SIGTERM (what was
    measured is saved and read).

    With `--batch-sizes 32,64,128,256` these go to a folder a size, and `batch-sizes.json` and
    `batch-sizes.png` tell how the LR depends on the batch size; 3 where fewer than two sizes gave
    a suggestion.

    `--log` tells trackers of the run once its files are written; a place that is wrong is told
    before the sweep, and what fails after it exits with 74.

    With several configs each is run in a process of its own, with a folder of its own, and a table
    of all is printed. What is wrong with one does not stop the others; the worst exit code counts:
    130, then 2, then 124, then 3.

    In a script: `LR=$(lrfind run configs/digits.yaml --format lr)`

    Example: `lrfind run configs/digits.yaml --set sweep.steps=400`
    """
    preload("lrfind.config")

    given = ["sweep.auto_range=false"] * no_auto_range
    given += ["sweep.deterministic=true"] * deterministic
    given += ["sweep.low_memory=true"] * low_memory
    changes = Changes((*(override or []), *given), method, refine, budget)
    with met_alike(world_of(os.environ)):
        _check_options(configs, batch_sizes, html=html, log=log)
        if len(configs) > 1:
            from lrfind.cli.run_many import Wish

            wish = Wish(changes, out, timeout, quiet, html)
            raise typer.Exit(_run_several(configs, wish, output_format))
    with Guard(timeout) as guard:
        with met_alike(world_of(os.environ)):
            loaded = changes.load(configs[0])
        ranks = ranks_for(loaded.spec)
        folder = out or loaded.output_folder
        try:
            if batch_sizes is not None:
                from lrfind.cli.batch_sizes import run_batch_sizes

                asked = (loaded, batch_sizes, folder, output_format, guard, ranks)
                code = run_batch_sizes(*asked, quiet=quiet, html=html)
            elif ranks.world.leads:
                code = _run_once(
                    loaded, folder, output_format, guard, ranks, quiet=quiet, html=html, log=log
                )
            else:
                code = ranks.follow(lambda group: _follow(loaded, group), guard)
        except KeyboardInterrupt:
            say("ended before anything was measured")
            code = ExitCode.INTERRUPTED
        code = ranks.agreed(code, guard)
    raise typer.Exit(code if guard.cause is None else guard.cause.code)


def _check_options(
    configs: list[Path], batch_sizes: str | None, *, html: bool, log: list[str] | None
) -> None:
    """Refuse options that do not go together, or whose library is missing."""
    if batch_sizes is not None:
        refuse_trackers(log)
    if len(configs) > 1:
        options = {"--batch-sizes": batch_sizes, "--log": log}
        for option in (name for name, given in options.items() if given):
            what = f"goes with one config, but {len(configs)} were given"
            raise InputError(Problem(option, what, "run one config at a time"))
    if html:
        from lrfind.html.libraries import require_libraries

        require_libraries()


def _run_several(configs: list[Path], wish: Wish, output_format: Format) -> ExitCode:
    from lrfind.cli.run_many import run_many

    ranks = Ranks(world_of(os.environ))
    with Guard() as guard:
        return ranks.agreed(run_many(configs, wish, output_format, guard, ranks), guard)


def _follow(config: Config, group: Group | None) -> None:
    from lrfind.experiment import run_config

    run_config(config, group=group)


def _run_once(
    config: Config,
    folder: Path,
    output_format: Format,
    guard: Guard,
    ranks: Ranks,
    *,
    quiet: bool,
    html: bool,
    log: list[str] | None,
) -> ExitCode:
    """Sweep once, save, show and log; where the end is near, the answer comes first of all."""
    from lrfind.cli.keeping import draw, keep

    out = sys.stdout
    trackers = open_trackers(log or ())

    def finish(report: Report) -> ExitCode:
        is_ending = guard.cause is not None
        files, is_whole = keep(report, folder, with_picture=not is_ending, with_page=html)
        following = f"plot {files[0]}" if files else ""
        if report.suggestion is not None and not config.spec.refine.enabled and not is_ending:
            following = f"run {config.path} --refine"
        command = f"lrfind {following}" if following else ""
        show(report, output_format, files, out, next_command=command, quiet=quiet)
        out.flush()
        if is_ending and is_whole:
            draw(report, folder, with_page=html)
        is_whole &= trackers.tell(report, files, config.path.stem, guard, quiet=quiet)
        code = exit_code(report)
        return ExitCode.NOT_WRITTEN if code is ExitCode.OK and not is_whole else code

    return finish(
        measure(config, folder, quiet=quiet, guard=guard, rescue=finish, ranks=ranks, html=html)
    )


def show(
    report: Report,
    output_format: Format,
    files: list[Path],
    out: TextIO | None = None,
    *,
    next_command: str = "",
    quiet: bool = False,
) -> None:
    """Print the answer on standard output, and on standard error what it leaves out."""
    from lrfind.console import render
    from lrfind.console.terminal import can_draw

    # The package's own attribute of that name may be the module.
    from lrfind.console.terminal_plot import terminal_plot

    out = out or sys.stdout
    width, color = width_of(out), wants_color(out)
    if output_format is Format.TABLE and out.isatty():
        print(terminal_plot(report, width=width, unicode=can_draw(out)), file=out)
    text = render(
        report, output_format, width=width, color=color, files=files, next_command=next_command
    )
    out.write(text)
    if (
        output_format is Format.LR
        and report.suggestion
        and report.suggestion.schedule
        and not quiet
    ):
        say(f"lr for {report.suggestion.schedule}")
    if output_format is not Format.TABLE and not quiet:
        for note in report.notes:
            say(f"note: {note}")
    if report.no_answer is not None and output_format is not Format.TABLE:
        say(f"no suggestion ({report.no_answer.verdict}): {report.no_answer}")


def exit_code(report: Report) -> ExitCode:
    """Choose what the process tells its caller."""
    from lrfind.curve import StopReason

    is_cut = any(note.code in ("refine-interrupted", "interrupted") for note in report.notes)
    if is_cut or any(curve.stop is StopReason.INTERRUPTED for curve in report.curves):
        return ExitCode.INTERRUPTED
    return ExitCode.OK if report.suggestion is not None else ExitCode.NO_SUGGESTION
