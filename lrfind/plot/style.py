"""Colours, sizes and fonts of a picture; nothing else chooses one.

Colours are Okabe and Ito's (2008), which colour-blind readers tell apart; shape and weight carry
every meaning a second time, so that a grey print reads as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib

BLACK = "#1a1a1a"
GREY = "#6b6b6b"
PALE = "#e9e9e9"
BLUE = "#0072B2"
GREEN = "#009E73"
DEEP_GREEN = "#00694d"
"""Green for text."""
VERMILLION = "#D55E00"
DEEP_VERMILLION = "#B84E00"
"""Vermillion for text."""
ORANGE = "#B37400"
"""Okabe–Ito orange, darkened until text in it reads on white."""

SERIES = (BLUE, VERMILLION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", BLACK)
"""Colours of overlaid curves, in order."""

Dash = Literal["-", "--", "-.", ":"]
DASHES: tuple[Dash, ...] = ("-", "--", "-.", ":")
"""Line styles of overlaid curves: with `SERIES`, 28 looks that a grey print tells apart by four."""

WIDTH_IN = 8.0
EDGE_IN = 0.2
"""Margin of the header's text."""
PANEL_IN = 3.2
LEFT_IN, RIGHT_IN, BOTTOM_IN, TOP_IN = 0.78, 0.22, 0.78, 0.18
LINE_IN = 0.2
LANE_IN = 0.34
"""Height of the strip over the frame that holds the answer's labels."""

SIZE_TITLE, SIZE_TEXT, SIZE_LABEL, SIZE_SMALL = 13.0, 10.5, 10.0, 8.5

DPI = 200
RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": SIZE_LABEL,
    "svg.hashsalt": "lrfind",
    "svg.fonttype": "path",
    "axes.unicode_minus": True,
}
"""Settings laid over matplotlib's own defaults, so that no matplotlibrc changes a picture."""


@contextmanager
def settings() -> Iterator[None]:
    """Set matplotlib's own defaults and `RC` for a while, whatever the user's settings are."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore", matplotlib.MatplotlibDeprecationWarning)
        matplotlib.rcParams.update(_changed_by_user() | RC)
        # A title may hold letters that the font lacks; an empty box says it well enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        yield


def _changed_by_user() -> dict[Any, Any]:
    """Find the defaults of the settings that are not at their default.

    `matplotlib.rcdefaults` would set all 300, and import every style sheet that is installed.
    """
    # Reading the backend would choose one, and import pyplot; no figure here needs it.
    defaults = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith("backend")}
    return {key: value for key, value in defaults.items() if matplotlib.rcParams[key] != value}
