"""The tables that a config trains on, which make its pin stale when they change."""

from __future__ import annotations

from pathlib import Path

from lrfind.config import Config
from lrfind.data.place import table_file
from lrfind.lock.project import project_root

TARGETS = ("lrfind.data:table", "lrfind.data.table:table")
"""Targets whose argument `path` names a file."""


def data_files(config: Config) -> list[Path]:
    """List the tables that a config names by path, in order, as far as they are in its project.

    What the user's own code reads is not known here.
    """
    sections = (config.spec.data, config.spec.sweep.validation)
    root = project_root(config.path)
    found = {
        path.resolve()
        for section in sections
        if section is not None
        and section.target in TARGETS
        and (path := table_file(section.args, config.folder)) is not None
    }
    return sorted(path for path in found if path.is_relative_to(root))
