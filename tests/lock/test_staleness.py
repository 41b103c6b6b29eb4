"""What makes a pin stale, what is only told, and what is no change at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lock_project import LOCK, lock_of, make_project

from lrfind import pinned_lr
from lrfind.errors import ConfigError, InputError, StalePinError
from lrfind.lock.age import parse_age
from lrfind.lock.files import write_lock
from lrfind.lock.project import (
    _with_plain_line_ends,
    changed_files,
    digests,
    project_root,
    source_files,
)
from lrfind.lock.staleness import changes_since
from lrfind.lock.versions import installed_version, is_decisive, versions_here


def edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Make an edit of one file of the project."""

    def apply(folder: Path) -> None:
        path = folder / file
        before = path.read_bytes().decode()
        assert old in before
        path.write_bytes(before.replace(old, new).encode())

    return apply


CASES: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "nothing": (lambda folder: None, []),
    "a comment": (edit("c.yaml", "# a comment", "# another one"), []),
    "order and spelling": (edit("c.yaml", "1e-5, steps: 80", "0.00001, steps: 80"), []),
    "a default written out": (edit("c.yaml", "seeds: 3}", "seeds: 3, mode: exponential}"), []),
    "another output folder": (edit("c.yaml", "loss:", "output: elsewhere\nloss:"), []),
    "windows line ends": (edit("src/train.py", "\n", "\r\n"), []),
    "a file nobody imports": (lambda folder: (folder / "src/other.py").write_text("x = 1"), []),
    "a touched file": (lambda folder: os.utime(folder / "src/train.py", (1, 1)), []),
    "a value": (
        edit("c.yaml", "batch_size: 32", "batch_size: 256"),
        ["config: data.batch_size was 32, now 256"],
    ),
    "a value taken out": (
        edit("c.yaml", ", batch_size: 32", ""),
        ["config: data.batch_size was 32, now its default"],
    ),
    "a source": (
        edit("src/train.py", "WIDTH = 16", "WIDTH = 17"),
        ["source: FOLDER/src/train.py changed"],
    ),
    "a source that is gone": (
        lambda folder: (folder / "src/train.py").unlink(),
        ["source: FOLDER/src/train.py is gone"],
    ),
    "both": (
        lambda folder: [
            edit("src/train.py", "16", "17")(folder),
            edit("c.yaml", "80", "90")(folder),
        ],
        ["config: sweep.steps was 80, now 90", "source: FOLDER/src/train.py changed"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_changed_is_named(name: str, tmp_path: Path) -> None:
    """Values of the config and source files are named; what decides nothing is no change."""
    change, told = CASES[name]
    config = make_project(tmp_path)
    lock = lock_of(config)

    change(tmp_path)
    changes = changes_since(lock, config)

    assert [str(found).replace(str(tmp_path), "FOLDER") for found in changes] == told
    assert all(found.is_stale for found in changes)


def test_a_changed_value_has_its_line(tmp_path: Path) -> None:
    """A change of the config stands at file and line, one of a source at the file."""
    config = make_project(tmp_path)
    lock = lock_of(config)
    CASES["both"][0](tmp_path)

    places = [(change.file, change.line) for change in changes_since(lock, config)]

    assert places == [(config, 5), (tmp_path / "src" / "train.py", None)]


@pytest.mark.parametrize(
    ("package", "pinned", "here", "decisive"),
    [
        ("torch", "2.6.0", "2.6.1", False),
        ("torch", "2.6.0+cpu", "2.6.0+cu124", False),
        ("torch", "2.6.0", "2.7.0", True),
        ("torch", "2.6.0", "3.6.0", True),
        ("lrfind", "0.1.0", "0.1.1", False),
        ("lrfind", "0.1.0", "0.2.0", True),
        ("python", "3.11.2", "3.11.4", False),
        ("python", "3.11.2", "3.12.0", False),
    ],
)
def test_minor_versions_of_lrfind_and_torch_decide(
    package: str, pinned: str, here: str, decisive: bool
) -> None:
    """Another minor version of what computes the LR makes a pin stale, patches and Python not."""
    assert is_decisive(package, pinned, here) is decisive


def test_other_versions_are_told_and_can_be_ignored(tmp_path: Path) -> None:
    """A decisive version comes first and is stale unless ignored; Python's is only told."""
    config = make_project(tmp_path)
    lock = lock_of(config, versions=versions_here() | {"torch": "1.0.0", "python": "3.0.0"})

    found = changes_since(lock, config)
    ignored = changes_since(lock, config, ignore_versions=True)

    assert [(change.what.split()[0], change.is_stale) for change in found] == [
        ("torch", True),
        ("python", False),
    ]
    assert [change.is_stale for change in ignored] == [False, False]


def test_versions_are_those_that_imports_find() -> None:
    """The version read off a folder's name is torch's own, but for its build."""
    import torch

    found = installed_version("torch")
    # A build such as +cu124 stands in torch's own version alone where its wheel is on PyPI.
    assert found is not None
    assert found.split("+")[0] == torch.__version__.split("+")[0]
    assert installed_version("no-such-package") is None


def test_age_is_limited_where_asked_for(tmp_path: Path) -> None:
    """A pin older than the limit is stale, and only then."""
    config = make_project(tmp_path)
    made = datetime.now(UTC) - timedelta(days=40)
    lock = lock_of(config, pinned_at=made.isoformat(timespec="seconds"))

    assert changes_since(lock, config, max_age=parse_age("41d")) == ()
    assert [str(c) for c in changes_since(lock, config, max_age=parse_age("4w"))] == [
        "age: pinned 40.0 days ago, more than 28.0 days"
    ]


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5h", "1y", "3 d d", "9999999d"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    """An age is a whole number and a unit."""
    with pytest.raises(InputError, match="is no age"):
        parse_age(text)


def test_a_lock_cannot_point_out_of_its_project(tmp_path: Path) -> None:
    """A path beyond the root, also through a link, is refused and not read."""
    config = make_project(tmp_path / "project")
    outside = tmp_path / "secret.py"
    outside.write_text("x = 1")
    (config.parent / "link.py").symlink_to(outside)

    for name in ("../secret.py", "link.py", "src/../../secret.py"):
        with pytest.raises(InputError, match="outside of the project"):
            changed_files({name: "0" * 64}, config)


def test_what_is_no_file_is_gone(tmp_path: Path) -> None:
    """A folder or a pipe in the place of a source is not read."""
    config = make_project(tmp_path)
    os.mkfifo(tmp_path / "pipe.py")

    assert changed_files({"src": "0" * 64, "pipe.py": "0" * 64}, config) == {
        "src": "is gone",
        "pipe.py": "is gone",
    }


def test_the_project_is_the_nearest_marked_folder(tmp_path: Path) -> None:
    """`.git` or `pyproject.toml` mark a root; without one the config's own folder is it."""
    inner = tmp_path / "repo" / "configs" / "deep"
    inner.mkdir(parents=True)
    config = inner / "c.yaml"

    assert project_root(config) == inner
    (tmp_path / "repo" / ".git").write_text("gitdir: elsewhere")
    assert project_root(config) == tmp_path / "repo"
    (inner.parent / "pyproject.toml").touch()
    assert project_root(config) == inner.parent


def test_sources_are_the_users_imported_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imported files of the project count, relative to the lock; installed ones do not."""
    config = make_project(tmp_path)
    (tmp_path / "package").mkdir()
    installed = tmp_path / ".venv" / "lib" / "site-packages"
    installed.mkdir(parents=True)
    for folder, name in ((tmp_path / "package", "lock_own"), (installed, "lock_installed")):
        (folder / f"{name}.py").write_text("x = 1")
        monkeypatch.syspath_prepend(str(folder))
        __import__(name)
        monkeypatch.delitem(sys.modules, name, raising=False)
        __import__(name)

    found = source_files(config)
    for name in ("lock_own", "lock_installed"):
        sys.modules.pop(name)

    assert list(digests(found, config)) == ["package/lock_own.py"]


def test_a_script_gets_its_lr_and_can_insist(tmp_path: Path) -> None:
    """`pinned_lr` returns the number; strict or with an age it refuses what is stale."""
    config = make_project(tmp_path)
    write_lock(lock_of(config, pinned_at="2020-01-01T00:00:00+00:00"), config)

    assert pinned_lr(config) == pinned_lr(str(config), strict=True) == LOCK.lr
    with pytest.raises(StalePinError, match=r"pinned .* days ago") as old:
        pinned_lr(config, max_age=timedelta(days=1))
    edit("src/train.py", "16", "17")(tmp_path)
    with pytest.raises(StalePinError, match=r"source: .*src/train\.py changed"):
        pinned_lr(config, strict=True)
    assert pinned_lr(config) == LOCK.lr
    assert old.value.exit_code == 1


def test_a_script_without_its_config_is_told(tmp_path: Path) -> None:
    """Without the config staleness cannot be told: strict refuses, plain does not mind."""
    config = make_project(tmp_path)
    write_lock(lock_of(config), config)
    config.unlink()

    assert pinned_lr(config) == LOCK.lr
    with pytest.raises(ConfigError, match="is missing"):
        pinned_lr(config, strict=True)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"bc"]).map(bytes), max_size=12))
def test_line_ends_are_alike_however_a_file_is_cut(parts: list[bytes]) -> None:
    """A digest reads a file in pieces, and a CR LF that a cut falls into is still one line end."""
    found = b"".join(_with_plain_line_ends(parts))

    assert found == b"".join(parts).replace(b"\r\n", b"\n")
