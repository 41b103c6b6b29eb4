"""`lrfind validate`: find every mistake before the first training step."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import typer

from lrfind.cli.guard import Guard
from lrfind.cli.options import ConfigFile, Debug, Overrides
from lrfind.cli.preload import preload
from lrfind.cli.ranks import Ranks, met_alike, ranks_for
from lrfind.distributed import world_of
from lrfind.errors import ExitCode
from lrfind.plain_text import plain

if TYPE_CHECKING:
    from lrfind.config import Config
    from lrfind.distributed.group import Group


def validate(config: ConfigFile, override: Overrides = None, debug: Debug = False) -> None:
    """Load everything a config names, run one forward and backward pass, train nothing.

    Example: `lrfind validate configs/digits.yaml`
    """
    preload("lrfind.config")
    from lrfind.config import load

    with met_alike(world_of(os.environ)):
        loaded = load(config, override or [])
    with Guard() as guard:
        ranks = ranks_for(loaded.spec)
        if ranks.world.leads:
            code = _inspect(loaded, ranks, guard)
        else:
            code = ranks.follow(lambda group: _found(loaded, group), guard)
        code = ranks.agreed(code, guard)
    raise typer.Exit(code if guard.cause is None else guard.cause.code)


def _inspect(config: Config, ranks: Ranks, guard: Guard) -> ExitCode:
    """Show what was found, all ranks together."""
    preload("lrfind.experiment")
    # Standard output is the answer's; what the user's code prints is part of the story.
    with redirect_stdout(sys.stderr):
        rows = ranks.lead(lambda: _found(config, ranks.open()), guard)
    for name, value in rows:
        print(plain(f"{name:<10} {value}"))
    return ExitCode.OK


def _found(config: Config, group: Group | None) -> list[tuple[str, str]]:
    from lrfind.experiment import inspect_config

    return inspect_config(config, group)
