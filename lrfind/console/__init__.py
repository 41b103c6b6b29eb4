"""What a person sees: the answer for stdout, the story for stderr.

Builds text and draws bars; decides no exit code, opens no file, and needs neither torch nor
matplotlib. Everything loads on first use: a check that runs nothing needs neither rich nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrfind.console.answer import render as render
    from lrfind.console.problems import show_error as show_error
    from lrfind.console.progress import SweepProgress as SweepProgress
    from lrfind.console.terminal_plot import terminal_plot as terminal_plot

_HOMES = {
    "SweepProgress": "lrfind.console.progress",
    "render": "lrfind.console.answer",
    "show_error": "lrfind.console.problems",
    "terminal_plot": "lrfind.console.terminal_plot",
}

__all__ = ["SweepProgress", "render", "show_error", "terminal_plot"]


def __getattr__(name: str) -> Any:
    """Load a name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = getattr(importlib.import_module(_HOMES[name]), name)
    # Importing `terminal_plot` binds the module to the function's name.
    globals()[name] = found
    return found
