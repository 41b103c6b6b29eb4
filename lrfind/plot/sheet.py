"""The sheet a picture is drawn on: sizes in inches, header, axes, text that knows its width.

Heights add up from what is written, so that a long reason makes a taller sheet, never a
smaller plot. Further panels under the first share its LR axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, Formatter, FuncFormatter, MaxNLocator, NullFormatter

from lrfind.frame import Frame, decades, tick_texts
from lrfind.plot import style

BOTTOM_LANE = 0.13
"""Share of the panel's height kept free under the curves, for the label of the range."""

RIGHT_LANE = 0.045
"""Share of the panel's width right of the last LR, for the words on how the sweep ended."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of header text: a bold coloured word, then a paragraph that wraps beside it."""

    lead: str
    text: str
    color: str


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

    def text_width_in(self, artist: Text) -> float:
        """Measure a text of this sheet."""
        return _width_in(self.figure, artist)


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
    wrapped = [_wrap_run(figure, run) for run in runs]
    header = 0.3 * bool(title) + style.LINE_IN * sum(len(lines) for _, lines in wrapped)
    panels_in = sum(panel_heights_in) + lane_in * len(panel_heights_in)
    height = style.TOP_IN + header + panels_in + style.BOTTOM_IN
    figure.set_size_inches(style.WIDTH_IN, height)
    y = height - style.TOP_IN
    x = 0.2 / style.WIDTH_IN
    if title:
        y -= 0.3
        _write(figure, x, (y + 0.08) / height, title, size=style.SIZE_TITLE, weight="bold")
    for run, (indent, lines) in zip(runs, wrapped, strict=True):
        for i, line in enumerate(lines):
            y -= style.LINE_IN
            at = (y + 0.05) / height
            if i == 0:
                _write(figure, x, at, run.lead, color=run.color, weight="bold")
            _write(figure, x + indent / style.WIDTH_IN, at, line)
    panels: list[Axes] = []
    for panel_height in panel_heights_in:
        y -= lane_in + panel_height
        width = style.WIDTH_IN - style.LEFT_IN - style.RIGHT_IN
        box = (style.LEFT_IN / style.WIDTH_IN, y / height, width / style.WIDTH_IN)
        shared = panels[0] if panels else None
        panels.append(figure.add_axes((*box, panel_height / height), sharex=shared))
    return Sheet(figure, tuple(panels), style.WIDTH_IN, height)


def footnote(sheet: Sheet, text: str) -> None:
    """Say under the picture what its marks are."""
    x, y = (style.WIDTH_IN - style.RIGHT_IN) / sheet.width_in, 0.13 / sheet.height_in
    _write(sheet.figure, x, y, text, size=style.SIZE_SMALL, color=style.GREY, ha="right")


