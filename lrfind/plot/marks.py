"""What is drawn on a panel: points, lines, band, range, answer, end. One function a mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from lrfind.curve import Curve
from lrfind.frame import Frame, Pooled, end_text, exit_lr, lr_text, pool, smooth_line
from lrfind.plot import style
from lrfind.plot.text import place_in_panel, separate
from lrfind.plot.thinning import seen_line, seen_points
from lrfind.smoothing import Floats
from lrfind.suggest.answer import Suggestion

_HALO = [withStroke(linewidth=4.5, foreground="white")]

RASTER_FROM = 2000
"""Points above which vector formats get a bitmap of them."""


def raw_points(axes: Axes, curves: Sequence[Curve], frame: Frame, color: str) -> None:
    """Draw every measured loss faintly; those outside the frame as small arrows at its edge."""
    lr = np.concatenate([curve.lr for curve in curves])
    loss = np.concatenate([curve.loss for curve in curves])
    alpha = min(0.45, max(0.08, 120 / max(len(lr), 1)))
    inside = (loss >= frame.loss_low) & (loss <= frame.loss_high)
    look: dict[str, Any] = {"linestyle": "none", "color": color, "markeredgewidth": 0, "zorder": 2}
    is_raster = len(lr) > RASTER_FROM
    x, y = lr[inside], loss[inside]
    for at, opacity in seen_points(np.log10(x), y, alpha):
        axes.plot(x[at], y[at], ".", markersize=5, alpha=opacity, rasterized=is_raster, **look)
    top = axes.get_ylim()[1] - 0.012 * (frame.loss_high - frame.loss_low)
    for beyond, edge, shape in (
        (loss > frame.loss_high, top, "^"),
        (loss < frame.loss_low, frame.loss_low, "v"),
    ):
        # An infinite loss is above the frame; a NaN is nowhere and told by the end mark.
        arrows = _thinned(lr[beyond], (frame.lr_high / frame.lr_low) ** 0.014)
        axes.plot(arrows, np.full(len(arrows), edge), shape, markersize=4.5, alpha=0.5, **look)


def firm_line(axes: Axes, lr: Floats, loss: Floats, color: str, dash: style.Dash = "-") -> None:
    """Draw the smooth line, set off from points that are too many to see it among."""
    at = seen_line(np.log10(lr), loss)
    halo = _HALO if len(at) < len(lr) else None
    axes.plot(lr[at], loss[at], dash, color=color, linewidth=2.2, zorder=4, path_effects=halo)


def thin_lines(axes: Axes, curves: Sequence[Curve], pooled: Pooled, color: str) -> None:
    """Draw one thin line a seed, and the band between them where all were measured."""
    x = np.log10(pooled.lr)
    at = np.union1d(seen_line(x, pooled.low), seen_line(x, pooled.high))
    band = (pooled.lr[at], pooled.low[at], pooled.high[at])
    axes.fill_between(*band, color=color, alpha=0.15, lw=0, zorder=1.5)
    for curve in curves:
        lr, loss = smooth_line(curve)
        at = seen_line(np.log10(lr), loss)
        axes.plot(lr[at], loss[at], color=color, linewidth=0.8, alpha=0.55, zorder=3)


def exits(axes: Axes, curves: Sequence[Curve], frame: Frame, color: str) -> None:
    """Put an arrow on the top edge wherever a seed's line leaves the frame for good."""
    for curve in curves:
        lr, loss = smooth_line(curve)
        at = exit_lr(lr, loss, frame.loss_high)
        if at is not None:
            top = axes.get_ylim()[1] - 0.025 * (frame.loss_high - frame.loss_low)
            axes.plot([at], [top], "^", color=color, markersize=8, zorder=6)


