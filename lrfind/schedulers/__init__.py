"""Bundled schedulers, one a file, described here without importing torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lrfind.registry import Entry

if TYPE_CHECKING:
    from lrfind.schedulers.forms.sweep import exponential_sweep as exponential_sweep
    from lrfind.schedulers.forms.sweep import linear_sweep as linear_sweep

CATALOG: dict[str, Entry] = {}
"""Config name → scheduler."""

_EXPORTS = {
    "exponential_sweep": "lrfind.schedulers.forms.sweep",
    "linear_sweep": "lrfind.schedulers.forms.sweep",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
