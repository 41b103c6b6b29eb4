"""Attributes that a file certainly lacks are told without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrfind.config import load
from lrfind.config.attributes import missing_attribute
from lrfind.errors import ConfigError
from lrfind.registry import parse_target

DEFINED = """
import os.path as p, sys
from json import dumps as d
def f(): local = 1
async def g(): pass
class C: attr = 1
x = y, (z, *w) = 1, (2, 3)
a: int = 1
if (walrus := 3): branch = 1
else: other = 2
for loop in (): pass
with open("x") as handle: pass
try: pass
except ValueError as caught: pass
match x:
    case [first, *rest]: pass
"""


def target_of(tmp_path: Path, text: str, attr: str) -> tuple[str, list[str]] | None:
    """Look an attribute up in a file of this text."""
    (tmp_path / "m.py").write_text(text, encoding="utf-8")
    return missing_attribute(parse_target(f"m.py:{attr}"), tmp_path / "m.py")


@pytest.mark.parametrize(
    "name",
    [
        "p",
        "sys",
        "d",
        "f",
        "g",
        "C",
        "x",
        "y",
        "z",
        "w",
        "a",
        "walrus",
        "branch",
        "other",
        "loop",
        "handle",
        "caught",
        "first",
        "rest",
        "C.attr",
    ],
)
def test_whatever_a_statement_binds_is_there(tmp_path: Path, name: str) -> None:
    """Imports, definitions, assignments and every other binding count, at any depth."""
    assert target_of(tmp_path, DEFINED, name) is None


def test_what_nothing_binds_is_missing(tmp_path: Path) -> None:
    """A name that no statement binds is told, with the names that are there."""
    assert target_of(tmp_path, "def model(): pass\n_x = 1\n", "modle") == ("modle", ["model"])


@pytest.mark.parametrize(
    "text",
    [
        "from x import *",
        "def __getattr__(name): return 1",
        "globals()['f'] = 1",
        "exec('f = 1')",
        "def broken(",
    ],
)
def test_what_only_running_can_tell_is_left_to_the_import(tmp_path: Path, text: str) -> None:
    """A file that may define anything, or does not parse, is not judged."""
    assert target_of(tmp_path, text, "f") is None


def test_a_missing_attribute_is_told_beside_everything_else(tmp_path: Path) -> None:
    """Unknown key, empty range and missing attribute of one config come together, in order."""
    (tmp_path / "train.py").write_text("raise SystemExit('never run')\ndef model(): ...\n")
    config = tmp_path / "c.yaml"
    config.write_text(
        "model: train.py:modle\ndata: train.py:model\nsede: 1\n"
        "sweep: {start_lr: 1, end_lr: 0.1, steps: 0}\n"
    )

    with pytest.raises(ConfigError) as caught:
        load(config)

    found = [(p.where.rpartition(":")[2], p.what.split(" ")[0]) for p in caught.value.problems]
    assert sorted(found) == [
        ("1", "model.target"),
        ("3", "sede"),
        ("4", "sweep.start_lr"),
        ("4", "sweep.steps"),
    ]