def end(axes: Axes, curves: Sequence[Curve]) -> None:
    """Grey out what the sweep did not reach and say there why it ended."""
    reached = [float(curve.lr[-1]) for curve in curves if len(curve)]
    if not reached:
        return
    last, right = max(reached), axes.get_xlim()[1]
    axes.axvspan(last, right, color=style.PALE, lw=0, zorder=0.5)
    axes.axvline(last, color=style.GREY, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    axes.text(
        float(np.sqrt(last * right)), 0.03, end_text(curves), transform=axes.get_xaxis_transform(),
        rotation=90, ha="center", va="bottom", fontsize=style.SIZE_SMALL, color=style.BLACK,
    )  # fmt: skip


def usable_range(axes: Axes, suggestion: Suggestion, frame: Frame) -> None:
    """Shade low..high and write both numbers under the curves."""
    low, high = suggestion.low, suggestion.high
    axes.axvspan(low, high, color=style.GREEN, alpha=0.13, lw=0, zorder=0.8)
    for edge in (low, high):
        axes.axvline(edge, color=style.GREEN, linewidth=0.8, alpha=0.6, zorder=0.9)
    label = axes.text(
        float(np.sqrt(low * high)), 0.035, f"usable {lr_text(low)} … {lr_text(high)}",
        transform=axes.get_xaxis_transform(), ha="center", va="bottom",
        fontsize=style.SIZE_LABEL, color=style.DEEP_GREEN, zorder=7,
        path_effects=[withStroke(linewidth=3, foreground="white", alpha=0.8)],
    )  # fmt: skip
    place_in_panel(axes, label, high_lr=frame.lr_high)


def answer(axes: Axes, suggestion: Suggestion, pooled: Pooled, frame: Frame) -> None:
    """Mark lr and what stands beside it on the line, each led up to its value over the frame.

    The label of the lower one ends at its line and that of the higher one begins at its own, so
    that they stand apart even where the lines do not. A lone lr is told with what it is for.
    """
    top = axes.get_ylim()[1]
    found = [("lr", suggestion.lr, "o", 11, 9, "-")]
    if suggestion.second is not None:
        found.append((*suggestion.second, "D", 7, 8, "--"))
    found.sort(key=lambda mark: mark[1])
    labels: list[Text] = []
    for i, (name, lr, shape, size, order, dash) in enumerate(found):
        loss = float(np.clip(pooled.at(lr), frame.loss_low, frame.loss_high))
        axes.plot(
            [lr, lr], [loss, top], color=style.VERMILLION, linewidth=1.3, linestyle=dash, zorder=5
        )
        axes.plot(
            [lr], [loss], shape, markersize=size, markeredgewidth=1.8, zorder=order,
            markeredgecolor="white" if name == "lr" else style.VERMILLION,
            color=style.VERMILLION if name == "lr" else "white",
        )  # fmt: skip
        is_left, text = i == 0, f"{name} {lr_text(lr)}"
        label = axes.text(
            lr, 1.015, f"{text} " if is_left else f" {text}",
            transform=axes.get_xaxis_transform(), ha="right" if is_left else "left", va="bottom",
            color=style.DEEP_VERMILLION,
            fontsize=style.SIZE_TEXT + 1.5 if name == "lr" else style.SIZE_LABEL,
            weight="bold" if name == "lr" else "normal",
        )  # fmt: skip
        labels.append(label)
    if suggestion.second is None:
        labels.append(
            axes.text(
                suggestion.lr, 1.015, f" for {suggestion.schedule}  ",
                transform=axes.get_xaxis_transform(), ha="left", va="bottom",
                color=style.DEEP_VERMILLION, fontsize=style.SIZE_LABEL,
            )
        )  # fmt: skip
    for label in labels:
        place_in_panel(axes, label)
    separate(axes, *labels)


def seed_answers(
    axes: Axes, suggestion: Suggestion, curves: Sequence[Curve], pooled: Pooled, frame: Frame
) -> None:
    """Mark what each seed alone answers, on its own line."""
    answers = suggestion.per_seed if len(suggestion.per_seed) > 1 else ()
    # Seeds without an answer are left out of `per_seed`, and which they are is not said.
    matched = len(answers) == len(curves)
    lines = [pool([curve]) for curve in curves] if matched else [pooled] * len(answers)
    for lr, line in zip(answers, lines, strict=True):
        loss = float(np.clip(line.at(lr), frame.loss_low, frame.loss_high))
        axes.plot(
            [lr], [loss], "o", markersize=5.5, color="white", zorder=7,
            markeredgecolor=style.VERMILLION, markeredgewidth=1.4,
        )  # fmt: skip


def _thinned(lr: Floats, ratio: float) -> Floats:
    """Keep LRs that stand apart by at least a ratio."""
    ordered, i = np.sort(lr), 0
    kept: list[float] = []
    while i < len(ordered):
        kept.append(float(ordered[i]))
        i = int(np.searchsorted(ordered, kept[-1] * ratio))
    return np.array(kept, dtype=np.float64)
