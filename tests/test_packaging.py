"""What is installed: wheel and sdist hold what they should, and the same bytes each time."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
NOT_FOR_USERS = {"all", "docs", "test", "bench"}
"""Extras whose oldest versions are not promised: of tools, of other finders, and no libraries."""

SHIPPED = ["lrfind", "tests", "configs", "examples", "docs", "benchmarks"]


def pinned(name: str, *, own: bool = False) -> dict[str, str]:
    """Read `package==version` lines of a constraints file; `own`: those of its first block."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = (text.partition("\n\n")[0] if own else text).splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def lower_bounds(requirements: list[str]) -> dict[str, str]:
    """Take the `>=` of each requirement: `{"torch": "2.6"}`."""
    found = [re.match(r"([\w.-]+)>=([\d.]+)", requirement) for requirement in requirements]
    return {match[1]: match[2] for match in found if match}


def padded(text: str) -> tuple[int, ...]:
    """Read a version as three numbers, so that 2.6 is 2.6.0."""
    numbers = [int(part) for part in text.split(".")]
    return tuple([*numbers, 0, 0, 0][:3])


def test_the_oldest_versions_are_the_lower_bounds() -> None:
    """Each lower bound, of extras too, is what constraints-oldest.txt installs and CI runs."""
    promised = [*PROJECT["dependencies"]]
    for extra in set(EXTRAS) - NOT_FOR_USERS:
        promised += EXTRAS[extra]
    bounds = lower_bounds(promised)

    assert len(bounds) == len(promised)
    assert {name: padded(bound) for name, bound in bounds.items()} == {
        name: padded(text) for name, text in pinned("constraints-oldest.txt", own=True).items()
    }


def test_all_is_every_extra_of_users() -> None:
    """What CI installs with the oldest versions leaves no extra out."""
    (everything,) = EXTRAS["all"]

    assert everything.startswith("lrfind[")
    assert {*everything[len("lrfind[") : -1].split(",")} == set(EXTRAS) - NOT_FOR_USERS


def test_constraints_name_every_dependency_within_its_bounds() -> None:
    """What is tested lies within what is promised, extras included."""
    everything = [*PROJECT["dependencies"]]
    for extra, requirements in EXTRAS.items():
        if extra != "bench":
            everything += [r for r in requirements if not r.startswith("lrfind[")]
    tested = {
        name.lower().replace("_", "-"): text for name, text in pinned("constraints.txt").items()
    }

    for name, bound in lower_bounds(everything).items():
        assert padded(tested[name.lower()].split("+")[0]) >= padded(bound), name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of two builds of wheel and sdist, from copies of another age and place."""
    folders = []
    for name, age in (("one", 0), ("another-place", 100_000)):
        tree = tmp_path_factory.mktemp(name) / name
        tree.mkdir()
        for part in SHIPPED:
            ignored = shutil.ignore_patterns("__pycache__", ".cache", "*.pyc")
            shutil.copytree(ROOT / part, tree / part, ignore=ignored)
        for file in ROOT.glob("*.*"):
            if file.suffix in {".toml", ".md", ".txt"}:
                shutil.copy(file, tree)
        for plain in ("LICENSE", ".gitignore"):
            shutil.copy(ROOT / plain, tree)
        for path in tree.rglob("*"):
            os.utime(path, (time.time() - age,) * 2)
        command = [sys.executable, "-m", "build", "--no-isolation", "-q", "-o", "dist", "."]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=120)

        assert done.returncode == 0, done.stdout + done.stderr
        folders.append(tree / "dist")
    return folders


def test_two_builds_are_the_same_bytes(built: list[Path]) -> None:
    """Neither the folder nor the files' times reach the wheel or the sdist."""
    digests = [
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        for folder in built
    ]

    assert len(digests[0]) == 2
    assert digests[0] == digests[1]


def test_the_wheel_holds_the_package_and_nothing_else(built: list[Path]) -> None:
    """Every file of lrfind/ is in the wheel, with its starters and `py.typed`; no test is."""
    (wheel,) = built[0].glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "lrfind").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = f"lrfind-{version('lrfind')}.dist-info/"

    assert {"lrfind/py.typed", "lrfind/templates/digits/lrfind.yaml"} <= names
    assert names == package | {
        info + name
        for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    }


def test_the_sdist_can_be_tested_from(built: list[Path]) -> None:
    """The sdist has the package, the tests and all that the tests read, and no leftovers."""
    (sdist,) = built[0].glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.split("/", 1)[1] for name in archive.getnames()]
    tops = {name.split("/")[0] for name in names}

    assert {*SHIPPED, "README.md", "LICENSE", "constraints.txt", "pyproject.toml"} <= tops
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert "tests/test_packaging.py" in names
