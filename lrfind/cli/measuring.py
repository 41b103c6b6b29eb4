"""One run of a config, which loses nothing of what it measured, however it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.cli.ending import blame_lost_worker, tell_end
from lrfind.cli.guard import Guard
from lrfind.cli.keeping import keep_curves
from lrfind.cli.live import progress_of
from lrfind.cli.options import say
from lrfind.cli.preload import preload
from lrfind.cli.ranks import Ranks
from lrfind.distributed import PeerError

if TYPE_CHECKING:
    from lrfind.blame import Blame
    from lrfind.config import Config
    from lrfind.export import CurveRecorder
    from lrfind.report import Report


def measure(
    config: Config,
    folder: Path,
    *,
    quiet: bool,
    guard: Guard,
    rescue: Callable[[Report], object],
    ranks: Ranks | None = None,
    html: bool = False,
) -> Report:
    """Run a config, its curve kept on disk and its story on standard error.

    Args:
        config: what to run.
        folder: where its curve is kept.
        quiet: show no progress.
        guard: asks the run to end; once it did, or all is measured, it is settled.
        rescue: saves and shows a report from another thread, where this one never comes back.
        ranks: the processes that run it together, of which this one leads; None: it does alone.
        html: there must be room for a page, too.

    Returns:
        The report; a partial one where the run was told to end.

    Raises:
        KeyboardInterrupt: it was told to end before anything was measured.
        PeerError: another of the processes failed.
        LrfindError: as `lrfind.experiment.run_config`.
    """
    from lrfind.export import CurveRecorder
    from lrfind.partial import partial_report

    ranks = ranks or Ranks()
    _claim(config, folder, html=html)
    recorder = CurveRecorder(folder, warn=lambda error: say(f"warning: {error}; the sweep goes on"))
    # Standard output is the answer's; what the user's code prints is part of the story.
    with redirect_stdout(sys.stderr), progress_of(config, quiet=quiet) as progress:
        blame: Blame | None = None

        def save_from_outside() -> None:
            recorder.close()
            progress.close()
            tell_end(config, guard, blame)
            if recorder.curves:
                rescue(partial_report(config, recorder.curves))
            else:
                say("ended before anything was measured")

        guard.rescue = save_from_outside
        try:
            # With matplotlib, though it is needed last: should it be broken, no sweep was in vain.
            preload("lrfind.experiment", "lrfind.plot", *["lrfind.html"] * html)
            from lrfind.blame import Blame
            from lrfind.experiment import run_config

            blame = Blame()
            report = run_config(config, [recorder, progress], [progress], blame, ranks.open())
            guard.settle()
            ranks.raise_failure(guard)
        except BaseException as error:
            guard.settle()
            why = ranks.explained(error, guard)
            # An import that is interrupted may turn that into an error of its own.
            is_told = guard.cause is not None or isinstance(error, KeyboardInterrupt)
            if why is not error or not is_told or isinstance(error, PeerError):
                _keep_curve(recorder, folder)
                if blame is not None:
                    blame_lost_worker(config, blame, error)
                if why is not error:
                    raise why from None
                raise
            if not recorder.curves:
                tell_end(config, guard, blame)
                raise KeyboardInterrupt from None
            report = partial_report(config, recorder.curves)
    tell_end(config, guard, blame)
    return report


def _claim(config: Config, folder: Path, *, html: bool) -> None:
    """Prove that the folder takes the run's files."""
    from lrfind.atomic import claim_folder
    from lrfind.export import OUTPUT_FILES, PAGE_FILE

    names = (*OUTPUT_FILES, PAGE_FILE) if html else OUTPUT_FILES
    claim_folder(folder, names, room_bytes=room_for(config, html=html))


def _keep_curve(recorder: CurveRecorder, folder: Path) -> None:
    """Say where the curve of a run that failed is, wherever there is room for it."""
    # The loss of a worker is raised anywhere, also while the recorder writes.
    path = recorder.path if recorder.flush() else keep_curves(recorder.curves, folder)
    if recorder.curves and path is not None:
        say(f"what was measured so far is in {path}")


def room_for(config: Config, *, html: bool = False) -> int:
    """Estimate the bytes of a run's files: every point twice, a picture, and a page."""
    sweep = config.spec.sweep
    points = sweep.steps * sweep.seeds
    page = 300_000 + 50 * min(points, 20_000) if html else 0
    return min(150_000 + 200 * points, 2**26) + page
