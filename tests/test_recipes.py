"""The recipes under docs/recipes can be followed: each command that is marked so runs in order."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import nursery

ROOT = Path(__file__).parents[1]
RECIPES = ROOT / "docs" / "recipes"


def blocks(page: str, mark: str) -> list[tuple[str, str]]:
    """Find the fenced blocks behind a mark: what the mark names, and the text."""
    found = re.findall(rf"<!-- {mark}:? ?(\S*) -->\n```\w+\n(.*?)```", page, flags=re.DOTALL)
    return [(name, text) for name, text in found]


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped configs and examples, and nothing else."""
    for name in ("configs", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_your_config_files(checkout: Path, lrfind: Callable[..., Any]) -> None:
    """Every command exits with 0, and the diff that is shown is the one that comes out."""
    page = RECIPES.joinpath("your-config-files.md").read_text("utf-8")
    for name, text in blocks(page, "file"):
        checkout.joinpath(name).write_text(text)
    shown = re.search(r"```diff\n(.*?)```", page, flags=re.DOTALL)
    assert shown is not None

    printed = ""
    commands = [line for _, text in blocks(page, "runs") for line in text.splitlines()]
    for command in commands:
        program, *arguments = shlex.split(command)
        outcome = lrfind(*arguments)

        assert program == "lrfind"
        assert outcome.code == 0, f"{command}\n{outcome.err}"
        printed += outcome.out

    assert len(commands) == 6
    assert without_last_digits(shown[1]) in without_last_digits(printed)


def test_your_script(checkout: Path, lrfind: Callable[..., Any]) -> None:
    """The script becomes the config that is shown, and a sweep of it gives an answer."""
    page = RECIPES.joinpath("your-script.md").read_text("utf-8")
    (name, script), (config, expected) = blocks(page, "file")
    checkout.joinpath(name).write_text(script)

    commands = [line for _, text in blocks(page, "runs") for line in text.splitlines()]
    codes = [lrfind(*shlex.split(command)[1:]).code for command in commands]

    assert codes == [0, 0, 0]
    assert checkout.joinpath(config).read_text() == expected


def test_trackers(checkout: Path, lrfind: Callable[..., Any]) -> None:
    """The command leaves an event file; the other trackers have tests of their own."""
    page = RECIPES.joinpath("trackers.md").read_text("utf-8")
    ((_, command),) = blocks(page, "runs")

    assert lrfind(*shlex.split(command)[1:]).code == 0
    assert list(checkout.joinpath("runs", "tb").glob("digits-*/events.out.tfevents.*"))


def without_last_digits(text: str) -> str:
    """Mask what may differ by a little from machine to machine."""
    return re.sub(r"\d\.\de-", "#e-", text)


@pytest.mark.parametrize("name", ["own-loop", "tables"])
def test_a_recipe_runs_in_an_empty_folder(
    name: str, lrfind: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who copies the files of a page and types its commands gets an answer from each."""
    page = (ROOT / "docs" / "recipes" / f"{name}.md").read_text("utf-8")
    for file, text in blocks(page, "file"):
        tmp_path.joinpath(file).write_text(text, encoding="utf-8")
    commands = re.findall(r"^```bash\n(.*?)```", page, flags=re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)

    for line in "".join(commands).splitlines():
        program, *arguments = shlex.split(line)
        if program == "lrfind":
            outcome = lrfind(*arguments)
            assert outcome.code == 0, f"{line}\n{outcome.err}"
        else:
            done = nursery.ran(*arguments, cwd=tmp_path)
            assert (program, done.returncode) == ("python", 0), f"{line}\n{done.stderr}"

    assert commands


@pytest.mark.parametrize("name", ["lightning", "huggingface", "accelerate"])
def test_a_frameworks_recipe_runs(
    name: str, checkout: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command exits with 0, without the network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    page = RECIPES.joinpath(f"{name}.md").read_text("utf-8")
    commands = [line for _, text in blocks(page, "runs") for line in text.splitlines()]

    outcomes = [lrfind(*shlex.split(command)[1:]) for command in commands]

    assert commands
    assert [outcome.code for outcome in outcomes] == [0] * len(commands), outcomes[-1].err
