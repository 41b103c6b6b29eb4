"""LR against batch size as a picture: what each sweep says, and the law through it."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from lrfind.batch_law import BatchLaw
from lrfind.frame import decades, lr_text
from lrfind.plot import style
from lrfind.plot.files import picture_format, write_figure
from lrfind.plot.scale import quieten
from lrfind.plot.sheet import Run, fit_left, footnote, isolated, lay_out

_HALO = [withStroke(linewidth=3, foreground="white", alpha=0.85)]
_MOST_TICKS = 12


def save_batch_law(law: BatchLaw, path: Path, *, dpi: int = style.DPI) -> None:
    """Draw a law into a PNG, SVG or PDF file.

    Args:
        law: what to draw.
        path: replaced as a whole, or left as it was.
        dpi: pixels an inch; the sheet is 8 inches wide.

    Raises:
        OutputError: the suffix is unknown or the file cannot be written.
    """
    picture_format(path)
    write_figure(draw_batch_law(law), path, dpi=dpi)


@isolated
def draw_batch_law(law: BatchLaw) -> Figure:
    """Draw LRs with their usable ranges over batch sizes, both logarithmic, and the fitted line.

    A batch size without an answer is a cross at the foot; an answer that is not sure is hollow.
    """
    runs = [Run("rule", law.conclusion, style.DEEP_VERMILLION)]
    sheet = lay_out(law.title, runs, (style.PANEL_IN,))
    axes = sheet.panels[0]
    _dress(axes, law)
    fit_left(sheet)
    _line(axes, law)
    _points(axes, law)
    unsure = any(point.suggestion and not point.is_sure for point in law.points)
    silent = any(point.suggestion is None for point in law.points)
    marks = ["bars: usable range", *["hollow: not sure"] * unsure, *["cross: no answer"] * silent]
    footnote(sheet, " · ".join(marks))
    return sheet.figure


def _dress(axes: Axes, law: BatchLaw) -> None:
    """Give the panel its limits and ticks; every batch size has one while there are few."""
    sizes = [point.batch_size for point in law.points] or [1]
    ends = [end for _, found in law.answers for end in (found.low, found.lr, found.high)]
    low, high = min(ends, default=1e-4), max(ends, default=1e-1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    room = (max(sizes) / min(sizes)) ** 0.12 if max(sizes) > min(sizes) else 2.0
    axes.set_xlim(min(sizes) / room, max(sizes) * room**1.6)
    height = max(high / low, 10.0)
    axes.set_ylim(low / height**0.14, high * height**0.1)
    every = 1 + len(sizes) // _MOST_TICKS
    axes.xaxis.set_major_locator(FixedLocator(sizes[::every]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(FixedLocator(_lr_ticks(*axes.get_ylim())))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: _short(y)))
    axes.yaxis.set_minor_locator(LogLocator(subs=tuple(range(2, 10))))
    axes.yaxis.set_minor_formatter(NullFormatter())
    quieten(axes)
    axes.set_xlabel("batch size", fontsize=style.SIZE_TEXT, color=style.BLACK)
    axes.set_ylabel("learning rate", fontsize=style.SIZE_TEXT, color=style.BLACK)


def _lr_ticks(low: float, high: float) -> list[float]:
    """List the decades inside the limits, and what lies between where they are few."""
    powers = decades(low, high)
    if len(powers) > 2:
        return powers[:: 1 + len(powers) // 8]
    around = [power * digit for power in decades(low / 10, high) for digit in (1, 2, 5)]
    return [tick for tick in around if low <= tick <= high]


def _short(lr: float) -> str:
    mantissa, _, exponent = f"{lr:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _line(axes: Axes, law: BatchLaw) -> None:
    """Draw the fitted line with its exponent above the frame, where no point can be."""
    if law.exponent is None:
        return
    sizes = [size for size, _ in law.answers]
    ends = [min(sizes), max(sizes)]
    axes.plot(
        ends, [law.lr_at(size) for size in ends], "--", color=style.VERMILLION, linewidth=1.8,
        zorder=4,
    )  # fmt: skip
    found = law.exponent
    words = f"lr ∝ batch$^{{{found.value:.2f}}}$"
    if law.has_interval:
        words += f"  (95 %: {found.low:.2f} … {found.high:.2f})".replace("-", "−")
    axes.annotate(
        words, (ends[1], law.lr_at(ends[1])), xycoords="data", xytext=(1.0, 1.03),
        textcoords="axes fraction", ha="right", va="bottom", fontsize=style.SIZE_TEXT,
        weight="bold", color=style.DEEP_VERMILLION, annotation_clip=False,
    )  # fmt: skip


def _points(axes: Axes, law: BatchLaw) -> None:
    foot = axes.get_xaxis_transform()
    for point in law.points:
        size, found = point.batch_size, point.suggestion
        if found is None:
            axes.plot(
                [size], [0.05], "x", transform=foot, color=style.GREY, markersize=8, mew=2, zorder=6
            )
            continue
        axes.plot(
            [size, size], [found.low, found.high], "-_", color=style.BLUE, alpha=0.45,
            linewidth=2.2, markersize=9, mew=2.2, zorder=3,
        )  # fmt: skip
        axes.plot(
            [size], [found.lr], "o", markersize=9.5, zorder=8,
            color=style.BLUE if point.is_sure else "white",
            markeredgecolor="white" if point.is_sure else style.BLUE, markeredgewidth=1.6,
        )  # fmt: skip
        axes.annotate(
            lr_text(found.lr), (size, found.lr), xytext=(9, -5), textcoords="offset points",
            ha="left", va="top", fontsize=style.SIZE_LABEL, color=style.BLACK, zorder=9,
            path_effects=_HALO,
        )  # fmt: skip
