"""`lrfind validate`: find every mistake before the first training step."""

from __future__ import annotations

from lrfind.cli.options import ConfigFile, Debug, Overrides


def validate(config: ConfigFile, override: Overrides = None, debug: Debug = False) -> None:
    """Load everything a config names, run one forward and backward pass, train nothing.

    Example: `lrfind validate configs/digits.yaml`
    """
    from lrfind.config import load

    loaded = load(config, override or [])

    from lrfind.experiment import inspect_config

    for name, value in inspect_config(loaded):
        print(f"{name:<10} {value}")
