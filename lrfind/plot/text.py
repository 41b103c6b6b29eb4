"""Text that knows how wide it is: written in inches, wrapped, cut, and moved out of the way."""

from __future__ import annotations

from typing import cast

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from lrfind.plain_text import plain
from lrfind.plot import style


def write(
    figure: Figure,
    x_in: float,
    y_in: float,
    text: str,
    *,
    size: float = style.SIZE_TEXT,
    color: str = style.BLACK,
    weight: str = "normal",
    ha: str = "left",
) -> Text:
    """Write a line of text, its baseline and anchor in inches from the lower left corner."""
    width, height = figure.get_size_inches()
    # parse_math off: a dollar in a user's title is a dollar.
    return figure.text(
        x_in / width, y_in / height, plain(text), fontsize=size, color=color, weight=weight, ha=ha,
        va="baseline", parse_math=False,
    )  # fmt: skip


def measure_in(
    figure: Figure, text: str, weight: str = "normal", size: float = style.SIZE_TEXT
) -> float:
    """Measure the width of a line of text."""
    probe = write(figure, 0, 0, text, weight=weight, size=size)
    box = probe.get_window_extent(renderer(figure))
    probe.remove()
    return float(box.width) / figure.dpi


def wrap(figure: Figure, text: str, room_in: float) -> list[str]:
    """Break a paragraph into lines no wider than the room."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measure_in(figure, longer) <= room_in:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def cut(figure: Figure, title: str) -> str:
    """Shorten a title that is wider than the sheet."""
    room = style.WIDTH_IN - 2 * style.EDGE_IN
    kept = title[:200]
    while kept and measure_in(figure, kept, "bold", style.SIZE_TITLE) > room:
        kept = kept[:-2]
        title = kept.rstrip() + "…"
    return title


def place_in_panel(axes: Axes, artist: Text, *, high_lr: float | None = None) -> None:
    """Shift a text sideways until it stands inside the sheet, or between an LR and the left edge.

    Args:
        axes: the panel it belongs to.
        artist: a text whose x is in LR.
        high_lr: the text stays within the panel and left of this LR; None: within the sheet.
    """
    figure = _sheet_of(axes)
    box = artist.get_window_extent(renderer(figure))
    inner = axes.get_window_extent(renderer(figure))
    low, high = 4.0, style.WIDTH_IN * figure.dpi - 4
    if high_lr is not None:
        low, high = inner.x0 + 4, float(axes.transData.transform((high_lr, 1.0))[0]) - 4
    shift = max(low - box.x0, 0.0) or min(high - box.x1, 0.0)
    _shift(axes, artist, shift)


def separate(axes: Axes, left: Text, right: Text) -> None:
    """Push two texts apart where they overlap: the one that has room gives way."""
    figure = _sheet_of(axes)
    box, other = (text.get_window_extent(renderer(figure)) for text in (left, right))
    overlap = box.x1 + 6 - other.x0
    if overlap <= 0:
        return
    width = style.WIDTH_IN * figure.dpi
    if other.x1 + overlap < width - 4:
        _shift(axes, right, overlap)
    else:
        _shift(axes, left, -overlap)


def _shift(axes: Axes, artist: Text, pixels: float) -> None:
    if pixels:
        x, y = artist.get_position()
        pixel = axes.transData.transform((float(x), 1.0))
        moved = axes.transData.inverted().transform((pixel[0] + pixels, pixel[1]))
        artist.set_position((float(moved[0]), float(y)))


def _sheet_of(axes: Axes) -> Figure:
    return cast(Figure, axes.get_figure(root=True))


def renderer(figure: Figure) -> RendererAgg:
    """Get the renderer that text is measured with, whatever format it ends in."""
    canvas = figure.canvas
    agg = canvas if isinstance(canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    return cast(RendererAgg, agg.get_renderer())  # type: ignore[no-untyped-call]
