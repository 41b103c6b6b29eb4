"""Every command that a page shows can be typed: each is run, or says why it is not.

A page is run from top to bottom in a folder that holds the shipped configs and examples, and the
files that the page itself shows behind `<!-- file: NAME -->`. What cannot be run anywhere stands
behind `<!-- not run: reason -->`.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fenced import ROOT, Block, blocks, named, pages

ELSEWHERE = {
    "CONTRIBUTING.md": "tests/test_contributing.py",
    "docs/cli.md": "tests/cli/test_help.py",
}
"""Pages whose commands a test of their own runs; and recipes that one of the following names."""

RECIPE_TESTS = {
    named(file): text
    for file in [ROOT / "tests" / "test_recipes.py", *ROOT.glob("tests/**/test_*.py")]
    if "recipes" in (text := file.read_text("utf-8"))
}

MOST_UNRUN = 12


def shell_blocks(page: Path) -> list[Block]:
    """Find the blocks of a page that a reader types into a shell."""
    return [block for block in blocks(page) if block.language in ("bash", "sh", "shell")]


def runner_of(page: Path) -> str | None:
    """Name the test file that runs a page's commands; None: it is done here."""
    if page.parent.name == "recipes":
        for file, text in RECIPE_TESTS.items():
            if f'"{page.name}"' in text or f'"{page.stem}"' in text:
                return file
    return ELSEWHERE.get(named(page))


TYPED = [page for page in pages() if any(not block.why_not_run for block in shell_blocks(page))]
HERE = [
    page
    for page in TYPED
    if runner_of(page) is None
    and any(not b.why_not_run and not b.mark.startswith("ci: ") for b in shell_blocks(page))
]


@pytest.mark.parametrize("page", HERE, ids=named)
def test_every_command_of_a_page_runs(
    page: Path, tmp_path: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who types a page from top to bottom meets no error."""
    for name in ("configs", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        if block.mark.startswith("file: "):
            tmp_path.joinpath(block.mark.removeprefix("file: ")).write_text(block.text)

    for block in shell_blocks(page):
        if not block.why_not_run and not block.mark.startswith("ci: "):
            for command in block.commands():
                run(command, lrfind)


def run(command: str, lrfind: Callable[..., Any]) -> None:
    """Run a line of a shell: lrfind in this process, anything else in bash."""
    captured = re.fullmatch(r"\w+=\$\((lrfind [^|>&;$]+)\)\s*(#.*)?", command)
    plain = captured[1] if captured else command.partition(" #")[0]
    if not plain.startswith("lrfind ") or re.search(r"[|>&;$]", plain):
        in_bash(command)
        return
    words = shlex.split(plain)[1:]
    outcome = lrfind(*(path for word in words for path in sorted(glob.glob(word)) or [word]))

    assert outcome.code == 0, f"{command}\n{outcome.err}"
    assert not captured or float(outcome.out) > 0, outcome.out


def in_bash(command: str) -> None:
    """Run a line as a reader's shell does, with this Python's programs found first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", [page for page in TYPED if page not in HERE], ids=named)
def test_what_is_not_run_here_is_run_elsewhere(page: Path) -> None:
    """A page that is left out here is named by the test file that runs it, block for block."""
    found = shell_blocks(page)
    runner = runner_of(page)
    if runner is None:
        assert all(block.why_not_run or block.mark.startswith("ci: ") for block in found)
        return
    marked = [block.why_not_run is not None or block.mark == "runs" for block in found]

    assert page.stem in ROOT.joinpath(runner).read_text("utf-8")
    assert all(marked) or not any(block.mark == "runs" for block in found)


def test_few_commands_are_left_unrun_and_each_says_why() -> None:
    """The marks `not run` are counted, and none is without a reason."""
    reasons = [
        block.why_not_run
        for page in pages()
        for block in shell_blocks(page)
        if block.why_not_run is not None
    ]

    assert len(reasons) <= MOST_UNRUN
    assert all(len(reason.split()) >= 3 for reason in reasons)


def test_a_block_is_read_as_the_shell_reads_it() -> None:
    """Marks, comments and continued lines are read as the shell and the reader read them."""
    block = Block("bash", "# first\n\nlrfind run \\\n  c.yaml  # then\n", "not run: needs a GPU")

    assert block.commands() == ["lrfind run    c.yaml  # then"]
    assert block.why_not_run == "needs a GPU"
