"""The picture of a report, composed of marks on a sheet."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from lrfind.curve import Curve
from lrfind.frame import fit_frame, pool
from lrfind.plot import marks, style
from lrfind.plot.scale import dress
from lrfind.plot.sheet import Run, fit_left, footnote, isolated, lay_out
from lrfind.plot.trials import PANEL_IN, draw_trials
from lrfind.report import Report
from lrfind.suggest.answer import Verdict

_VERDICT_COLORS = {Verdict.OK: style.DEEP_GREEN, Verdict.LOW_CONFIDENCE: style.ORANGE}


@isolated
def draw(report: Report) -> Figure:
    """Draw one report; the figure belongs to no backend and no pyplot state.

    What a reader finds: title; verdict and reason; the curve with the answer marked on it; the
    usable range; where and why the sweep ended; under it, where each trial ended. Without a
    suggestion, the reason and the remedy.
    """
    curves = [curve for curve in report.curves if len(curve)]
    suggestion = report.suggestion
    answers = suggestion.shown if suggestion else ()
    tried = [trial.lr for trial in report.trials]
    frame = fit_frame(curves, [*answers, *tried], shows_points=True)
    sheet = lay_out(
        " ".join(report.title.split()),
        _verdict(report),
        (style.PANEL_IN, PANEL_IN) if tried else (style.PANEL_IN,),
        lane_in=style.LANE_IN if suggestion else style.LANE_IN / 2,
    )
    axes = sheet.panels[0]
    dress(axes, frame)
    if tried:
        draw_trials(sheet.panels[1], report.trials)
        axes.tick_params(labelbottom=False)
        axes.set_xlabel("")
    fit_left(sheet)
    if curves:
        pooled = pool(curves)
        marks.raw_points(axes, curves, frame, style.BLUE)
        if len(curves) > 1:
            marks.thin_lines(axes, curves, pooled, style.BLUE)
        marks.firm_line(axes, pooled.lr, pooled.middle, style.BLUE)
        marks.exits(axes, curves, frame, style.BLUE)
        marks.end(axes, curves)
        if suggestion:
            marks.usable_range(axes, suggestion, frame)
            marks.answer(axes, suggestion, pooled, frame)
            marks.seed_answers(axes, suggestion, curves, pooled, frame)
    footnote(sheet, _footnote(curves))
    return sheet.figure


def _verdict(report: Report) -> list[Run]:
    if report.suggestion:
        verdict, text = report.suggestion.verdict, report.suggestion.reason
    elif report.no_answer:
        verdict, text = report.no_answer.verdict, str(report.no_answer)
        return [Run(f"no suggestion ({verdict})", text, style.DEEP_VERMILLION)]
    else:
        return []
    return [Run(verdict.value, text, _VERDICT_COLORS.get(verdict, style.DEEP_VERMILLION))]


def _footnote(curves: Sequence[Curve]) -> str:
    if len(curves) < 2:
        return "points: every step · line: smoothed"
    return (
        f"points: every step · thin lines: {len(curves)} seeds, smoothed · "
        "thick line: median · small circles: each seed's lr"
    )
