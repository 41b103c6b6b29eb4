"""Projects that were written with no thought of lrfind are swept by a few lines of config.

Nothing in their own files may change for lrfind's sake: each stands as its author would have it.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrfind.data import table
from lrfind.errors import ExitCode

PROJECTS = Path(__file__).parent / "projects"
MOST_LINES = 12

CONFIGS = {
    "plain_script/lrfind.yaml": ("ConvNet", "SGD", "ok"),
    "gan/lrfind.yaml": ("GAN", "Adam", "ok"),
    "gan/generator.yaml": ("GAN", "Adam", "never-diverged"),
    "tabular/lrfind.yaml": ("TabularNet", "AdamW", "ok"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_few_lines_sweep_a_project_as_it_is(
    name: str, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Twelve lines at most, the project's own model and data, and an honest verdict."""
    config = PROJECTS / name
    model, optimizer, verdict = CONFIGS[name]

    outcome = lrfind("run", config, "--out", tmp_path)

    lines = [line for line in config.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) <= MOST_LINES
    assert outcome.code == ExitCode.OK, outcome.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["suggestion"]["verdict"] == verdict
    assert f"{model} (" in report["title"]
    assert f"· {optimizer} ·" in report["title"]
    assert config.read_text().splitlines()[0] == f"# lrfind run tests/projects/{name}"


@pytest.mark.parametrize("project", ["plain_script", "gan", "tabular"])
def test_a_project_knows_nothing_of_lrfind(project: str) -> None:
    """No source file names it, and each begins to train by itself."""
    sources = list((PROJECTS / project).glob("*.py"))

    assert sources
    assert not any("lrfind" in path.read_text() for path in sources)
    assert "__main__" in (PROJECTS / project / "train.py").read_text()


def test_the_plain_script_trains_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command in its docstring does what it says."""
    monkeypatch.setattr(sys, "argv", ["train.py", "--epochs", "1"])

    runpy.run_path(str(PROJECTS / "plain_script" / "train.py"), run_name="__main__")

    assert capsys.readouterr().out.startswith("epoch 1: loss ")


def test_the_patients_are_a_table_without_the_projects_code_too() -> None:
    """Numbers, truth values and categories of the same file, as the project has them by hand."""
    found = table(
        PROJECTS / "tabular" / "patients.csv", "progression", drop=["patient_id"], split=0.8
    )

    assert found.told.features == (
        "7 numbers standardised, 2 categories one-hot: age_group (4), sex (2)"
    )
    assert found.told.target.startswith("target progression: a number less 15")
