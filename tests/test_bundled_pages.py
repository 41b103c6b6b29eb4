"""Pages made from code, docs/cli.md among them, say what the code says, and show all of it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfind import optim, schedulers
from lrfind.errors import ExitCode
from lrfind.registry import import_file, load_entry

DOCS = Path(__file__).parents[1] / "docs"
LARGEST_PICTURE = 150_000


@pytest.fixture(scope="module", name="optimizers")
def _optimizers() -> Any:
    return import_file(DOCS / "make_optimizers.py")


@pytest.fixture(scope="module", name="schedules")
def _schedules() -> Any:
    return import_file(DOCS / "make_schedulers.py")


def test_the_optimizers_page_is_the_scripts_text(optimizers: Any) -> None:
    """docs/optimizers.md is what its script writes today around the table that was measured."""
    page = DOCS.joinpath("optimizers.md").read_text("utf-8")
    kept = import_file(DOCS / "bundled_pages.py").measured(page)

    assert kept
    assert page == optimizers.text(kept)


def test_the_schedulers_page_is_the_scripts_text(schedules: Any) -> None:
    """docs/schedulers.md is what its script writes today."""
    assert DOCS.joinpath("schedulers.md").read_text("utf-8") == schedules.text()


def test_the_command_line_page_is_the_commands_own_text() -> None:
    """docs/cli.md is what its script writes from the app today, with every exit code in a row."""
    page = DOCS.joinpath("cli.md").read_text("utf-8")

    assert page == import_file(DOCS / "make_cli.py").text()
    assert {f"| {int(code)} |" for code in ExitCode} <= set(re.findall(r"^\| \d+ \|", page, re.M))


def test_the_command_line_page_is_made_without_torch() -> None:
    """A contributor without torch, and a CI job of seconds, can write the page."""
    code = "import make_cli, sys; make_cli.text(); assert not {'torch', 'numpy'} & set(sys.modules)"
    where = os.pathsep.join([str(DOCS), str(DOCS.parent)])

    subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": where}, check=True
    )


@pytest.mark.parametrize(
    ("page", "catalog"),
    [("optimizers.md", optim.CATALOG), ("schedulers.md", schedulers.CATALOG)],
    ids=["optimizers", "schedulers"],
)
def test_every_line_of_every_docstring_stands_on_the_page(page: str, catalog: Any) -> None:
    """Word for word, line breaks aside, each class's docstring is there."""
    plain = re.sub(r"[`*\s:-]+", " ", DOCS.joinpath(page).read_text("utf-8"))
    for entry in catalog.values():
        for line in (load_entry(entry).__doc__ or "").splitlines():
            assert re.sub(r"[`*\s:-]+", " ", line).strip() in plain


def test_every_bundled_optimizer_has_been_measured() -> None:
    """The table of range tests on the digits holds every name, each with an LR."""
    page = DOCS.joinpath("optimizers.md").read_text("utf-8")
    block = page.split("<!-- measured -->")[1].split("<!-- end -->")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", block, re.M)

    assert [name for name, _ in rows] == list(optim.CATALOG)
    assert all(0 < float(lr) < 10 for _, lr in rows)
    assert "torch " in block


@pytest.mark.parametrize("name", ["optimizers.png", "schedulers.png"])
def test_the_pictures_are_small(name: str) -> None:
    """Each picture exists and is below 150 kB."""
    data = DOCS.joinpath("images", name).read_bytes()

    assert data.startswith(b"\x89PNG")
    assert len(data) < LARGEST_PICTURE


@pytest.mark.parametrize("name", [name for name in optim.CATALOG if name != "adadelta"])
def test_each_descent_goes_down_the_valley(name: str, optimizers: Any) -> None:
    """The picture's LRs lead each optimizer to a hundredth of where it starts."""
    descent = optimizers.descend(name)

    assert descent.path.shape == (optimizers.STEPS + 1, 2)
    assert descent.value < 0.01 * 0.5 * (9 + 25)
    assert np.abs(descent.path[:, 1]).max() <= 1.0


def test_plain_descent_is_the_closed_form(optimizers: Any) -> None:
    """Under SGD each coordinate is multiplied by 1 − η λ every step."""
    path = optimizers.descend("sgd").path
    factors = 1 - optimizers.LRS["sgd"] * np.array([1.0, optimizers.STEEPNESS])
    steps = np.arange(len(path))[:, None]

    np.testing.assert_allclose(path, np.array(optimizers.START) * factors**steps, atol=1e-12)


def test_the_pages_python_is_python() -> None:
    """Every fenced Python block parses, and what it imports exists."""
    for page in ("optimizers.md", "schedulers.md"):
        for block in re.findall(
            r"```python\n(.*?)```", DOCS.joinpath(page).read_text("utf-8"), re.S
        ):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom):
                    for alias in node.names:
                        exec(f"from {node.module} import {alias.name}", {})
