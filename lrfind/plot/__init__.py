"""The picture: one look answers where the LR is, how sure that is, and why.

Knows reports; needs matplotlib, never pyplot and never torch.
"""

from __future__ import annotations

from lrfind.plot.files import picture_format, save_plot
from lrfind.plot.picture import draw

__all__ = ["draw", "picture_format", "save_plot"]
