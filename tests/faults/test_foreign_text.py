"""Text from a user's files stands for itself: on a terminal, in a job log, Markdown, a picture."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.console import render
from lrfind.curve import Curve
from lrfind.export import write_curves, write_report
from lrfind.plain_text import plain, without_commands
from lrfind.plot import save_plot
from lrfind.report import Report, make_report
from lrfind.suggest.answer import Note

EVIL = (
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J bell\a back\b\b\b line\r\n::error::pwned\n"
    "  ::set-output name=x::y ##[add-mask]z [red]rich[/red] :boom: `code` **bold** "
    "<script>alert(1)</script> [link](http://e.x) ![i](http://e.x) | cell | $\\frac{1}{2}$ "
    "\u202egnp.exe \u2066 \u200b\u2028\U000e0041 \x00 \x7f"
)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)


def evil_report() -> Report:
    """A report whose every text is hostile."""
    lr = np.logspace(-5, 1, 61)
    curve = Curve(lr, 2 - 1.5 / (1 + 0.01 / lr) + lr**2)
    report = make_report([curve], "auto", spec={"suggest": {"method": "own.py:rule"}})
    assert report.suggestion is not None
    return replace(
        report,
        title=EVIL,
        suggestion=replace(report.suggestion, reason=EVIL, method=EVIL),
        notes=(Note(EVIL, EVIL, EVIL),),
    )


def check(text: str) -> None:
    """Require that nothing in a text is obeyed by a terminal or a job log."""
    assert CONTROL.search(text) is None, ascii(CONTROL.search(text))
    assert COMMAND.search(text) is None


@pytest.mark.parametrize("width", [20, 80, 120])
@pytest.mark.parametrize("format", ["table", "markdown", "json"])
def test_no_format_passes_commands_on(format: str, width: int) -> None:
    """Control characters are written out and `::` begins no line, wrapped however."""
    check(render(evil_report(), format, width=width, files=[Path(EVIL)], next_command=EVIL))


def test_rich_markup_and_emoji_are_text() -> None:
    """`[red]` and `:boom:` stand in the table as they were written."""
    table = " ".join(render(evil_report(), "table", width=2000).split())

    assert "[red]rich[/red] :boom:" in table


def test_markdown_holds_no_markup_of_a_users() -> None:
    """HTML, links, images, code and table cells of a title are characters."""
    text = render(evil_report(), "markdown")

    assert "<script" not in text
    assert re.search(r"(?<!\\)\[link", text) is None
    assert re.search(r"(?<!\\)`code", text) is None
    assert re.search(r"(?<!\\)\| cell", text) is None
    assert re.search(r"(?<!\\)\*\*bold", text) is None


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_picture_of_hostile_text_is_a_picture(suffix: str, tmp_path: Path) -> None:
    """No formula is set, no control character reaches an SVG, and no drawing fails."""
    path = tmp_path / f"out.{suffix}"
    save_plot(evil_report(), path)

    data = path.read_bytes()
    assert len(data) > 5000
    if suffix == "svg":
        ElementTree.fromstring(data)
        assert CONTROL.search(data.decode().replace("\n", "")) is None


def test_commands_show_hostile_files_harmlessly(
    tmp_path: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`suggest` and `plot` print names and texts of files without obeying them."""
    monkeypatch.chdir(tmp_path)
    names = [f"{i} \x1b[31m\n::error::{i}.json" for i in range(2)]
    for name in names:
        write_report(evil_report(), Path(name))
    curve = evil_report().curves[0]
    write_curves([curve], Path("a\x1b[31m.csv"))

    for outcome in (
        lrfind("suggest", *names),
        lrfind("suggest", names[0], "--format", "markdown"),
        lrfind("suggest", names[0], "--format", "lr"),
        lrfind("suggest", "a\x1b[31m.csv"),
        lrfind("plot", *names, "-o", "out.svg"),
        lrfind("plot", "a\x1b[31m.csv", "-o", "out.png"),
    ):
        assert outcome.code == 0, outcome.err
        check(outcome.out)
        check(outcome.err)


@pytest.mark.parametrize(
    "text",
    [
        f'"{"".join(f"{chr(92)}x{ord(c):02x}" if ord(c) < 256 else c for c in EVIL[:60])}": 1',
        '"\\e[31m\\n::error::x": 1',
        'seed: "\\e[31m\\n::error::x"',
        'optimizer: "\\e[31m\\n::error::x"',
        'model: "\\e[31m\\n::error::x.py:model"',
        'suggest: "\\e[31m"',
        'schedule: {name: cosine, args: {"\\e[31m": 1}}',
    ],
)
def test_an_error_quotes_a_config_harmlessly(
    text: str, tmp_path: Path, lrfind: Callable[..., Any]
) -> None:
    """Keys and values that an error names are written out."""
    path = tmp_path / "c.yaml"
    path.write_text(text + "\n")

    outcome = lrfind("run", path)

    assert outcome.code == 2
    check(outcome.err)


@settings(max_examples=300, deadline=None)
@given(text=st.text())
def test_plain_text_is_printable_and_says_the_same(text: str) -> None:
    """Printable text stays; the rest is escaped so that it can be told what stood there."""
    shown = plain(text)

    assert all(mark.isprintable() or mark in "\n\t" for mark in shown)
    if text.isprintable():
        assert shown == text
    assert COMMAND.search(without_commands(shown)) is None
