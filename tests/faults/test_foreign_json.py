"""Damaged JSON, to every command that reads it: exit 2, and a line with the file's name."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_reports import clean_curve, report

sys.path.append(str(Path(__file__).parents[1] / "lock"))

from lock_project import CONFIG, LOCK

from lrfind.errors import InputError
from lrfind.lock.files import lock_path, read_lock
from lrfind.lock.lock import to_json
from lrfind.report import to_json as report_to_json

GOOD = {
    "lock": to_json(LOCK),
    "report": report_to_json(report(clean_curve())),
    "own": '{"lr": 1e-3, "spec": {}}\n',
}
"""What is damaged: a pin, a report, and a config of the user's that an LR is written into."""

COMMANDS = {
    "lock": [("get", "c.yaml"), ("check", "c.yaml", "--no-run"), ("apply", "c.yaml")],
    "report": [("suggest", "f.json"), ("plot", "f.json", "-o", "x.svg"), ("apply", "f.json")],
    "own": [("apply", "c.yaml", "--to", "f.json:lr")],
}
FILES = {"lock": "c.lrlock.json", "report": "f.json", "own": "f.json"}


def deep(levels: int) -> str:
    """Write lists in each other."""
    return "[" * levels + "]" * levels


def with_key(text: str, name: str, value: str) -> str:
    """Put a key before all others."""
    return text.replace("{", f'{{"{name}": {value}, ', 1)


def again(text: str) -> str:
    """Give one of the keys twice: the first one that the file has."""
    return with_key(text, next(iter(json.loads(text))), "1")


