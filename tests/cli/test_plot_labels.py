"""How overlaid files are called in the picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrfind.cli.plot import _labels


@pytest.mark.parametrize(
    ("files", "labels"),
    [
        (["runs/a/curve.csv", "runs/b/curve.csv"], ["a", "b"]),
        (["x/a/curve.csv", "y/a/curve.csv"], ["x/a", "y/a"]),
        (["adam.csv", "sgd.csv"], ["adam", "sgd"]),
        (["a/adam.csv", "b/sgd.csv"], ["adam", "sgd"]),
        (["a/curve.csv", "a/report.json", "b/curve.csv"], ["a/curve", "a/report", "b/curve"]),
        (["c.csv", "c.csv"], ["c.csv (1)", "c.csv (2)"]),
    ],
)
def test_labels_are_short_and_tell_files_apart(files: list[str], labels: list[str]) -> None:
    """A label is the least of a path that no other file has."""
    assert _labels([Path(file) for file in files]) == labels
