"""`lrfind run --batch-sizes`: the main job at several batch sizes, and the law between them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.atomic import claim_folder
from lrfind.cli.guard import Guard
from lrfind.cli.options import say, wants_color, width_of
from lrfind.cli.ranks import Ranks, met_alike
from lrfind.cli.size_sweeps import (
    LAW_FILE,
    PICTURE_FILE,
    Swept,
    follow_sizes,
    sweep_apart,
    sweep_sizes,
)
from lrfind.errors import ExitCode, InputError, OutputError, Problem
from lrfind.output_format import Format

if TYPE_CHECKING:
    from lrfind.batch_law import BatchLaw
    from lrfind.config import Config

_SIZE = re.compile(r"0*[1-9][0-9]{0,14}")
_EXAMPLE = "for instance --batch-sizes 32,64,128,256"


def run_batch_sizes(
    config: Config,
    text: str,
    folder: Path,
    output_format: Format,
    guard: Guard,
    ranks: Ranks,
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
        ranks: the processes that sweep each size together, or some of the sizes each.
        quiet: show no progress.
        html: write a page for each size.

    Raises:
        InputError: the sizes or the format do not fit, or a sweep raised it.
        PeerError: another rank failed.
    """
    with met_alike(ranks.world):
        sizes = parse_sizes(text)
        if output_format is Format.LR:
            what = f"prints one number, but {len(sizes)} batch sizes have as many answers"
            remedy = "print --format json, or leave --batch-sizes out"
            raise InputError(Problem("--format lr", what, remedy))
    is_spread = not ranks.world.is_alone and config.spec.distributed.strategy == "replicas"
    if not ranks.world.leads:
        return ranks.follow(
            lambda group: (
                sweep_apart(config, sizes, folder, guard, ranks, quiet=True, html=html)
                if is_spread
                else follow_sizes(config, sizes, group)
            ),
            guard,
        )
    claim_folder(folder, (LAW_FILE, PICTURE_FILE))
    if is_spread:
        found = ranks.lead(
            lambda: sweep_apart(config, sizes, folder, guard, ranks, quiet=quiet, html=html), guard
        )
    else:
        found = sweep_sizes(config, sizes, folder, guard, ranks, quiet=quiet, html=html)
    return _conclude(config, found, folder, output_format, quiet=quiet)


def _conclude(
    config: Config, found: Swept, folder: Path, output_format: Format, *, quiet: bool
) -> ExitCode:
    """Fit, save and show the law."""
    from lrfind.batch_law import MIN_ANSWERS, divides_by_gradient, fit_law

    is_whole = found.is_whole
    law = fit_law(
        found.points,
        is_adam_style=divides_by_gradient(found.optimizer),
        title=f"{config.path.stem}: {found.optimizer[0]}, lr against batch size{found.of_whom}",
    )
    if found.points:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files = save_law(law, folder)
        except (OutputError, OSError) as error:
            say(f"error: {error}")
            files, is_whole = [], False
        show_law(law, files, output_format, quiet=quiet)
    if found.was_cut:
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
