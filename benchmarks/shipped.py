"""The configs of the repository that can run here."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "configs"

_LIBRARY = re.compile(r"target: \"?(\w+)[\w.]*:")
"""A target in a package; one in a file has its path there."""


def runnable() -> list[Path]:
    """List the shipped configs, but those of a library that is not installed."""
    return [
        path
        for path in sorted(CONFIGS.glob("*.yaml"))
        if all(find_spec(name) is not None for name in _LIBRARY.findall(path.read_text("utf-8")))
    ]
