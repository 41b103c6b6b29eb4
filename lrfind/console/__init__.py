"""What a person sees: the answer for stdout, the story for stderr.

Builds text and draws bars; decides no exit code, opens no file, and needs neither torch nor
matplotlib.
"""

from __future__ import annotations

from lrfind.console.answer import render
from lrfind.console.problems import show_error
from lrfind.console.progress import SweepProgress
from lrfind.console.terminal_plot import terminal_plot

__all__ = ["SweepProgress", "render", "show_error", "terminal_plot"]
