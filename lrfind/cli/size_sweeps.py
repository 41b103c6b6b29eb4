"""The sweeps of `lrfind run --batch-sizes`, a folder each: here, by all ranks, or some a rank."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.cli.guard import Guard
from lrfind.cli.keeping import keep
from lrfind.cli.measuring import measure
from lrfind.cli.options import say
from lrfind.cli.own_gpu import see_own_gpu
from lrfind.cli.ranks import Ranks
from lrfind.cli.run import exit_code
from lrfind.errors import ExitCode, LrfindError

if TYPE_CHECKING:
    from lrfind.batch_law import BatchPoint
    from lrfind.config import Config
    from lrfind.distributed.group import Group
    from lrfind.report import Report

LAW_FILE, PICTURE_FILE = "batch-sizes.json", "batch-sizes.png"
"""Files over all sizes."""

OPTION = "--batch-sizes"


@dataclass(frozen=True, slots=True)
class Swept:
    """What is done of the sweeps.

    Attributes:
        points: smallest size first.
        optimizer: names of its class and of those that it is made of.
        of_whom: whose batch size it is, to follow it in a title.
        was_cut: the sweeps were told to end.
        is_whole: all files are in their place.
    """

    points: list[BatchPoint]
    optimizer: list[str]
    of_whom: str = ""
    was_cut: bool = False
    is_whole: bool = True


def sweep_sizes(
    config: Config,
    sizes: Sequence[int],
    folder: Path,
    guard: Guard,
    ranks: Ranks,
    *,
    quiet: bool,
    html: bool,
) -> Swept:
    """Sweep one size after the other, the smallest first, all ranks together.

    Raises:
        InputError: the data do not give batches of the largest size, or a sweep raised it.
        PeerError: another rank failed.
    """
    optimizer = ranks.lead(lambda: _checked(config, sizes, ranks.open()), guard)
    _forget_law(folder)
    of_whom = "" if ranks.world.is_alone else f" of each of {ranks.world.size} ranks"
    points: list[BatchPoint] = []
    is_whole, was_cut = True, False
    try:
        for size in sizes:
            report, is_kept = _swept(config, size, folder, guard, ranks, quiet=quiet, html=html)
            is_whole = is_whole and is_kept
            if exit_code(report) is ExitCode.INTERRUPTED:
                was_cut = True
                break
            points.append(point_of(size, report))
    except KeyboardInterrupt:
        guard.settle()
        was_cut = True
    except LrfindError:
        if points:
            say(f"the sizes up to {points[-1].batch_size} are in {folder}")
        raise
    return Swept(points, optimizer, of_whom, was_cut or guard.cause is not None, is_whole)


def follow_sizes(config: Config, sizes: Sequence[int], group: Group | None) -> None:
    """Do a follower's part of `sweep_sizes`."""
    from lrfind.experiment import run_config

    _checked(config, sizes, group)
    for size in sizes:
        report = run_config(config.with_batch_size(size), group=group)
        if exit_code(report) is ExitCode.INTERRUPTED:
            return


def sweep_apart(
    config: Config,
    sizes: Sequence[int],
    folder: Path,
    guard: Guard,
    ranks: Ranks,
    *,
    quiet: bool,
    html: bool,
) -> Swept:
    """Sweep the sizes that this rank gets, as if it were alone, and read those of the others.

    The largest come first: they take longest.

    Raises:
        InputError: as `sweep_sizes`.
        PeerError: another rank failed.
    """
    from lrfind.report import to_json
    from lrfind.report_form import from_json

    group = ranks.open()
    assert group is not None
    optimizer: list[str] = []
    was_cut = False
    try:
        with group.joined_apart():
            see_own_gpu(group.world)
            optimizer = _checked(config, sizes, None)
            if group.world.leads:
                _forget_law(folder)
            while not group.has_failed and (turn := group.take("size")) < len(sizes):
                size = sizes[-1 - turn]
                report, is_kept = _swept(
                    config, size, folder, guard, Ranks(), quiet=quiet, html=html
                )
                if exit_code(report) is ExitCode.INTERRUPTED:
                    # Leaves the others without waiting for them.
                    raise KeyboardInterrupt
                group.post(f"size/{size}", {"report": to_json(report), "is_kept": is_kept})
            group.exchanged(None)
    except KeyboardInterrupt:
        ranks.raise_failure(guard)
        was_cut = True
    points: list[BatchPoint] = []
    is_whole = True
    for size in sizes:
        row = group.posted(f"size/{size}")
        if row is not None:
            points.append(point_of(size, from_json(row["report"])))
            is_whole = is_whole and row["is_kept"]
    return Swept(points, optimizer, "", was_cut, is_whole)


def point_of(size: int, report: Report) -> BatchPoint:
    """Take what the law needs of a report."""
    from lrfind.batch_law import BatchPoint

    answer = report.no_answer
    why = "" if answer is None else f"{answer.verdict}: {answer}"
    return BatchPoint(size, report.suggestion, why)


def _checked(config: Config, sizes: Sequence[int], group: Group | None) -> list[str]:
    """Compute a batch of the largest size: whatever does not fit one size does not fit this."""
    from lrfind.experiment import check_batch_size

    with redirect_stdout(sys.stderr):
        return check_batch_size(config.with_batch_size(sizes[-1]), OPTION, group)


def _forget_law(folder: Path) -> None:
    """Take away a law that must not stand beside sweeps that it was not fitted to."""
    for name in (LAW_FILE, PICTURE_FILE):
        (folder / name).unlink(missing_ok=True)


def _swept(
    config: Config,
    size: int,
    folder: Path,
    guard: Guard,
    ranks: Ranks,
    *,
    quiet: bool,
    html: bool,
) -> tuple[Report, bool]:
    """Sweep a size into its own folder.

    Returns:
        What was found, and whether all files are in their place.
    """
    guard.resume()
    if not quiet:
        say(f"batch size {size}")
    inner = folder / f"batch-{size}"
    rescue = functools.partial(_rescue, folder=inner)
    sized = config.with_batch_size(size)
    report = measure(sized, inner, quiet=quiet, guard=guard, rescue=rescue, ranks=ranks, html=html)
    return report, keep(report, inner, with_picture=guard.cause is None, with_page=html)[1]


def _rescue(report: Report, folder: Path) -> None:
    """Save a size that was cut short; a law needs more than there is time for."""
    files, _ = keep(report, folder, with_picture=False)
    if files:
        say(f"what was measured at this size is in {files[0].parent}")
