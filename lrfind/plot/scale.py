"""Axes: limits from a frame, a log LR axis with decades and minor ticks, labels without noise."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, Formatter, FuncFormatter, MaxNLocator, NullFormatter

from lrfind.frame import Frame, decades, tick_texts
from lrfind.plot import style

BOTTOM_LANE = 0.13
"""Share of the panel's height kept free under the curves, for the label of the range."""

RIGHT_LANE = 0.045
"""Share of the panel's width right of the last LR, for the words on how the sweep ended."""


def dress(axes: Axes, frame: Frame, *, bottom_lane: float = BOTTOM_LANE) -> None:
    """Give a panel its limits, log LR axis, ticks and grid."""
    axes.set_xscale("log")
    span = frame.lr_high / frame.lr_low
    axes.set_xlim(frame.lr_low / span**0.02, frame.lr_high * span**RIGHT_LANE)
    height = frame.loss_high - frame.loss_low
    axes.set_ylim(frame.loss_low - bottom_lane * height, frame.loss_high + 0.04 * height)
    _lr_ticks(axes)
    axes.yaxis.set_major_locator(MaxNLocator(5, min_n_ticks=3, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(AlikeFormatter())
    quieten(axes)
    axes.set_ylabel("loss", fontsize=style.SIZE_TEXT, color=style.BLACK)
    axes.set_xlabel("learning rate", fontsize=style.SIZE_TEXT, color=style.BLACK)


def quieten(axes: Axes) -> None:
    """Give a panel its pale grid, and no frame but its two axes."""
    axes.grid(True, which="major", color=style.PALE, linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(style.GREY)
    axes.tick_params(which="both", color=style.GREY, labelcolor=style.BLACK)
    axes.tick_params(labelsize=style.SIZE_LABEL)


class AlikeFormatter(Formatter):
    """Write all tick labels of a linear axis with the same, sufficient number of digits."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write one number by itself."""
        return tick_texts([x])[0]

    def format_ticks(self, values: list[float]) -> list[str]:
        """Write all of them, with a true minus sign."""
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
