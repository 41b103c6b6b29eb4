"""Many curves in one picture, to compare saved runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrfind.curve import Curve, StopReason
from lrfind.frame import Frame, fit_frame, lr_text, pool
from lrfind.plot import marks, style
from lrfind.plot.files import picture_format, write_figure
from lrfind.plot.scale import dress
from lrfind.plot.sheet import Run, fit_left, footnote, isolated, lay_out
from lrfind.report import Report
from lrfind.suggest.answer import Suggestion

UNLIKE = 5.0
"""Ratio of loss ranges from which each curve is drawn on its own scale."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One saved run in an overlay.

    Attributes:
        label: how the reader knows it.
        curves: one a seed; drawn as their median.
        suggestion: marked on the line, where there is one.
    """

    label: str
    curves: tuple[Curve, ...]
    suggestion: Suggestion | None = None

    @classmethod
    def from_report(cls, label: str, report: Report) -> Layer:
        """Take what an overlay shows of a report."""
        return cls(label, report.curves, report.suggestion)


def overlay(layers: Sequence[Layer], path: Path, *, title: str = "", dpi: int = style.DPI) -> None:
    """Draw several runs into one PNG, SVG or PDF file; see `draw_overlay`.

    Raises:
        OutputError: the suffix is unknown or the file cannot be written.
    """
    picture_format(path)
    write_figure(draw_overlay(layers, title=title), path, dpi=dpi)


@isolated
def draw_overlay(layers: Sequence[Layer], *, title: str = "") -> Figure:
    """Draw the smooth line of each run, its suggested LR marked, and a key above.

    Losses on unlike scales (ranges that differ by more than `UNLIKE`, or that do not meet) are
    drawn each on its own scale.
    """
    drawn, relative = on_one_scale(layers)
    frame = fit_frame(
        [curve for layer in drawn for curve in layer.curves],
        [layer.suggestion.lr for layer in drawn if layer.suggestion],
    )
    looks = [
        (style.SERIES[i % len(style.SERIES)], style.DASHES[i % len(style.DASHES)])
        for i in range(len(drawn))
    ]
    runs = [
        Run(" ".join(layer.label.split()), _answer(layer.suggestion), *look)
        for layer, look in zip(drawn, looks, strict=True)
    ]
    sheet = lay_out(" ".join(title.split()), runs, (style.PANEL_IN,), lane_in=style.LANE_IN / 2)
    axes = sheet.panels[0]
    dress(axes, frame, bottom_lane=0.04)
    if relative:
        axes.set_ylabel("loss, each on its own scale", fontsize=style.SIZE_TEXT)
        axes.set_yticks([])
    fit_left(sheet)
    for layer, (color, dash) in zip(drawn, looks, strict=True):
        _draw_layer(axes, layer, frame, color, dash)
    footnote(sheet, "lines: smoothed · circles: suggested lr · arrows: diverged · crosses: NaN")
    return sheet.figure


def on_one_scale(layers: Sequence[Layer]) -> tuple[list[Layer], bool]:
    """Leave out what holds no point, and map losses that are unlike to 0..1 each.

    Returns:
        The layers to draw, and whether each is on its own scale.
    """
    kept = [_with_curves(layer, [c for c in layer.curves if len(c)]) for layer in layers]
    drawn = [layer for layer in kept if layer.curves]
    if not _are_unlike([fit_frame(layer.curves) for layer in drawn]):
        return drawn, False
    return [_with_curves(layer, _relative(layer.curves)) for layer in drawn], True


def _with_curves(layer: Layer, curves: Sequence[Curve]) -> Layer:
    """Give a layer other curves."""
    return replace(layer, curves=tuple(curves))


def _draw_layer(axes: Axes, layer: Layer, frame: Frame, color: str, dash: style.Dash) -> None:
    pooled = pool(layer.curves)
    if len(pooled.lr) == 0:
        return
    marks.firm_line(axes, pooled.lr, pooled.middle, color, dash)
    marks.exits(axes, layer.curves, frame, color)
    for curve in layer.curves:
        if curve.stop is StopReason.NONFINITE:
            end = float(np.clip(pooled.middle[-1], frame.loss_low, frame.loss_high))
            axes.plot([pooled.lr[-1]], [end], "x", color=color, markersize=8, mew=2, zorder=6)
    if layer.suggestion:
        at = float(np.clip(pooled.at(layer.suggestion.lr), frame.loss_low, frame.loss_high))
        axes.plot(
            [layer.suggestion.lr], [at], "o", color=color, markersize=10,
            markeredgecolor="white", markeredgewidth=1.8, zorder=8,
        )  # fmt: skip


def _answer(suggestion: Suggestion | None) -> str:
    if suggestion is None:
        return "no suggestion"
    use = f" for {suggestion.schedule}" if suggestion.schedule else ""
    return (
        f"lr {lr_text(suggestion.lr)}{use} · usable {lr_text(suggestion.low)} … "
        f"{lr_text(suggestion.high)} · {suggestion.verdict}"
    )


def _are_unlike(frames: Sequence[Frame]) -> bool:
    if len(frames) < 2:
        return False
    heights = [frame.loss_high - frame.loss_low for frame in frames]
    whole = max(f.loss_high for f in frames) - min(f.loss_low for f in frames)
    return whole > UNLIKE * min(heights)


def _relative(curves: Sequence[Curve]) -> list[Curve]:
    """Map the frame of these curves to 0..1."""
    frame = fit_frame(curves)
    height = frame.loss_high - frame.loss_low
    return [replace(curve, loss=(curve.loss - frame.loss_low) / height) for curve in curves]
