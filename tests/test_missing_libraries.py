"""What a user sees whose environment lacks a library: the command that installs it, and early.

The environment is real: a folder of links to all that is installed here but what is left out, and
an interpreter that looks nowhere else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from sysconfig import get_path

import pytest

from lrfind.absent import EXTRAS

ROOT = Path(__file__).parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(name="without")
def _without(tmp_path: Path) -> Callable[..., Run]:
    """Make an environment without some modules, and give what runs lrfind in it."""

    def make(*modules: str) -> Run:
        site = tmp_path / "site"
        site.mkdir()
        for entry in Path(get_path("purelib")).iterdir():
            if entry.suffix != ".pth" and entry.name not in (*modules, "lrfind"):
                (site / entry.name).symlink_to(entry)
        path = os.pathsep.join((str(ROOT), str(site)))

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-S", "-m", "lrfind", *arguments],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "300"},
                capture_output=True,
                text=True,
                check=False,
            )

        return run

    return make


@pytest.mark.parametrize("starter", ["digits", "custom-step"])
def test_init_says_what_a_starter_lacks_and_validate_says_it_again(
    starter: str, without: Callable[..., Run]
) -> None:
    """Without scikit-learn both name `lrfind[examples]`; the files are written all the same."""
    run = without("sklearn")
    made = run("init", starter)

    assert made.returncode == 0
    assert made.stdout.split() == ["lrfind.yaml", "train.py"]
    assert made.stderr.splitlines() == [
        "note: train.py needs sklearn, which is not installed here",
        "next: pip install 'lrfind[examples]'",
    ]
    if starter == "digits":
        refused = run("validate", "lrfind.yaml")
        assert refused.returncode == 2
        told = "importing train.py raised ModuleNotFoundError: No module named 'sklearn';"
        assert f"{told} pip install 'lrfind[examples]'" in refused.stderr
        assert "mend the module" not in refused.stderr


def test_several_extras_are_one_command(without: Callable[..., Run]) -> None:
    """A starter that needs two of them gets one line to copy."""
    made = without("sklearn", "lightning")("init", "lightning")

    assert "train.py needs lightning and sklearn, which are not installed here" in made.stderr
    assert "next: pip install 'lrfind[examples,lightning]'" in made.stderr


def test_a_starter_that_lacks_nothing_says_nothing(without: Callable[..., Run]) -> None:
    """`text` trains on Python's own manual."""
    assert without("sklearn")("init", "text").stderr == ""


def test_extras_bring_what_they_are_said_to() -> None:
    """Each is one of pyproject.toml's, and lists the library under its name on the index."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {"sklearn": "scikit-learn"}
    for module, extra in EXTRAS.items():
        wanted = extras["optional-dependencies"][extra]
        assert any(line.startswith(named.get(module, module)) for line in wanted), module
