"""Help, version, lists, schema and completion: read at once, and every example runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from lrfind import __version__, optim, schedulers, suggest
from lrfind.cli.app import app
from lrfind.cli.catalog import Kind
from lrfind.registry import Entry
from lrfind.spec import Spec

ROOT = Path(__file__).parents[2]
SNAPSHOTS = ROOT / "tests" / "snapshots" / "cli"
CONSTRAINTS = ROOT / "constraints.txt"
COMMANDS = [
    info.name or info.callback.__name__ for info in app.registered_commands if info.callback
]


def check_snapshot(name: str, text: str) -> None:
    """Compare with a stored text; LRFIND_UPDATE_SNAPSHOTS=1 stores it anew."""
    stored_with = re.search(r"^typer==(.+)$", CONSTRAINTS.read_text(encoding="utf-8"), re.M)
    if stored_with is None or version("typer") != stored_with[1]:
        pytest.skip("help texts are stored as the typer of constraints.txt lays them out")
    path = SNAPSHOTS / name
    if os.environ.get("LRFIND_UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


def example_of(command: str) -> str:
    """Take the example from the last paragraph of a command's help."""
    callbacks = {
        info.name or info.callback.__name__: info.callback
        for info in app.registered_commands
        if info.callback
    }
    text = app.info.help if command == "lrfind" else callbacks[command].__doc__
    found = re.fullmatch(r"Example: `(.+)`", str(text).strip().split("\n\n")[-1].strip())

    assert found, f"the help of {command} does not end with an example"
    return found[1]


@pytest.mark.parametrize("command", ["lrfind", *COMMANDS])
def test_help_reads_as_stored(command: str, lrfind: Callable[..., Any]) -> None:
    """Every help text fits 80 columns and ends its description with an example."""
    outcome = lrfind(*([] if command == "lrfind" else [command]), "--help")

    text = "\n".join(line.rstrip() for line in outcome.out.splitlines()) + "\n"
    assert outcome.code == 0
    assert max(map(len, text.splitlines())) <= 80
    assert f"Example: {example_of(command)}"[:76] in text
    check_snapshot(f"help-{command}.txt", text)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user has it after a clone and a first run."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("configs", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "train.yaml").write_text("optimizer:\n  lr: 1e-3\n")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_of_a_help_text_runs(
    command: str,
    checkout: Path,
    lrfind: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What help and docs/cli.md offer can be typed as it stands, after a first run."""
    monkeypatch.chdir(checkout)
    if command in ("suggest", "plot", "apply") and not (checkout / "runs").exists():
        lrfind("run", "configs/digits.yaml")
    if command in ("check", "get") and not (checkout / "configs/digits.lrlock.json").exists():
        lrfind("pin", "configs/digits.yaml", "--seeds", "1")

    for part in example_of(command).split(" && "):
        program, *arguments = shlex.split(part.partition(" > ")[0])
        outcome = lrfind(*arguments)

        assert program == "lrfind"
        assert outcome.code == 0, outcome.err


def test_the_first_example_is_one_that_runs() -> None:
    """The help of `lrfind` itself ends with the example of `lrfind init`."""
    assert example_of("lrfind") == example_of("init")


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line in a shell that finds `lrfind`."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_version_is_the_packages(lrfind: Callable[..., Any]) -> None:
    """`--version` prints name and version."""
    assert lrfind("--version").out == f"lrfind {__version__}\n"


def test_without_arguments_help_is_shown(lrfind: Callable[..., Any]) -> None:
    """Bare `lrfind` shows the commands, and exits with 2 since it was told nothing."""
    outcome = lrfind()

    assert outcome.code == 2
    assert "Usage: lrfind" in outcome.out + outcome.err


@pytest.mark.parametrize(
    "arguments", [["run"], ["nosuch"], ["run", "c.yaml", "--format", "xml"], ["list", "cats"]]
)
def test_usage_errors_exit_with_2(arguments: list[str], lrfind: Callable[..., Any]) -> None:
    """A missing argument, an unknown command and a wrong choice are wrong input."""
    outcome = lrfind(*arguments)

    assert outcome.code == 2
    assert "Usage: lrfind" in outcome.err


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_reads_as_stored(
    width: int, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name, formula and source of each thing, long lines hung below their start."""
    methods = {
        "short": Entry("a:b", "η / 10", "Smith 2017"),
        "much_longer": Entry("a:c", " · ".join(["LR of the minimum"] * 6), "after " * 18 + "all"),
    }
    monkeypatch.setattr("lrfind.cli.catalog._CATALOGS", {Kind.METHODS: methods})

    text = lrfind("list", columns=width).out

    assert max(map(len, text.splitlines())) <= width
    check_snapshot(f"list-{width}.txt", text)


def test_everything_bundled_is_listed(lrfind: Callable[..., Any]) -> None:
    """Every bundled name with its formula and source, in 80 columns, without trailing blanks."""
    text = lrfind("list").out

    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"[ ]$", text, flags=re.MULTILINE)
    for catalog in (optim.CATALOG, schedulers.CATALOG, suggest.CATALOG):
        for name, entry in catalog.items():
            assert re.search(rf"^{name} ", text, flags=re.MULTILINE)
            assert entry.source.split(",")[0] in text


def test_one_kind_can_be_listed(lrfind: Callable[..., Any]) -> None:
    """`lrfind list methods` lists the rules alone."""
    text = lrfind("list", "methods").out

    assert text.splitlines()[0] == "methods"
    assert "adamw" not in text


def test_the_list_survives_a_terminal_without_greek() -> None:
    """Where the encoding has no η, a question mark stands for it."""
    run = subprocess.run(
        [sys.executable, "-m", "lrfind", "list"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert b"? g" in run.stdout


def test_a_reader_that_leaves_is_no_error() -> None:
    """`lrfind schema | head -1` says nothing on stderr."""
    run = shell("lrfind schema | head -1; lrfind list | head -1", ROOT)

    assert run.stdout.splitlines() == ["{", "optimizers"]
    assert run.stderr == ""


def test_the_schema_lists_every_key(lrfind: Callable[..., Any]) -> None:
    """`lrfind schema` is JSON, and holds every key of every section."""
    schema = json.loads(lrfind("schema").out)

    assert set(schema["properties"]) == set(Spec.model_fields)
    assert schema == json.loads(json.dumps(Spec.model_json_schema()))


def test_completion_works_for_shells() -> None:
    """The script that a shell sources asks for words, and gets the commands."""
    shown = shell("_LRFIND_COMPLETE=source_bash lrfind", ROOT)
    asked = shell("_LRFIND_COMPLETE=complete_bash COMP_WORDS='lrfind su' COMP_CWORD=1 lrfind", ROOT)

    assert "_LRFIND_COMPLETE=complete_bash" in shown.stdout
    assert asked.stdout.split() == ["suggest"]


@pytest.mark.parametrize("start", ["lrfind", f"{sys.executable} -m lrfind"])
def test_both_ways_to_start_are_the_same(start: str) -> None:
    """`python -m lrfind` is `lrfind`."""
    assert shell(f"{start} --version", ROOT).stdout == f"lrfind {__version__}\n"
