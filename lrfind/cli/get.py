"""`lrfind get`: the pinned LR and nothing else."""

from __future__ import annotations

from typing import Annotated

import typer

from lrfind.cli.options import ConfigFile, Debug, MaxAge


def get(
    config: ConfigFile,
    max_age: MaxAge = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse a pin whose config, sources or versions changed."),
    ] = False,
    debug: Debug = False,
) -> None:
    """Print the pinned LR of a config and nothing else, at once.

    Exit codes: 0 the number, 1 the pin is refused as too old or stale, 2 there is no lock, or it
    is damaged.

    In a script: `LR=$(lrfind get configs/digits.yaml --strict)`

    Example: `lrfind get configs/digits.yaml`
    """
    from lrfind.lock.pinned import pinned_lr

    print(repr(pinned_lr(config, max_age, strict)))
