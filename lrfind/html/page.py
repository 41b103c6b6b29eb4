"""The page's file: its template filled, its scripts and its data inside it, nothing left outside.

What others wrote reaches the page by two ways only, and both escape it: Jinja's autoescape, and
JSON in which no `<` stands. The policy in the head names the scripts and the style by their
digests, so that a browser runs nothing else and asks no server for anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrfind import __version__
from lrfind.atomic import write_atomically
from lrfind.html import facts, palette
from lrfind.html.candidates import candidates
from lrfind.html.comparison import comparison_drawing, comparison_switches, look_of
from lrfind.html.drawing import Data, report_drawing
from lrfind.html.libraries import require_libraries
from lrfind.plain_text import one_line, plain
from lrfind.plot import Layer
from lrfind.report import Report

if TYPE_CHECKING:
    from jinja2 import Template

PAGE_SUFFIX = ".html"

_SCRIPTS = ("axes.js", "curve.js", "trials.js", "reading.js", "page.js")
"""Parts of the page's own script, in the order in which they are joined."""


def save_page(report: Report, path: Path) -> None:
    """Write a report as one page.

    Equal reports give equal bytes.

    Args:
        report: what to show.
        path: replaced as a whole, or left as it was.

    Raises:
        InputError: the extra `html` is not installed.
        OutputError: the file cannot be written.
    """
    found = candidates(report)
    title = one_line(report.title) or "learning rate"
    page = _page(
        title=title,
        drawing=report_drawing(report, found),
        switches=facts.switches(report, found),
        runs=[_run(title, report)],
        candidates=found,
        trials=facts.trial_rows(report),
        table=facts.curve_rows(report),
        summary=facts.summary(report),
    )
    write_atomically(path, page.encode())


def save_comparison(labelled: Sequence[tuple[str, Report]], path: Path) -> None:
    """Write several reports as one page: a line and a row each; see `save_page`.

    Raises:
        InputError: the extra `html` is not installed.
        OutputError: the file cannot be written.
    """
    layers = [Layer.from_report(label, report) for label, report in labelled]
    runs = [_run(one_line(label), report) for label, report in labelled]
    drawn = 0
    for run, layer in zip(runs, layers, strict=True):
        if any(len(curve) for curve in layer.curves):
            run["colour"], run["dash"] = look_of(drawn)
            drawn += 1
    names = ", ".join(run["label"] for run in runs)
    page = _page(
        title=f"{len(runs)} runs compared",
        drawing=comparison_drawing(layers),
        switches=comparison_switches(layers),
        runs=runs,
        candidates=[],
        trials=[],
        table=([], []),
        summary=f"Smoothed loss against learning rate, one line each for {names}. "
        "The table above lists what each suggests.",
    )
    write_atomically(path, page.encode())


def _run(label: str, report: Report) -> Data:
    return {
        "label": label,
        "answer": facts.headline(report),
        "notes": report.notes,
        "config": facts.config_text(report),
        "environment": facts.environment_rows(report),
    }


def _page(*, drawing: Data, **content: Any) -> str:
    library = require_libraries().read_text(encoding="utf-8")
    # A script ends where its element does; D3 holds no `</script`, and a later one must not.
    scripts = [part.replace("</script", "<\\/script") for part in (library, _script())]
    style = palette.rules() + _asset("page.css")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, scripts))}",
            f"style-src {_digest(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return _template().render(
        policy=policy,
        style=style,
        scripts=scripts,
        drawing=drawing,
        version=__version__,
        stride=max((points["stride"] for points in drawing["points"]), default=1),
        **content,
    )


def _template() -> Template:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def visible(value: Any) -> Any:
        return plain(value) if type(value) is str else value

    environment = Environment(
        autoescape=True,
        finalize=visible,
        keep_trailing_newline=True,
        loader=FunctionLoader(_asset),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.policies["json.dumps_kwargs"] = {
        "allow_nan": False,
        "separators": (",", ":"),
        "sort_keys": True,
    }
    return environment.get_template("page.html")


def _script() -> str:
    """Join the page's scripts into one scope of their own."""
    return "(() => {\n'use strict';\n" + "\n".join(map(_asset, _SCRIPTS)) + "})();\n"


def _asset(name: str) -> str:
    return (resources.files("lrfind.html") / "assets" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Name an inline script or style as a Content-Security-Policy does."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
