"""The panel of the trials: where each ended, against the LR it was given."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from lrfind.plot import style
from lrfind.plot.scale import AlikeFormatter, quieten
from lrfind.refine import Trial

PANEL_IN = 1.5

STRAY = 3.0
"""A single loss further above the best than this many times the next one leaves the panel."""


def draw_trials(axes: Axes, trials: Sequence[Trial]) -> None:
    """Draw each trial's final loss with its value; what diverged or lies far off, at the top.

    The panel shares the LR axis of the one above it.
    """
    ordered = sorted(trials, key=lambda trial: trial.lr)
    low, high = _limits([trial.loss for trial in ordered])
    height = high - low
    axes.set_ylim(low - 0.4 * height, high + 0.3 * height)
    axes.yaxis.set_major_locator(MaxNLocator(3, min_n_ticks=2, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(AlikeFormatter())
    quieten(axes)
    axes.set_ylabel("final loss", fontsize=style.SIZE_TEXT, color=style.BLACK)
    axes.set_xlabel("learning rate", fontsize=style.SIZE_TEXT, color=style.BLACK)
    inside = [trial for trial in ordered if trial.loss <= high]
    axes.plot(
        [trial.lr for trial in inside], [trial.loss for trial in inside], "-",
        color=style.BLUE, linewidth=1.2, alpha=0.5, zorder=3,
    )  # fmt: skip
    best = min(ordered, key=lambda trial: trial.loss)
    for trial in ordered:
        _mark(axes, trial, high, is_best=trial is best and not trial.diverged)
    count = f"{len(ordered)} trial{'s' * (len(ordered) > 1)}"
    axes.text(
        0.0, 1.03, f"{count} of up to {max(trial.steps for trial in ordered)} steps",
        transform=axes.transAxes, ha="left", va="bottom",
        fontsize=style.SIZE_LABEL, color=style.BLACK,
    )  # fmt: skip


def _mark(axes: Axes, trial: Trial, high: float, *, is_best: bool) -> None:
    is_off = trial.loss > high
    color = style.VERMILLION if is_best else style.BLUE
    shape = ("x" if trial.diverged else "^") if is_off else "o"
    loss = high if is_off else trial.loss
    axes.plot(
        [trial.lr], [loss], shape, color=color, markersize=9 if is_best else 6.5, zorder=5,
        markeredgecolor=color if shape == "x" else "white",
        markeredgewidth=1.8 if shape == "x" else 1.2,
    )  # fmt: skip
    label = axes.annotate(
        "diverged" if trial.diverged else f"{trial.loss:.3g}".replace("-", "−", 1),
        (trial.lr, loss), xytext=(0, -8 if is_best else 7), textcoords="offset points",
        ha="center", va="top" if is_best else "bottom",
        fontsize=style.SIZE_LABEL if is_best else style.SIZE_SMALL, zorder=6,
        weight="bold" if is_best else "normal",
        color=style.DEEP_VERMILLION if is_best else style.BLACK,
        path_effects=[withStroke(linewidth=2.5, foreground="white", alpha=0.8)],
    )  # fmt: skip
    label.set_annotation_clip(False)


def _limits(losses: Sequence[float]) -> tuple[float, float]:
    """Span the finite losses, without one that would squash the others."""
    finite = sorted(loss for loss in losses if math.isfinite(loss))
    if not finite:
        return 0.0, 1.0
    low, high = finite[0], finite[-1]
    if len(finite) > 2 and high - low > STRAY * (finite[-2] - low) > 0.0:
        high = finite[-2]
    if not high - low > 1e-9 * max(abs(high), abs(low)):
        margin = 0.05 * abs(high) or 1.0
        low, high = low - margin, high + margin
    return low, high
