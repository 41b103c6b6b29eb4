"""`lrfind run` with several configs: each in a process of its own, and a table of all of them.

Of several ranks each takes the next config when it is free, and runs it as if it were alone. Files
are written where a config is run; the first rank tells what came of all.
"""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from lrfind.cli.apart import Apart, Lost, wait_for_all
from lrfind.cli.guard import Cause, Guard
from lrfind.cli.loading import Changes
from lrfind.cli.options import say, wants_color, width_of
from lrfind.cli.own_gpu import see_own_gpu
from lrfind.cli.ranks import Ranks, one_by_one
from lrfind.cli.run_apart import Job, first_line, run_job
from lrfind.errors import ExitCode, InputError, LrfindError, Problem
from lrfind.outcome import Outcome, failed, worst_code
from lrfind.output_format import Format

_PRELOADED = ("lrfind.cli.run_apart", "lrfind.experiment", "lrfind.plot", "lrfind.console.progress")

CTRL_C_S, SIGTERM_S = 30.0, 1.3
"""Time for a run that is told to end to save what it measured."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of all configs.

    Attributes:
        changes: what the options change about each.
        out: folder of their folders; None: where each config says.
        timeout_s: time limit of each.
        quiet: show no progress.
        html: write a page for each, too.
    """

    changes: Changes
    out: Path | None
    timeout_s: float | None
    quiet: bool
    html: bool


class Runs:
    """The runs of several configs, and what came of them so far.

    Args:
        paths: of the configs; one that stands twice is run once.
        wish: what is asked of each.
        guard: asks all of them to end.
        ranks: the processes of a launcher.

    Attributes:
        outcomes: by the number of the config.

    Raises:
        InputError: as `run_many`.
        typer.Exit: this process has no part in them.
    """

    def __init__(self, paths: Sequence[Path], wish: Wish, guard: Guard, ranks: Ranks) -> None:
        self.outcomes: dict[int, Outcome] = {}
        self._guard = guard
        self._ranks = ranks
        self._jobs: list[Job] = []
        strategies = set()
        for index, path in enumerate(dict.fromkeys(paths)):
            folder = Path()
            try:
                loaded = wish.changes.load(path)
                strategies.add(loaded.spec.distributed.strategy)
                folder = loaded.output_folder if wish.out is None else wish.out / path.stem
            except LrfindError as error:
                self._refuse(index, path, error)
            self._jobs.append(
                Job(path, wish.changes, folder, wish.timeout_s, wish.quiet, wish.html)
            )
        if strategies == {"none"}:
            if not ranks.world.leads:
                raise typer.Exit
            self._ranks = Ranks()
        if not self._ranks.world.is_alone and strategies - {"replicas"}:
            raise one_by_one("run", ranks.world)
        self._require_own_folders()

    def go(self) -> ExitCode:
        """Run them all, or until told to end, and choose the exit code: the worst decides.

        Raises:
            PeerError: another rank failed.
        """
        waiting = [index for index in range(len(self._jobs)) if index not in self.outcomes]
        try:
            if self._ranks.world.is_alone:
                for index in waiting:
                    self.outcomes[index] = self._run(self._jobs[index])
                    self._stop_if_told()
            else:
                self._ranks.lead(lambda: self._deal(waiting), self._guard)
        except KeyboardInterrupt:
            self._guard.settle()
            return ExitCode.INTERRUPTED
        self._guard.settle()
        return worst_code([*self.outcomes.values()])

    def show(self, output_format: Format) -> None:
        """Print what came of them so far on standard output."""
        from lrfind.console.runs_table import runs_json, runs_markdown, runs_table

        done = [outcome for _, outcome in sorted(self.outcomes.items())]
        if len(done) < len(self._jobs):
            say(f"ended with {len(done)} of {len(self._jobs)} configs run")
        out = sys.stdout
        if output_format is Format.JSON:
            out.write(runs_json(done))
        elif output_format is Format.MARKDOWN:
            out.write(runs_markdown(done))
        else:
            out.write(runs_table(done, width=width_of(out), color=wants_color(out)))
        out.flush()

    def _refuse(self, index: int, path: Path, error: LrfindError) -> None:
        """Note a config that cannot be read; the others are run all the same."""
        if self._ranks.world.leads:
            from lrfind.console import show_error

            sys.stderr.write(show_error(error))
        self.outcomes[index] = failed(str(path), error.exit_code, first_line(error))

    def _require_own_folders(self) -> None:
        """Refuse configs whose files would take each other's place."""
        owners: dict[Path, Path] = {}
        for index, job in enumerate(self._jobs):
            if index in self.outcomes:
                continue
            other = owners.setdefault(job.folder.resolve(), job.config)
            if other != job.config:
                what = f"writes into {job.folder}, as {other} does"
                remedy = "name another output.dir in one of them, or run them apart"
                raise InputError(Problem(str(job.config), what, remedy))

    def _deal(self, waiting: list[int]) -> None:
        """Run what this rank gets, and learn what came of all."""
        group = self._ranks.open()
        assert group is not None
        try:
            with group.joined_apart():
                see_own_gpu(group.world)
                while not group.has_failed and (turn := group.take("config")) < len(waiting):
                    index = waiting[turn]
                    outcome = self._run(self._jobs[index])
                    group.post(f"config/{index}", asdict(outcome))
                    self._stop_if_told()
                group.exchanged(None)
        finally:
            found = {index: group.posted(f"config/{index}") for index in waiting}
            rows = {index: row for index, row in found.items() if row is not None}
            self.outcomes |= {index: Outcome(**row) for index, row in rows.items()}

    def _run(self, job: Job) -> Outcome:
        process: Apart[Outcome] = Apart(functools.partial(run_job, job), job.timeout_s, _PRELOADED)
        try:
            found = process.result()
        except KeyboardInterrupt:
            self._guard.settle()
            is_patient = self._guard.cause is Cause.INTERRUPT
            number, grace_s = (
                (signal.SIGINT, CTRL_C_S) if is_patient else (signal.SIGTERM, SIGTERM_S)
            )
            found = process.end(number, grace_s)
            if isinstance(found, Lost):
                why = "ended before anything was measured"
                return failed(str(job.config), ExitCode.INTERRUPTED, why)
        if isinstance(found, Lost):
            code = ExitCode.TIMED_OUT if found.is_overdue else ExitCode.BAD_INPUT
            problem = found.problem(job.config)
            say(f"error: {problem}")
            return failed(str(job.config), code, str(problem))
        return found

    def _stop_if_told(self) -> None:
        if self._guard.cause is not None:
            raise KeyboardInterrupt


def run_many(
    paths: Sequence[Path], wish: Wish, output_format: Format, guard: Guard, ranks: Ranks
) -> ExitCode:
    """Run several configs, print what came of them, and choose the exit code.

    Args:
        paths: of the configs.
        wish: what is asked of each.
        output_format: any but `lr`.
        guard: asks all of it to end.
        ranks: the processes of a launcher.

    Raises:
        InputError: two of them write into the same folder, the format does not fit, or several
            ranks would have to train them together.
        PeerError: another rank failed.
    """
    if output_format is Format.LR:
        what = f"prints one number, but {len(paths)} configs have as many answers"
        raise InputError(Problem("--format lr", what, "print --format json"))
    runs = Runs(paths, wish, guard, ranks)
    if ranks.world.leads:
        guard.rescue = lambda: runs.show(output_format)
    try:
        return runs.go()
    finally:
        if ranks.world.leads:
            runs.show(output_format)
        if guard.cause is not None:
            wait_for_all(CTRL_C_S if guard.cause is Cause.INTERRUPT else SIGTERM_S)
