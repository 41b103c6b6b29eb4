"""`lrfind pin`: sweep with several seeds and write the answer into a lock beside the config."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.ending import tell_end, whole_or_nothing
from lrfind.cli.guard import Guard
from lrfind.cli.live import progress_of
from lrfind.cli.options import ConfigFile, Debug, Quiet, say, wants_color, width_of
from lrfind.cli.preload import preload
from lrfind.cli.ranks import Ranks, met_alike, ranks_for
from lrfind.distributed import world_of
from lrfind.errors import ExitCode

if TYPE_CHECKING:
    from lrfind.blame import Blame
    from lrfind.config import Config
    from lrfind.console import SweepProgress
    from lrfind.distributed.group import Group
    from lrfind.lock.choice import Choice
    from lrfind.lock.lock import Lock


def pin(
    config: ConfigFile,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Sweeps; as many as the config names, at least 5."),
    ] = None,
    lr: Annotated[
        float | None, typer.Option(metavar="LR", help="Pin this LR instead of what is found.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why it was chosen; goes with --lr.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.001, help="End after this time, also a hang."),
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Sweep with several seeds and pin the LR in a lock beside the config.

    The lock, `<config stem>.lrlock.json`, belongs into version control: `lrfind check` tells when
    it no longer fits, `lrfind get` prints its LR. Exit codes: 0 pinned, 2 wrong input, 3 no honest
    suggestion, 124 ended by `--timeout`, 130 by Ctrl-C or SIGTERM; the old lock then stands.

    Example: `lrfind pin configs/digits.yaml`
    """
    from lrfind.lock.choice import choice_of

    preload("lrfind.config")
    from lrfind.config import load

    with Guard(timeout) as guard:
        with met_alike(world_of(os.environ)):
            choice = choice_of(lr, reason)
            loaded = load(config)
        ranks = ranks_for(loaded.spec)
        if not ranks.world.leads:
            code = ranks.follow(lambda group: _lock(loaded, seeds, choice, group=group), guard)
        else:
            try:
                lock = _swept(loaded, seeds, choice, guard, ranks, quiet=quiet)
            except KeyboardInterrupt:
                code = ExitCode.INTERRUPTED if guard.cause is None else guard.cause.code
                raise typer.Exit(code) from None
            _keep(lock, config)
            code = ExitCode.OK
        code = ranks.agreed(code, guard)
    raise typer.Exit(code)


def _swept(
    config: Config,
    seeds: int | None,
    choice: Choice | None,
    guard: Guard,
    ranks: Ranks,
    *,
    quiet: bool,
) -> Lock:
    """Make the new lock, its story on standard error."""
    from lrfind.lock.files import claim_lock

    claim_lock(config.path)
    with redirect_stdout(sys.stderr), progress_of(config, quiet=quiet) as progress:

        def work(blame: Blame) -> Lock:
            return _lock(config, seeds, choice, [progress], blame, ranks.open())

        def tell(blame: Blame | None) -> None:
            progress.close()
            tell_end(config, guard, blame)
            say("nothing was pinned; a lock that was there is as it was")

        return whole_or_nothing(config, guard, work, tell, ranks)


def _lock(
    config: Config,
    seeds: int | None,
    choice: Choice | None,
    told: Sequence[SweepProgress] = (),
    blame: Blame | None = None,
    group: Group | None = None,
) -> Lock:
    """Make the new lock, as all ranks do."""
    from lrfind.pinning import pin as make_lock

    return make_lock(
        config,
        seeds=seeds,
        choice=choice,
        observers=told,
        trial_observers=told,
        blame=blame,
        group=group,
    )


def _keep(lock: Lock, config: Path) -> None:
    """Write the new lock and show it beside the old one."""
    from lrfind.console.pin_table import pin_table
    from lrfind.lock.files import old_lock, write_lock

    before = old_lock(config)
    path = write_lock(lock, config)
    out = sys.stdout
    out.write(pin_table(lock, before, path, config, width=width_of(out), color=wants_color(out)))
