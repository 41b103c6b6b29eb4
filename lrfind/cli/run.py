"""`lrfind run`: the main job."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lrfind.cli.options import (
    BatchSizes,
    Budget,
    ConfigFile,
    Debug,
    KeepRange,
    Method,
    OutputFolder,
    OutputFormat,
    Overrides,
    Quiet,
    Refine,
    can_draw,
    say,
    wants_color,
    width_of,
)
from lrfind.errors import ExitCode, LrfindError
from lrfind.output_format import Format

if TYPE_CHECKING:
    from lrfind.config import Config
    from lrfind.report import Report


def run(
    config: ConfigFile,
    override: Overrides = None,
    out: OutputFolder = None,
    method: Method = None,
    no_auto_range: KeepRange = False,
    refine: Refine = False,
    budget: Budget = None,
    batch_sizes: BatchSizes = None,
    output_format: OutputFormat = Format.TABLE,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Sweep the LR of a config's model, suggest one, and save curve, plot and report.

    Writes `curve.csv`, `curve.png` and `report.json`. Exit codes: 0 a suggestion, 2 wrong input,
    3 no honest suggestion (the files are still written), 130 interrupted.

    With `--batch-sizes 32,64,128,256` these go to a folder a size, and `batch-sizes.json` and
    `batch-sizes.png` tell how the LR depends on the batch size; 3 where fewer than two sizes gave
    a suggestion.

    In a script: `LR=$(lrfind run configs/digits.yaml --format lr)`

    Example: `lrfind run configs/digits.yaml --set sweep.steps=400`
    """
    from lrfind.config import load

    loaded = load(config, (override or []) + ["sweep.auto_range=false"] * no_auto_range)
    if method is not None:
        loaded = loaded.with_method(method)
    if refine or budget is not None:
        loaded = loaded.with_refinement(budget)
    folder = out or loaded.output_folder
    if batch_sizes is not None:
        from lrfind.cli.batch_sizes import run_batch_sizes

        code = run_batch_sizes(loaded, batch_sizes, folder, output_format, quiet=quiet)
        raise typer.Exit(code)
    report = measure(loaded, folder, quiet=quiet)
    files = save(report, folder)
    can_refine = report.suggestion is not None and not loaded.spec.refine.enabled
    following = f"run {config} --refine" if can_refine else f"plot {files[0]}"
    show(report, output_format, files, next_command=f"lrfind {following}", quiet=quiet)
    raise typer.Exit(exit_code(report))


def measure(config: Config, folder: Path, *, quiet: bool) -> Report:
    """Run a config, its curve kept on disk and its story on standard error."""
    from lrfind.atomic import claim_folder
    from lrfind.console import SweepProgress
    from lrfind.experiment import run_config
    from lrfind.export import OUTPUT_FILES, CurveRecorder

    claim_folder(folder, OUTPUT_FILES)
    recorder = CurveRecorder(folder)
    try:
        # Standard output is the answer's; what the user's code prints is part of the story.
        with redirect_stdout(sys.stderr), SweepProgress(quiet=quiet) as progress:
            return run_config(config, [recorder, progress], [progress])
    except LrfindError:
        if recorder.has_written:
            say(f"what was measured so far is in {recorder.path}")
        raise


def save(report: Report, folder: Path) -> list[Path]:
    """Write a report's three files and name them."""
    from lrfind.export import CURVE_FILE, PLOT_FILE, REPORT_FILE, write_curves, write_report
    from lrfind.plot import save_plot

    curve, picture, whole = (folder / name for name in (CURVE_FILE, PLOT_FILE, REPORT_FILE))
    write_curves(report.curves, curve)
    write_report(report, whole)
    save_plot(report, picture)
    return [curve, picture, whole]


def show(
    report: Report,
    output_format: Format,
    files: list[Path],
    *,
    next_command: str = "",
    quiet: bool = False,
) -> None:
    """Print the answer on standard output, and on standard error what it leaves out."""
    from lrfind.console import render, terminal_plot

    out = sys.stdout
    width, color = width_of(out), wants_color(out)
    if output_format is Format.TABLE and out.isatty():
        print(terminal_plot(report, width=width, unicode=can_draw(out)))
    text = render(
        report, output_format, width=width, color=color, files=files, next_command=next_command
    )
    out.write(text)
    if output_format is not Format.TABLE and not quiet:
        for note in report.notes:
            say(f"note: {note}")
    if report.no_answer is not None and output_format is not Format.TABLE:
        say(f"no suggestion ({report.no_answer.verdict}): {report.no_answer}")


def exit_code(report: Report) -> ExitCode:
    """Choose what the process tells its caller."""
    from lrfind.curve import StopReason

    is_cut = any(note.code == "refine-interrupted" for note in report.notes)
    if is_cut or any(curve.stop is StopReason.INTERRUPTED for curve in report.curves):
        return ExitCode.INTERRUPTED
    return ExitCode.OK if report.suggestion is not None else ExitCode.NO_SUGGESTION
