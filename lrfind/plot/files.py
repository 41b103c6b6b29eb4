"""Pictures to files: the format by suffix, the same bytes for the same input, never half a file."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.figure import Figure

from lrfind.atomic import write_atomically
from lrfind.errors import OutputError, Problem
from lrfind.plot import style
from lrfind.plot.picture import draw
from lrfind.report import Report

# None takes the field out: dates and versions would make equal pictures differ.
METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": "lrfind"},
    "pdf": {"CreationDate": None, "Creator": "lrfind", "Producer": None},
}


def picture_format(path: Path, *others: str) -> str:
    """Tell `png`, `svg` or `pdf` by the suffix; the caller writes `others` himself.

    Raises:
        OutputError: the suffix is none of them.
    """
    suffix = path.suffix.lower().removeprefix(".")
    known = [*METADATA, *others]
    if suffix not in known:
        found = f"suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise OutputError(
            Problem(
                str(path),
                f"{found} names no picture format",
                f"end the name in {', '.join('.' + name for name in known)}",
            )
        )
    return suffix


def save_plot(report: Report, path: Path, *, dpi: int = style.DPI) -> None:
    """Draw a report into a PNG, SVG or PDF file.

    Args:
        report: what to draw.
        path: replaced as a whole, or left as it was.
        dpi: pixels an inch; the sheet is 8 inches wide.

    Raises:
        OutputError: the suffix is unknown or the file cannot be written.
    """
    picture_format(path)
    write_figure(draw(report), path, dpi=dpi)


def write_figure(figure: Figure, path: Path, *, dpi: int = style.DPI) -> None:
    """Write a figure; see `save_plot`.

    Raises:
        OutputError: the suffix is unknown or the file cannot be written.
    """
    kind = picture_format(path)
    write_atomically(path, figure_bytes(figure, kind, dpi=dpi))


def figure_bytes(figure: Figure, kind: str, *, dpi: int = style.DPI) -> bytes:
    """Encode a figure as `png`, `svg` or `pdf`."""
    data = io.BytesIO()
    with style.settings():
        figure.savefig(data, format=kind, dpi=dpi, metadata=METADATA[kind])
    return data.getvalue()
