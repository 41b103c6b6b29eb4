"""What a page is made with: D3 as mpld3 ships it, and Jinja."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from lrfind.errors import InputError, Problem
from lrfind.extras import require_recent


def require_libraries() -> Path:
    """Find the script of D3, before any work is done.

    Returns:
        The path of `d3.v5.min.js`, or of a later version.

    Raises:
        InputError: the extra `html` is not installed, or too old.
    """
    # Only its files are wanted: importing mpld3 would import pyplot.
    spec = importlib.util.find_spec("mpld3")
    folders = [] if spec is None else [Path(root) for root in spec.submodule_search_locations or ()]
    scripts = sorted(path for folder in folders for path in folder.glob("js/d3.v?.min.js"))
    if not scripts or importlib.util.find_spec("jinja2") is None:
        raise InputError(
            Problem(
                "report.html",
                "needs D3 (in the package mpld3) and jinja2, which are not installed",
                "pip install 'lrfind[html]'",
            )
        )
    require_recent("html", "report.html")
    return scripts[-1]
