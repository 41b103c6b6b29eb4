"""The commands of `examples/ci/`, run as they stand there in a clone of a project with a pin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

sys.path.append(str(Path(__file__).parent / "lock"))

from lock_project import lock_of, make_project

from lrfind.lock.files import write_lock

EXAMPLES = Path(__file__).parents[1] / "examples" / "ci"
FILES = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".yml", ".yaml"))
VARIABLES = {"LRFIND_CHECK": "--no-run"}


def commands_in(file: Path) -> list[str]:
    """Find the shell commands of a workflow, a job or a hook that call lrfind."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str) and value.startswith("lrfind "):
            found.append(value)

    walk(YAML(typ="safe").load(file.read_text("utf-8")))
    return found


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a repository that holds a config, its source and its lock."""
    origin = tmp_path / "origin"
    config = make_project(origin / "configs")
    write_lock(lock_of(config), config)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "pin"]):
        subprocess.run([*git, *arguments], cwd=origin, check=True, capture_output=True)
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(origin), str(folder)], check=True)
    return folder


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as CI does: in bash, with the variables of a merge request."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, **VARIABLES, "PATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_command_passes_a_good_pin_and_stops_a_stale_one(file: Path, clone: Path) -> None:
    """What needs no training exits with 0 on the clone, and not with 0 once the config changed."""
    commands = [line for line in commands_in(file) if "--run" not in line]
    config = clone / "configs" / "c.yaml"
    whole = config.read_text()

    assert len(commands) == 1
    for command in commands:
        config.write_text(whole)
        good = shell(command, clone)
        config.write_text(whole.replace("steps: 80", "steps: 90"))
        stale = shell(command, clone)

        assert good.returncode == 0, good.stdout + good.stderr
        assert stale.returncode == 1
        assert "sweep.steps was 80, now 90" in stale.stdout


def test_the_nightly_command_sweeps_again(clone: Path) -> None:
    """`--run` trains: against a lock whose LR was never measured it finds a drift, in a run."""
    (command,) = [c for c in commands_in(EXAMPLES / "github-actions.yml") if "--run" in c]
    lock = clone / "configs" / "c.lrlock.json"
    lock.write_text(lock.read_text().replace('"lr": 0.0071', '"lr": 7.1'))

    found = shell(command, clone)

    assert found.returncode == 1, found.stderr
    assert found.stdout.startswith("::error file=configs/c.yaml,title=lrfind%3A drifted::")


def test_the_page_names_every_example() -> None:
    """The README of the examples has a row a file."""
    page = (EXAMPLES / "README.md").read_text("utf-8")

    assert [file.name for file in FILES if f"`{file.name}`" not in page] == []
