"""A report's files: into its folder, else somewhere else, never silently nowhere."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.cli.options import say
from lrfind.errors import OutputError

if TYPE_CHECKING:
    from lrfind.curve import Curve
    from lrfind.report import Report


def keep(
    report: Report, folder: Path, *, with_picture: bool = True, with_page: bool = False
) -> tuple[list[Path], bool]:
    """Write a report's files, into a new temporary folder where theirs takes them no more.

    Returns:
        What was written, and whether it is where it belongs.
    """
    try:
        # It was there when the run began; someone may have tidied up.
        folder.mkdir(parents=True, exist_ok=True)
        return save(report, folder, with_picture=with_picture, with_page=with_page), True
    except (OutputError, OSError) as error:
        say(f"error: {error}")
    try:
        spare = Path(tempfile.mkdtemp(prefix=f"lrfind-{folder.name}-"))
        files = save(report, spare, with_picture=with_picture, with_page=with_page)
    except (OutputError, OSError) as error:
        say(f"error: nothing could be saved: {error}")
        return [], False
    say(f"everything was saved in {spare} instead")
    return files, False


def keep_curves(curves: Sequence[Curve], folder: Path) -> Path | None:
    """Write curves whose own folder takes them no more into a temporary one, and name the file."""
    from lrfind.export import CURVE_FILE, write_curves

    try:
        path = Path(tempfile.mkdtemp(prefix=f"lrfind-{folder.name}-")) / CURVE_FILE
        write_curves(curves, path)
    except (OutputError, OSError) as error:
        say(f"error: nothing could be saved: {error}")
        return None
    return path


def save(
    report: Report, folder: Path, *, with_picture: bool = True, with_page: bool = False
) -> list[Path]:
    """Write a report's files and name them; picture and page, which take longest, last.

    Raises:
        OutputError: one of them cannot be written; those before it are.
    """
    from lrfind.export import CURVE_FILE, REPORT_FILE, write_curves, write_report

    curve, whole = folder / CURVE_FILE, folder / REPORT_FILE
    write_curves(report.curves, curve)
    write_report(report, whole)
    if not with_picture:
        return [curve, whole]
    picture, *page = draw(report, folder, with_page=with_page)
    return [curve, picture, whole, *page]


def draw(report: Report, folder: Path, *, with_page: bool = False) -> list[Path]:
    """Draw a report's picture and its page, where that is wanted, and name them."""
    from lrfind.export import PAGE_FILE, PLOT_FILE
    from lrfind.plot import save_plot

    picture = folder / PLOT_FILE
    save_plot(report, picture)
    if not with_page:
        return [picture]
    from lrfind.html import save_page

    page = folder / PAGE_FILE
    save_page(report, page)
    return [picture, page]
