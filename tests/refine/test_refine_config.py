"""The config's `refine` section: its short form, its defaults, and overrides of either."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrfind.config import load
from lrfind.errors import ConfigError
from lrfind.spec import RefineSection

BASE = "model: train.py:model\ndata: train.py:data\n"


def section(folder: Path, text: str, *overrides: str) -> RefineSection:
    """Load a config with a section of trials."""
    (folder / "train.py").write_text("def model(): ...\ndef data(): ...\n")
    path = folder / "c.yaml"
    path.write_text(BASE + text)
    return load(path, overrides).spec.refine


@pytest.mark.parametrize(
    ("text", "overrides", "expected"),
    [
        ("", (), (False, 600)),
        ("refine: true\n", (), (True, 600)),
        ("refine: false\n", (), (False, 600)),
        ("refine: {budget: 300}\n", (), (True, 300)),
        ("refine: {enabled: false, budget: 300}\n", (), (False, 300)),
        ("", ("refine=true",), (True, 600)),
        ("", ("refine.budget=300",), (True, 300)),
        ("refine: true\n", ("refine.budget=300",), (True, 300)),
        ("refine: false\n", ("refine.enabled=true", "refine.budget=9"), (True, 9)),
    ],
)
def test_a_section_says_whether_and_how_much(
    tmp_path: Path, text: str, overrides: tuple[str, ...], expected: tuple[bool, int]
) -> None:
    """Left out means no trials; a switch takes the defaults; a section means trials."""
    found = section(tmp_path, text, *overrides)

    assert (found.enabled, found.budget) == expected


@pytest.mark.parametrize("text", ["refine: 300\n", "refine: {budget: 0}\n", "refine: soon\n"])
def test_anything_else_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    """A bare number or text is no section, and a budget is at least 1."""
    with pytest.raises(ConfigError) as caught:
        section(tmp_path, text)

    assert caught.value.problems[0].where == f"{tmp_path / 'c.yaml'}:3"
