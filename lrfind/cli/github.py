"""What `lrfind check --format github` leaves where a GitHub workflow looks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from lrfind.console.check_github import outputs, workflow_commands
from lrfind.console.check_markdown import check_markdown
from lrfind.errors import OutputError, Problem
from lrfind.lock.check import Check


def tell_github(checks: Sequence[Check], out: TextIO) -> None:
    """Write annotations; add the job summary and the outputs where GitHub names files for them.

    Raises:
        OutputError: such a file cannot be written.
    """
    workspace = os.environ.get("GITHUB_WORKSPACE")
    out.write(workflow_commands(checks, Path(workspace) if workspace else None))
    _append("GITHUB_STEP_SUMMARY", check_markdown(checks))
    _append("GITHUB_OUTPUT", outputs(checks))


def _append(variable: str, text: str) -> None:
    name = os.environ.get(variable)
    if not name:
        return
    try:
        # Other commands of the same step write there as well.
        with open(name, "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        what = f"= {name} cannot be written: {error.strerror}"
        raise OutputError(Problem(variable, what, "unset it, or name a file")) from None