def dress(axes: Axes, frame: Frame) -> None:
    """Give a panel its limits, log LR axis, ticks and grid."""
    axes.set_xscale("log")
    span = frame.lr_high / frame.lr_low
    axes.set_xlim(frame.lr_low / span**0.02, frame.lr_high * span**RIGHT_LANE)
    height = frame.loss_high - frame.loss_low
    axes.set_ylim(frame.loss_low - BOTTOM_LANE * height, frame.loss_high + 0.04 * height)
    _lr_ticks(axes)
    axes.yaxis.set_major_locator(MaxNLocator(5, min_n_ticks=3, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(_LossFormatter())
    axes.grid(True, which="major", color=style.PALE, linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(style.GREY)
    axes.tick_params(which="both", color=style.GREY, labelcolor=style.BLACK)
    axes.tick_params(labelsize=style.SIZE_LABEL)
    axes.set_ylabel("loss", fontsize=style.SIZE_TEXT, color=style.BLACK)
    axes.set_xlabel("learning rate", fontsize=style.SIZE_TEXT, color=style.BLACK)


def fit_left(sheet: Sheet) -> None:
    """Move the panels' left edges until their tick labels and axis titles fit on the sheet."""
    renderer = _renderer(sheet.figure)
    boxes = [axes.get_tightbbox(renderer) for axes in sheet.panels]
    missing = max(0.1 * sheet.figure.dpi - box.x0 for box in boxes if box is not None)
    shift = missing / sheet.figure.dpi / sheet.width_in
    for axes in sheet.panels:
        box = axes.get_position()
        axes.set_position((box.x0 + shift, box.y0, box.width - shift, box.height))


def separate(sheet: Sheet, axes: Axes, left: Text, right: Text) -> None:
    """Push two texts apart where they overlap: the one that has room gives way."""
    renderer = _renderer(sheet.figure)
    box, other = left.get_window_extent(renderer), right.get_window_extent(renderer)
    overlap = box.x1 + 6 - other.x0
    if overlap <= 0:
        return
    width = sheet.width_in * sheet.figure.dpi
    if other.x1 + overlap < width - 4:
        _shift(axes, right, overlap)
    else:
        _shift(axes, left, -overlap)


def place_in_panel(sheet: Sheet, axes: Axes, artist: Text, *, high_lr: float | None = None) -> None:
    """Shift a text sideways until it stands inside the sheet, or between an LR and the left edge.

    Args:
        sheet: where it stands.
        axes: the panel it belongs to.
        artist: a text whose x is in LR.
        high_lr: the text stays within the panel and left of this LR; None: within the sheet.
    """
    box = artist.get_window_extent(_renderer(sheet.figure))
    inner = axes.get_window_extent(_renderer(sheet.figure))
    low, high = 4.0, sheet.width_in * sheet.figure.dpi - 4
    if high_lr is not None:
        low, high = inner.x0 + 4, float(axes.transData.transform((high_lr, 1.0))[0]) - 4
    shift = max(low - box.x0, 0.0) or min(high - box.x1, 0.0)
    _shift(axes, artist, shift)


def _shift(axes: Axes, artist: Text, pixels: float) -> None:
    if pixels:
        x, y = artist.get_position()
        pixel = axes.transData.transform((float(x), 1.0))
        moved = axes.transData.inverted().transform((pixel[0] + pixels, pixel[1]))
        artist.set_position((float(moved[0]), float(y)))


class _LossFormatter(Formatter):
    """Write all tick labels of a loss axis with the same, sufficient number of digits."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return tick_texts([x])[0]

    def format_ticks(self, values: list[float]) -> list[str]:
        return [
            text.replace("-", "−", 1) if text.startswith("-") else text
            for text in tick_texts(values)
        ]


def _lr_ticks(axes: Axes) -> None:
    low, high = axes.get_xlim()
    powers = decades(low, high)
    every = 1 + len(powers) // 13
    minor = [
        digit * 10.0**power
        for power in range(-330, 300)
        if low / 10 <= 10.0**power <= high
        for digit in range(2, 10)
        if low <= digit * 10.0**power <= high
    ]
    label = FuncFormatter(lambda x, _: _short(x))
    if len(powers) < 2:
        shown = sorted(
            [*powers, *(tick for tick in minor if high / low < 4 or _short(tick)[0] in "25")]
        )
        axes.xaxis.set_major_locator(FixedLocator(shown))
    else:
        axes.xaxis.set_major_locator(FixedLocator(powers[::every]))
    axes.xaxis.set_major_formatter(label)
    axes.xaxis.set_minor_locator(FixedLocator(minor if every == 1 else powers))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _short(lr: float) -> str:
    mantissa, _, exponent = f"{lr:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _wrap_run(figure: Figure, run: Run) -> tuple[float, list[str]]:
    """Break a paragraph into lines that fit beside its lead; the indent is in inches."""
    probe = _write(figure, 0, 0, run.lead, weight="bold")
    indent = _width_in(figure, probe) + 0.12 if run.lead else 0.0
    probe.remove()
    room = style.WIDTH_IN - 0.4 - indent
    probe = _write(figure, 0, 0, "")
    lines: list[str] = []
    for word in run.text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        probe.set_text(longer)
        if lines and _width_in(figure, probe) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    probe.remove()
    return indent, lines or [""]


def _write(
    figure: Figure,
    x: float,
    y: float,
    text: str,
    *,
    size: float = style.SIZE_TEXT,
    color: str = style.BLACK,
    weight: str = "normal",
    ha: str = "left",
) -> Text:
    # parse_math off: a dollar in a user's title is a dollar.
    return figure.text(
        x,
        y,
        text,
        fontsize=size,
        color=color,
        weight=weight,
        ha=ha,
        va="baseline",
        parse_math=False,
    )


def _renderer(figure: Figure) -> RendererAgg:
    canvas = figure.canvas
    agg = canvas if isinstance(canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    return cast(RendererAgg, agg.get_renderer())  # type: ignore[no-untyped-call]


def _width_in(figure: Figure, artist: Text) -> float:
    box = artist.get_window_extent(_renderer(figure))
    return float(box.width) / figure.dpi
