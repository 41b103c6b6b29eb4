"""`lrfind pin`: sweep with several seeds and write the answer into a lock beside the config."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from lrfind.cli.options import ConfigFile, Debug, Quiet, wants_color, width_of
from lrfind.cli.ranks import refuse_ranks


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
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Sweep with several seeds and pin the LR in a lock beside the config.

    The lock, `<config stem>.lrlock.json`, belongs into version control: `lrfind check` tells when
    it no longer fits, `lrfind get` prints its LR. Exit codes: 0 pinned, 2 wrong input, 3 no honest
    suggestion (the old lock stands), 130 interrupted (the same).

    Example: `lrfind pin configs/digits.yaml`
    """
    from lrfind.lock.choice import choice_of

    choice = choice_of(lr, reason)
    from lrfind.config import load

    refuse_ranks("pin")
    loaded = load(config)
    from lrfind.console import SweepProgress
    from lrfind.console.pin_table import pin_table
    from lrfind.lock.files import claim_lock, old_lock, write_lock
    from lrfind.pinning import pin as make_lock

    claim_lock(config)
    before = old_lock(config)
    with redirect_stdout(sys.stderr), SweepProgress(quiet=quiet) as progress:
        lock = make_lock(
            loaded, seeds=seeds, choice=choice, observers=[progress], trial_observers=[progress]
        )
    path = write_lock(lock, config)
    out = sys.stdout
    out.write(pin_table(lock, before, path, config, width=width_of(out), color=wants_color(out)))