DAMAGE: dict[str, tuple[Callable[[str], str | bytes], str]] = {
    "empty": (lambda text: "", "is no|JSON syntax|is empty"),
    "a list": (lambda text: f"[{text}]", "is no|is a list"),
    "a number": (lambda text: "5", "is no|the file is 5|is one value"),
    "cut": (lambda text: text[: len(text) // 2], "is no|JSON syntax|YAML syntax"),
    "deep in an unknown key": (
        lambda text: with_key(text, "x", deep(100)),
        "nested deeper than 50",
    ),
    "deep as Python's stack": (lambda text: with_key(text, "x", deep(900)), "nested|recursion"),
    "deeper": (lambda text: with_key(text, "x", deep(100_000)), "nested|recursion"),
    "a number of 5000 digits": (
        lambda text: with_key(text, "x", "1" * 5000),
        "whole number of 5000 digits|number out of range|x is not a known key",
    ),
    "a key twice": (again, "stands there twice"),
    "a key twice within": (
        lambda text: with_key(text, "x", '{"a": 1, "a": 2}'),
        "the key 'a' stands there twice",
    ),
    "Latin-1": (
        lambda text: with_key(text, "x", '"é"').encode("latin-1", "replace"),
        "is not UTF-8 text",
    ),
    "UTF-16": (lambda text: text.encode("utf-16"), "is UTF-16 text|is not UTF-8 text"),
    "zero bytes": (lambda text: b"\0" * 40, "is no|JSON syntax|not"),
}
"""What is done to a file, and what is told of it, of any kind."""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pinned config beside a good file of each kind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(CONFIG)
    (tmp_path / "c.lrlock.json").write_text(GOOD["lock"])
    (tmp_path / "own.json").write_text(GOOD["own"])
    return tmp_path


def complete(command: tuple[str, ...]) -> tuple[str, ...]:
    """Tell `apply` where to."""
    is_open = command[0] == "apply" and "--to" not in command
    return (*command, "--to", "own.json:lr", "--dry-run") if is_open else command


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_with_the_files_name(
    damage: str, kind: str, folder: Path, lrfind: Callable[..., Any]
) -> None:
    """Whichever command reads it: exit 2, the file, what is wrong with it, and no traceback."""
    change, told = DAMAGE[damage]
    changed = change(GOOD[kind])
    file = folder / FILES[kind]
    file.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    for command in COMMANDS[kind]:
        outcome = lrfind(*complete(command), columns=2000)
        text = outcome.out + outcome.err

        assert outcome.code == 2, (command, text)
        assert file.name in text
        assert any(words in text for words in told.split("|")), (command, text)
        assert "Traceback" not in text
        assert "internal error" not in text
        assert "set_int_max_str_digits" not in text


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_know_are_told(
    value: str, folder: Path, lrfind: Callable[..., Any]
) -> None:
    """In a lock and a report anywhere; in a file of the user's where the LR would go."""
    for kind in ("lock", "report"):
        file = folder / FILES[kind]
        file.write_text(with_key(GOOD[kind], "x", value))
        for command in COMMANDS[kind]:
            outcome = lrfind(*complete(command), columns=2000)
            assert outcome.code == 2
            assert f"{value} is no number of JSON" in outcome.out + outcome.err
        file.write_text(GOOD[kind])

    (folder / "f.json").write_text(f'{{"x": {value}, "lr": {value}}}')
    outcome = lrfind("apply", "c.yaml", "--to", "f.json:lr")
    assert outcome.code == 2
    assert "f.json:1: lr is " in outcome.err
    assert "no number an LR could replace" in outcome.err


def test_a_byte_order_mark_is_dropped_or_told(folder: Path, lrfind: Callable[..., Any]) -> None:
    """What an editor on Windows adds spoils no report and no file of the user's; a lock says so."""
    for kind in GOOD:
        (folder / FILES[kind]).write_text(GOOD[kind], encoding="utf-8-sig")
        for command in COMMANDS[kind]:
            outcome = lrfind(*complete(command), columns=2000)
            assert outcome.code == (2 if kind == "lock" else 0), outcome.err
            if kind == "lock":
                told = "c.lrlock.json: is no lock: it begins with a byte order mark (BOM)"
                assert told in outcome.out + outcome.err
        (folder / FILES[kind]).write_text(GOOD[kind])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = " + deep(300) + "\nlr = 1e-3\n", "f.toml: it is nested deeper than 50 levels"),
        ("x = " + deep(20_000) + "\nlr = 1e-3\n", "f.toml: TOML: it is nested deeper than 50"),
        (".".join("a" * 900) + " = 1\nlr = 1e-3\n", "f.toml: it is nested deeper than 50 levels"),
        ("x = " + "1" * 5000 + "\nlr = 1e-3\n", "f.toml: TOML: a whole number that is too long"),
        ("lr = 1e999\n", "f.toml:1: lr is inf, no number an LR could replace"),
        ("lr = 1\nlr = 2\n", "f.toml: TOML syntax: Cannot overwrite a value"),
    ],
)
def test_toml_of_the_users_is_told_as_well(
    text: str, told: str, folder: Path, lrfind: Callable[..., Any]
) -> None:
    """Depth and length that Python's reader meets with exceptions of its own end in one line."""
    (folder / "f.toml").write_text(text)

    outcome = lrfind("apply", "c.yaml", "--to", "f.toml:lr", columns=2000)

    assert outcome.code == 2
    assert told in outcome.err


def test_a_notebook_is_no_config(folder: Path, lrfind: Callable[..., Any]) -> None:
    """A notebook is JSON, and none that an LR is written into, read from or run."""
    (folder / "n.ipynb").write_text('{"cells": [], "nbformat": 4, "lr": 1e-3}')
    told = {
        ("apply", "c.yaml", "--to", "n.ipynb:lr"): "names no file that ends in .yaml",
        ("apply", "n.ipynb", "--to", "own.json:lr"): "n.ipynb:1: cells is not a known key",
        ("suggest", "n.ipynb"): "n.ipynb: has no column lr and loss",
        ("get", "n.ipynb"): "there is no lock of n.ipynb",
    }
    for command, words in told.items():
        outcome = lrfind(*command, columns=2000)
        assert outcome.code == 2
        assert words in outcome.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a pipe with a name is POSIX's")
def test_a_lock_that_is_no_file_is_told(folder: Path) -> None:
    """A folder or a device in the place of a lock is told at once, as of every other input."""
    config = folder / "c.yaml"
    lock_path(config).unlink()
    lock_path(config).symlink_to("/dev/zero")
    with pytest.raises(InputError, match="is a device, not a file"):
        read_lock(config)

    lock_path(config).unlink()
    lock_path(config).mkdir()
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_lock(config)
