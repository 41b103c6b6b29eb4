"""The sheet a picture is drawn on: sizes in inches, header, panels.

Heights add up from what is written, so that a long reason makes a taller sheet, never a
smaller plot. Further panels under the first share its LR axis.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrfind.plot import style
from lrfind.plot.text import cut, measure_in, renderer, wrap, write

P = ParamSpec("P")

_SWATCH_IN = 0.35


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of header text: a bold coloured lead, then a paragraph that wraps beside it.

    Attributes:
        lead: stands first.
        text: wraps beside the lead.
        color: of the lead.
        dash: line style of a swatch before the lead; None for none.
    """

    lead: str
    text: str
    color: str
    dash: style.Dash | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A figure with its panels; the first is the curve's.

    Attributes:
        figure: what is saved.
        panels: axes from top to bottom, of one width.
        width_in: width of the figure.
        height_in: height of the figure.
    """

    figure: Figure
    panels: tuple[Axes, ...]
    width_in: float
    height_in: float


def isolated(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw under `style.settings`."""

    @functools.wraps(draw)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with style.settings():
            return draw(*args, **kwargs)

    return wrapped


def lay_out(
    title: str,
    runs: Sequence[Run],
    panel_heights_in: Sequence[float],
    *,
    lane_in: float = style.LANE_IN,
) -> Sheet:
    """Make a figure with a header and panels under it, each with a lane for labels above."""
    figure = Figure(figsize=(style.WIDTH_IN, 1.0), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    indent = max((_indent_in(figure, run) for run in runs), default=0.0)
    wrapped = [wrap(figure, run.text, style.WIDTH_IN - 2 * style.EDGE_IN - indent) for run in runs]
    header = 0.3 * bool(title) + style.LINE_IN * sum(map(len, wrapped))
    panels_in = sum(panel_heights_in) + lane_in * len(panel_heights_in)
    height = style.TOP_IN + header + panels_in + style.BOTTOM_IN
    figure.set_size_inches(style.WIDTH_IN, height)
    y = height - style.TOP_IN
    if title:
        y -= 0.3
        write(
            figure,
            style.EDGE_IN,
            y + 0.08,
            cut(figure, title),
            size=style.SIZE_TITLE,
            weight="bold",
        )
    for run, lines in zip(runs, wrapped, strict=True):
        _write_lead(figure, run, y - style.LINE_IN + 0.05)
        for line in lines:
            y -= style.LINE_IN
            write(figure, style.EDGE_IN + indent, y + 0.05, line)
    panels: list[Axes] = []
    for panel_height in panel_heights_in:
        y -= lane_in + panel_height
        width = style.WIDTH_IN - style.LEFT_IN - style.RIGHT_IN
        box = (style.LEFT_IN / style.WIDTH_IN, y / height, width / style.WIDTH_IN)
        shared = panels[0] if panels else None
        panels.append(figure.add_axes((*box, panel_height / height), sharex=shared))
    return Sheet(figure, tuple(panels), style.WIDTH_IN, height)


def fit_left(sheet: Sheet) -> None:
    """Move the panels' left edges until their tick labels and axis titles fit on the sheet."""
    boxes = [axes.get_tightbbox(renderer(sheet.figure)) for axes in sheet.panels]
    missing = max(0.1 * sheet.figure.dpi - box.x0 for box in boxes if box is not None)
    shift = missing / sheet.figure.dpi / sheet.width_in
    for axes in sheet.panels:
        box = axes.get_position()
        axes.set_position((box.x0 + shift, box.y0, box.width - shift, box.height))


def footnote(sheet: Sheet, text: str) -> None:
    """Say under the picture what its marks are."""
    x = sheet.width_in - style.RIGHT_IN
    write(sheet.figure, x, 0.13, text, size=style.SIZE_SMALL, color=style.GREY, ha="right")


def _indent_in(figure: Figure, run: Run) -> float:
    if not run.lead:
        return 0.0
    return (_SWATCH_IN if run.dash else 0.0) + measure_in(figure, run.lead, "bold") + 0.12


def _write_lead(figure: Figure, run: Run, y: float) -> None:
    x = style.EDGE_IN
    if run.dash:
        width, height = figure.get_size_inches()
        ends = (x / width, (x + _SWATCH_IN - 0.1) / width)
        middle = (y + 0.05) / height
        figure.add_artist(
            Line2D(ends, (middle, middle), color=run.color, linestyle=run.dash, linewidth=2.2)
        )
        x += _SWATCH_IN
    write(figure, x, y, run.lead, color=run.color, weight="bold")
