"""Several saved runs in one drawing: a line a run, on one scale where they share one."""

from __future__ import annotations

from collections.abc import Sequence

from lrfind.frame import fit_frame, lr_text, pool
from lrfind.html.drawing import Data, frame_data, line, mark, rounded, stride_of
from lrfind.html.facts import Switch
from lrfind.html.palette import SERIES
from lrfind.plain_text import one_line
from lrfind.plot import Layer
from lrfind.plot.overlay import on_one_scale

DASHES = ("", "9 4", "2 4", "9 4 2 4")
"""Line styles of compared runs: with `SERIES`, 28 looks that a grey print tells apart by four."""


def look_of(index: int) -> tuple[str, str]:
    """Choose colour and dashes of a run that is drawn, by its place among those."""
    return f"series-{index % len(SERIES)}", DASHES[index % len(DASHES)]


def comparison_drawing(layers: Sequence[Layer]) -> Data:
    """Describe the smooth line of each run, its suggested LR marked."""
    drawn, is_relative = on_one_scale(layers)
    curves = [curve for layer in drawn for curve in layer.curves]
    frame = fit_frame(curves, [layer.suggestion.lr for layer in drawn if layer.suggestion])
    stride = stride_of(curves)
    places = [i for i, layer in enumerate(layers) if any(len(curve) for curve in layer.curves)]
    lines, marks = [], []
    for i, layer in enumerate(drawn):
        pooled, label = pool(layer.curves), one_line(layer.label)
        key, colour, dash = f"run-{i}", *look_of(i)
        drawn_line = line(key, label, colour, pooled.lr, pooled.middle, stride)
        measured = pool([curve for curve in layers[places[i]].curves if len(curve)])
        # What is read off a line is the loss itself, on whatever scale that is drawn.
        lines.append(drawn_line | {"dash": dash, "told": rounded(measured.middle, stride)})
        if layer.suggestion:
            lr = layer.suggestion.lr
            found = mark(key, "run", f"{label}: {lr_text(lr)}", lr, pooled.at(lr))
            marks.append(found | {"colour": colour})
    return {
        "frame": frame_data(frame),
        "isRelative": is_relative,
        "points": [],
        "lines": lines,
        "band": None,
        "marks": marks,
        "range": None,
        "end": None,
        "trials": [],
    }


def comparison_switches(layers: Sequence[Layer]) -> dict[str, list[Switch]]:
    """List the runs that can be switched."""
    drawn, _ = on_one_scale(layers)
    runs = [Switch(f"run-{i}", one_line(layer.label)) for i, layer in enumerate(drawn)]
    return {"Runs": runs} if runs else {}
