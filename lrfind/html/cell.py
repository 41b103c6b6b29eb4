"""A report as the output of a notebook's cell: figure and table, and what to show without either.

Needs matplotlib, and neither D3 nor Jinja: a cell holds no script, since notebooks run none that
they do not trust.
"""

from __future__ import annotations

import base64
from html import escape

from lrfind.console import render
from lrfind.html import facts
from lrfind.output_format import Format
from lrfind.plain_text import plain
from lrfind.plot.files import figure_bytes
from lrfind.report import Report

DPI = 100
"""800 pixels across: about what a cell is wide; a notebook that is kept stays small."""

_CELL = "text-align:left;vertical-align:top;padding:2px 14px 2px 0"


def bundle(report: Report) -> dict[str, str]:
    """Show a report in every form that a front end may choose from.

    A front end shows one of them, the richest: so HTML holds figure and table, PNG the figure.
    """
    picture = base64.b64encode(figure_bytes(report.figure(), "png", dpi=DPI)).decode()
    return {
        "text/plain": render(report, Format.TABLE, width=100),
        "text/html": _figure(report, picture) + _table(report),
        "image/png": picture,
    }


def _figure(report: Report, picture: str) -> str:
    words = escape(plain(facts.summary(report)))
    return (
        f'<img src="data:image/png;base64,{picture}" alt="{words}" '
        'style="width:100%;max-width:800px"/>'
    )


def _table(report: Report) -> str:
    answer = facts.headline(report)
    rows = [(fact.name, f"{fact.value} – {fact.use}") for fact in answer.facts]
    rows.append(("verdict", f"{answer.sign} {answer.verdict} {answer.how}".rstrip()))
    rows.append(("reason", answer.reason))
    if answer.remedy:
        rows.append(("change", answer.remedy))
    trials = [f"loss {loss} at {lr}" for lr, loss, _, _ in facts.trial_rows(report)]
    if trials:
        rows.append(("trials", " · ".join(trials)))
    rows += [("note", str(note)) for note in report.notes]
    cells = "".join(
        f'<tr><th scope="row" style="{_CELL}">{escape(plain(name))}</th>'
        f'<td style="{_CELL}">{escape(plain(text))}</td></tr>'
        for name, text in rows
    )
    return f"<table>{cells}</table>"
