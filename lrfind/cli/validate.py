"""`lrfind validate`: find every mistake before the first training step."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

from lrfind.cli.options import ConfigFile, Debug, Overrides
from lrfind.cli.preload import preload
from lrfind.cli.ranks import refuse_ranks
from lrfind.plain_text import plain


def validate(config: ConfigFile, override: Overrides = None, debug: Debug = False) -> None:
    """Load everything a config names, run one forward and backward pass, train nothing.

    Example: `lrfind validate configs/digits.yaml`
    """
    refuse_ranks("validate")
    preload("lrfind.config")
    from lrfind.config import load

    loaded = load(config, override or [])

    preload("lrfind.experiment")
    from lrfind.experiment import inspect_config

    # Standard output is the answer's; what the user's code prints is part of the story.
    with redirect_stdout(sys.stderr):
        rows = inspect_config(loaded)
    for name, value in rows:
        print(plain(f"{name:<10} {value}"))
