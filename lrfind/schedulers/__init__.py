"""Bundled schedulers, one a file, described here without importing torch."""

from lrfind.registry import Entry

CATALOG: dict[str, Entry] = {}
"""Config name → scheduler."""
