"""CONTRIBUTING.md can be followed: its files are written, its changes applied, its commands run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fenced import ROOT, Block, blocks

PAGE = ROOT / "CONTRIBUTING.md"
SECTIONS = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
COPIED = (
    "lrfind",
    "configs",
    "examples",
    "docs",
    "tests/conftest.py",
    "tests/nursery.py",
    "tests/suggest",
)


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    """What a contributor has of the repository, as far as the page needs it."""
    for name in (*COPIED, "pyproject.toml"):
        source, place = ROOT / name, tmp_path / name
        place.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place)
    return tmp_path


def shell(command: str, tree: Path, given: str | None = None) -> None:
    """Run a line in the copy, with its lrfind and this Python's programs."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=tree,
        # A folder above that is somebody's repository is not the one to apply a change to.
        env={
            **os.environ,
            "PATH": path,
            "PYTHONPATH": str(tree),
            "GIT_CEILING_DIRECTORIES": str(tree.parent),
        },
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def follow(block: Block, tree: Path) -> None:
    """Do what a block says: write the file, apply the change, or run the commands."""
    if block.mark.startswith("file: "):
        place = tree / block.mark.removeprefix("file: ")
        place.parent.mkdir(exist_ok=True)
        place.write_text(block.text, encoding="utf-8")
    elif block.mark == "change":
        shell("git apply -", tree, block.text)
    elif block.language == "bash" and block.why_not_run is None:
        for command in block.commands():
            shell(command, tree)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda text: text.splitlines()[0])
def test_a_section_can_be_followed(section: str, tree: Path) -> None:
    """Each way to extend lrfind works as the page shows it, and changes no other file."""
    page = tree / "section.md"
    page.write_text(section, encoding="utf-8")
    found = blocks(page)

    for block in found:
        follow(block, tree)

    assert any(block.language == "bash" for block in found)


def test_what_the_page_shows_is_written_as_the_house_writes() -> None:
    """The files of the examples pass the project's own formatter and linter."""
    shown = [block for block in blocks(PAGE) if block.mark.startswith("file: ")]
    for block in shown:
        name = block.mark.removeprefix("file: ")
        for check in (["format", "--check"], ["check"]):
            done = subprocess.run(
                [sys.executable, "-m", "ruff", *check, "--stdin-filename", name, "-"],
                cwd=ROOT,
                input=block.text,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{name}\n{done.stdout}{done.stderr}"

    assert len(shown) == 5
