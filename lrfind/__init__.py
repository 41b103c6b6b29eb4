"""lrfind: a learning-rate range test for PyTorch that runs from a config.

The public names load on first use, so that `import lrfind` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrfind.api import range_test as range_test
    from lrfind.config import Config as Config
    from lrfind.config import load as load_config  # noqa: F401
    from lrfind.curve import Curve as Curve
    from lrfind.curve import StopReason as StopReason
    from lrfind.errors import LrfindError as LrfindError
    from lrfind.experiment import run_config as run_config
    from lrfind.lock.pinned import pinned_lr as pinned_lr
    from lrfind.own_loop import sweep as sweep
    from lrfind.report import Report as Report
    from lrfind.suggest import Note as Note
    from lrfind.suggest import Suggestion as Suggestion
    from lrfind.suggest import Verdict as Verdict

__version__ = "0.1.0"

_HOMES = {
    "Config": "lrfind.config:Config",
    "Curve": "lrfind.curve:Curve",
    "LrfindError": "lrfind.errors:LrfindError",
    "Note": "lrfind.suggest:Note",
    "Report": "lrfind.report:Report",
    "StopReason": "lrfind.curve:StopReason",
    "Suggestion": "lrfind.suggest:Suggestion",
    "Verdict": "lrfind.suggest:Verdict",
    "load_config": "lrfind.config:load",
    "pinned_lr": "lrfind.lock.pinned:pinned_lr",
    "range_test": "lrfind.api:range_test",
    "run_config": "lrfind.experiment:run_config",
    "sweep": "lrfind.own_loop:sweep",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attr = _HOMES[name].partition(":")
    return getattr(importlib.import_module(module), attr)


def __dir__() -> list[str]:
    """Show the public names to completion."""
    return sorted(__all__)
