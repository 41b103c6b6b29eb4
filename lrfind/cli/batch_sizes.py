"""`lrfind run --batch-sizes`: the main job at several batch sizes, and the law between them."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.cli.guard import Guard
from lrfind.cli.keeping import keep
from lrfind.cli.measuring import measure
from lrfind.cli.options import say, wants_color, width_of
from lrfind.cli.run import exit_code
from lrfind.errors import ExitCode, InputError, LrfindError, OutputError, Problem
from lrfind.output_format import Format

if TYPE_CHECKING:
    from lrfind.batch_law import BatchLaw, BatchPoint
    from lrfind.config import Config
    from lrfind.report import Report

LAW_FILE, PICTURE_FILE = "batch-sizes.json", "batch-sizes.png"

_SIZE = re.compile(r"0*[1-9][0-9]{0,14}")
_EXAMPLE = "for instance --batch-sizes 32,64,128,256"


def run_batch_sizes(
    config: Config,
    text: str,
    folder: Path,
    output_format: Format,
    guard: Guard,
    *,
    quiet: bool,
    html: bool = False,
) -> ExitCode:
    """Sweep a config once a batch size, print and save the law, and choose the exit code.

    Ctrl-C keeps what is done.

    Args:
        config: swept with `data.batch_size` replaced.
        text: the sizes as the user wrote them, `32,64`.
        folder: gets a folder a size, and the law's two files.
        output_format: any but `lr`.
        guard: asks the run to end.
        quiet: show no progress.
        html: write a page for each size.

    Raises:
        InputError: the sizes or the format do not fit, or a sweep raised it.
    """
    from lrfind.atomic import claim_folder
    from lrfind.batch_law import MIN_ANSWERS, divides_by_gradient, fit_law
    from lrfind.experiment import check_batch_size

    sizes = parse_sizes(text)
    if output_format is Format.LR:
        what = f"prints one number, but {len(sizes)} batch sizes have as many answers"
        remedy = "print --format json, or leave --batch-sizes out"
        raise InputError(Problem("--format lr", what, remedy))
    claim_folder(folder, (LAW_FILE, PICTURE_FILE))
    # The largest first: whatever does not fit a batch size does not fit this one.
    with redirect_stdout(sys.stderr):
        optimizer = check_batch_size(config.with_batch_size(sizes[-1]), "--batch-sizes")
    for stale in (LAW_FILE, PICTURE_FILE):
        # A law must not stand beside sweeps that it was not fitted to.
        (folder / stale).unlink(missing_ok=True)
    points, was_cut, is_whole = sweep_sizes(config, sizes, folder, guard, quiet=quiet, html=html)
    law = fit_law(
        points,
        is_adam_style=divides_by_gradient(optimizer),
        title=f"{config.path.stem}: {optimizer[0]}, lr against batch size",
    )
    if points:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files = save_law(law, folder)
        except (OutputError, OSError) as error:
            say(f"error: {error}")
            files, is_whole = [], False
        show_law(law, files, output_format, quiet=quiet)
    if was_cut:
        return ExitCode.INTERRUPTED
    if len(law.answers) < MIN_ANSWERS:
        return ExitCode.NO_SUGGESTION
    return ExitCode.OK if is_whole else ExitCode.NOT_WRITTEN


def parse_sizes(text: str) -> list[int]:
    """Read `32,64,128`, smallest first.

    Raises:
        InputError: a part is no whole number ≥ 1, there are fewer than two, or one stands twice.
    """
    parts = [part.strip() for part in text.split(",")]
    where = f"--batch-sizes {text}"
    wrong = [part for part in parts if not _SIZE.fullmatch(part)]
    if wrong:
        listed = ", ".join(map(repr, wrong))
        what = f"{listed} must be whole numbers from 1 to 1e15, with commas between them"
        raise InputError(Problem(where, what, _EXAMPLE))
    sizes = sorted(map(int, parts))
    twice = sorted({size for size in sizes if sizes.count(size) > 1})
    if twice:
        what = f"names {', '.join(map(str, twice))} more than once"
        raise InputError(Problem(where, what, "name each size once; sweep.seeds repeats a sweep"))
    if len(sizes) < 2:
        raise InputError(Problem(where, "one size has no slope; name at least two", _EXAMPLE))
    return sizes


def sweep_sizes(
    config: Config,
    sizes: Sequence[int],
    folder: Path,
    guard: Guard,
    *,
    quiet: bool,
    html: bool = False,
) -> tuple[list[BatchPoint], bool, bool]:
    """Sweep each size into its own folder.

    Returns:
        What is done, whether the run was told to end, and whether all files are in their place.
    """
    points: list[BatchPoint] = []
    is_whole = True
    try:
        for size in sizes:
            guard.resume()
            if not quiet:
                say(f"batch size {size}")
            inner = folder / f"batch-{size}"
            rescue = functools.partial(_rescue, folder=inner)
            sized = config.with_batch_size(size)
            report = measure(sized, inner, quiet=quiet, guard=guard, rescue=rescue, html=html)
            with_picture = guard.cause is None
            _, is_kept = keep(report, inner, with_picture=with_picture, with_page=html)
            is_whole = is_kept and is_whole
            if exit_code(report) is ExitCode.INTERRUPTED:
                return points, True, is_whole
            points.append(point_of(size, report))
    except KeyboardInterrupt:
        guard.settle()
        return points, True, is_whole
    except LrfindError:
        if points:
            say(f"the sizes up to {points[-1].batch_size} are in {folder}")
        raise
    return points, guard.cause is not None, is_whole


def _rescue(report: Report, folder: Path) -> None:
    """Save a size that was cut short; a law needs more than there is time for."""
    files, _ = keep(report, folder, with_picture=False)
    if files:
        say(f"what was measured at this size is in {files[0].parent}")


def point_of(size: int, report: Report) -> BatchPoint:
    """Take what the law needs of a report."""
    from lrfind.batch_law import BatchPoint

    answer = report.no_answer
    why = "" if answer is None else f"{answer.verdict}: {answer}"
    return BatchPoint(size, report.suggestion, why)


def save_law(law: BatchLaw, folder: Path) -> list[Path]:
    """Write a law's two files and name them."""
    from lrfind.atomic import write_atomically
    from lrfind.batch_law import to_json
    from lrfind.plot.batch_sizes import save_batch_law

    whole, picture = folder / LAW_FILE, folder / PICTURE_FILE
    write_atomically(whole, to_json(law).encode())
    save_batch_law(law, picture)
    return [whole, picture]


def show_law(law: BatchLaw, files: list[Path], output_format: Format, *, quiet: bool) -> None:
    """Print the law on standard output, and on standard error what JSON readers may miss."""
    from lrfind.batch_law import to_json
    from lrfind.console.batch_table import batch_markdown, batch_table

    out = sys.stdout
    if output_format is Format.JSON:
        out.write(to_json(law))
        for note in () if quiet else law.notes:
            say(f"note: {note}")
    elif output_format is Format.MARKDOWN:
        out.write(batch_markdown(law, files))
    else:
        out.write(batch_table(law, width=width_of(out), color=wants_color(out), files=files))
