"""`lrfind suggest`: read saved curves again, without training and without torch."""

from __future__ import annotations

from lrfind.cli.options import CurveFiles, Debug, Method, OutputFormat, ScheduleName
from lrfind.errors import ExitCode
from lrfind.output_format import Format
from lrfind.plain_text import plain, without_commands


def suggest(
    files: CurveFiles,
    method: Method = None,
    schedule: ScheduleName = None,
    output_format: OutputFormat = Format.TABLE,
    debug: Debug = False,
) -> None:
    """Suggest an LR from saved curves, by any rule, one answer a file.

    Example: `lrfind suggest runs/digits/curve.csv --method steepest`
    """
    import typer

    from lrfind.cli.run import show
    from lrfind.saved import reread

    reports = [reread(file, method, schedule) for file in files]
    for file, report in zip(files, reports, strict=True):
        if len(files) > 1 and output_format is Format.TABLE:
            print(without_commands(plain(str(file))))
        show(report, output_format, [])
    has_all = all(report.suggestion is not None for report in reports)
    raise typer.Exit(ExitCode.OK if has_all else ExitCode.NO_SUGGESTION)
