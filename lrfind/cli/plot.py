"""`lrfind plot`: draw saved curves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lrfind.cli.options import CurveFiles, Debug, Method


def plot(
    files: CurveFiles,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="File: .png, .svg, .pdf, or a page: .html.",
        ),
    ] = Path("curve.png"),
    method: Method = None,
    debug: Debug = False,
) -> None:
    """Draw one saved curve with its suggestion, or overlay many.

    A `.html` file opens offline: curve, answer, notes and config on one page.

    Example: `lrfind plot runs/digits/curve.csv -o digits.svg`
    """
    from lrfind.plot import Layer, overlay, picture_format, save_plot
    from lrfind.saved import reread

    is_page = picture_format(out, "html") == "html"
    if is_page:
        from lrfind.html import require_libraries, save_comparison, save_page

        require_libraries()
    reports = [reread(file, method) for file in files]
    labelled = list(zip(_labels(files), reports, strict=True))
    if len(reports) == 1:
        (save_page if is_page else save_plot)(reports[0], out)
    elif is_page:
        save_comparison(labelled, out)
    else:
        overlay([Layer.from_report(label, report) for label, report in labelled], out)
    print(out)


def _labels(files: list[Path]) -> list[str]:
    """Name files by the shortest ends of their paths that tell them apart.

    A name that all of them bear (`runs/a/curve.csv`, `runs/b/curve.csv`) tells nothing.
    """
    shared = len({file.name for file in files}) == 1
    paths = [file.parent if shared else file.with_suffix("") for file in files]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{file} ({i})" for i, file in enumerate(files, start=1)]
