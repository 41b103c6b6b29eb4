"""A schedule as a picture: the LR of every step of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from lrfind.frame import lr_text
from lrfind.plot import style
from lrfind.plot.files import picture_format, write_figure
from lrfind.plot.scale import AlikeFormatter, quieten
from lrfind.plot.sheet import Run, fit_left, isolated, lay_out
from lrfind.plot.text import renderer
from lrfind.schedulers.planned import Planned


def save_schedule(planned: Planned, path: Path, *, dpi: int = style.DPI) -> None:
    """Draw a schedule into a PNG, SVG or PDF file.

    Args:
        planned: what to draw.
        path: replaced as a whole, or left as it was.
        dpi: pixels an inch; the sheet is 8 inches wide.

    Raises:
        OutputError: the suffix is unknown or the file cannot be written.
    """
    picture_format(path)
    write_figure(draw_schedule(planned), path, dpi=dpi)


@isolated
def draw_schedule(planned: Planned) -> Figure:
    """Draw LR against steps: the warmup shaded, the highest and the last LR written out."""
    runs = [Run("", text, style.BLACK) for text in (planned.formula, planned.settings) if text]
    sheet = lay_out(planned.title, runs, (style.PANEL_IN,))
    axes = sheet.panels[0]
    dress_schedule(axes, planned)
    axes.set_xlabel("step", fontsize=style.SIZE_TEXT, color=style.BLACK, loc="right")
    axes.set_ylabel("learning rate", fontsize=style.SIZE_TEXT, color=style.BLACK)
    fit_left(sheet)
    stairs(axes, planned)
    _warmup(axes, planned)
    _written_out(axes, planned)
    return sheet.figure


def dress_schedule(axes: Axes, planned: Planned) -> None:
    """Give a panel linear axes from zero over all steps."""
    top = float(planned.lrs.max()) or 1.0
    axes.set_xlim(0, planned.steps)
    axes.set_ylim(0, 1.06 * top)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5, min_n_ticks=3, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(AlikeFormatter())
    quieten(axes)


def stairs(axes: Axes, planned: Planned) -> None:
    """Draw the LR; each update's holds for one step."""
    edges = np.arange(planned.steps + 1)
    axes.plot(
        edges, np.append(planned.lrs, planned.lrs[-1]), drawstyle="steps-post",
        color=style.BLUE, linewidth=2.2, zorder=4, solid_joinstyle="round",
    )  # fmt: skip


def _warmup(axes: Axes, planned: Planned) -> None:
    if not planned.warmup:
        return
    axes.axvspan(0, planned.warmup, color=style.GREEN, alpha=0.13, lw=0, zorder=0.8)
    axes.text(
        planned.warmup / 2, -0.115, "warmup", transform=axes.get_xaxis_transform(), ha="center",
        va="top", fontsize=style.SIZE_LABEL, color=style.DEEP_GREEN,
    )  # fmt: skip


def _written_out(axes: Axes, planned: Planned) -> None:
    """Mark the highest and the last LR; the words stand above the frame and beside the line."""
    peak, last = planned.peak, planned.steps - 1
    color = style.DEEP_VERMILLION
    marked = [(peak, planned.peak_text, "o")]
    if planned.lrs[last] != planned.lrs[peak]:
        marked.append((last, f"last {lr_text(planned.lrs[last])}", "D"))
    for step, words, shape in marked:
        lr, is_peak = float(planned.lrs[step]), step == peak
        axes.plot(
            [step + 0.5], [lr], shape, color=style.VERMILLION, markersize=9 if is_peak else 6,
            markeredgecolor="white", markeredgewidth=1.5, zorder=8, clip_on=False,
        )  # fmt: skip
        label = axes.annotate(
            words, (step + 0.5, lr), xytext=(0, 9), textcoords="offset points",
            ha="center" if is_peak else "right", va="bottom", color=color, zorder=9,
            fontsize=style.SIZE_TEXT if is_peak else style.SIZE_LABEL,
            weight="bold" if is_peak else "normal", annotation_clip=False,
            path_effects=[withStroke(linewidth=3, foreground="white", alpha=0.8)],
        )  # fmt: skip
        _clear(axes, label, planned)


def _clear(axes: Axes, label: Text, planned: Planned) -> None:
    """Move a label into the panel's sides, and up until the line passes under it."""
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    box, panel = label.get_window_extent(renderer(figure)), axes.get_window_extent()
    x, y = (float(v) for v in label.get_position())
    shift = max(panel.x0 - box.x0, 0.0) + min(panel.x1 - box.x1, 0.0)
    to_data = axes.transData.inverted()
    (left, low), (right, high) = to_data.transform([(box.x0 + shift, box.y0), (box.x1, box.y1)])
    below = planned.lrs[max(int(left), 0) : max(int(right), 0) + 1]
    crossing = below[(below > low) & (below < high)]
    # A line that climbs out of the label's own height would be hit again higher up.
    over = float(below.max()) - low if len(crossing) else 0.0
    rise = axes.transData.transform((0, over))[1] - axes.transData.transform((0, 0))[1]
    points = 72 / figure.dpi
    label.set_position((x + shift * points, y + (rise * points + 4 if over else 0.0)))
