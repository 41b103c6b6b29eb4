"""Fenced blocks of a Markdown page, with the comment that stands before each."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>.*?) -->\n+)?^(?P<fence>`{3,})(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is written in, its text, and what the comment before it says."""

    language: str
    text: str
    mark: str

    @property
    def why_not_run(self) -> str | None:
        """Give the reason of a mark `not run: reason`; None where there is no such mark."""
        kind, _, reason = self.mark.partition(": ")
        return reason if kind == "not run" else None

    def commands(self) -> list[str]:
        """List the commands of a shell block: continued lines joined, comments left out."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if shlex.split(line, comments=True)]


def blocks(page: Path) -> list[Block]:
    """Find the fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    return [Block(m["language"], m["text"], m["mark"] or "") for m in BLOCK.finditer(text)]


def pages() -> list[Path]:
    """List the pages that a reader may type from."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.joinpath("docs").rglob("*.md")]
    return sorted([*found, *ROOT.glob("examples/**/*.md"), *ROOT.glob("benchmarks/**/*.md")])


def named(page: Path) -> str:
    """Name a page from the root of the repository."""
    return page.relative_to(ROOT).as_posix()
