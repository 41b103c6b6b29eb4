"""The picture: one look answers where the LR is, how sure that is, and why.

Knows reports; needs matplotlib, never pyplot and never torch.
"""

from __future__ import annotations

from lrfind.plot.files import picture_format, save_plot
from lrfind.plot.overlay import Layer, draw_overlay, overlay
from lrfind.plot.picture import draw

__all__ = ["Layer", "draw", "draw_overlay", "overlay", "picture_format", "save_plot"]
