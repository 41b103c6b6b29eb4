"""The forms in which an answer goes to standard output; here so that help needs nothing heavy."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """What `--format` accepts."""

    TABLE = "table"
    LR = "lr"
    JSON = "json"
    MARKDOWN = "markdown"


class CheckFormat(StrEnum):
    """What `--format` of `lrfind check` accepts."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
