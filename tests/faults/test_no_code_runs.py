"""Reading a config, a curve or a report runs no code: only `run` and `validate` import targets."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lrfind as package
from lrfind.curve import Curve
from lrfind.export import write_curves, write_report
from lrfind.report import make_report

TRAP = """
from pathlib import Path
Path(__file__).with_name("sprung").write_text(__name__)
def rule(reading): return 1e-3
"""

CONFIG = """
model: trap.py:model
data: trapped_package:data
loss: trap.py:loss
optimizer: {target: "trap.py:optimizer", args: {lr: 0.1}}
suggest: trap.py:rule
schedule: cosine
sweep: {validation: trap.py:data}
"""

LOOP = f"""{TRAP}
import torch
from torch import nn
from trap import data
def build(): return nn.Linear(4, 1)
def samples(): return data()
if __name__ == "__main__":
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x, y in torch.utils.data.DataLoader(samples(), batch_size=8):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
"""
"""A training script that leaves a trace when it is imported or run."""

SHADOWED = ("numpy", "matplotlib", "rich", "typer", "pydantic", "ruamel", "torch", "pandas")
"""What lrfind imports, as a name of a file in the working folder."""

READERS = {
    "suggest-csv": "suggest curve.csv",
    "suggest-json": "suggest report.json",
    "plot": "plot curve.csv report.json -o out.svg",
    "schedule": "schedule --config lrfind.yaml",
    "list": "list",
    "schema": "schema",
    "init": "init --dir new",
    "init-from": "init --from script loop.py --dir new",
    "apply": "apply report.json --to own.yaml:lr",
    "scale": "scale --lr 0.1 --from 8 --to 16",
}


def curve() -> Curve:
    """Fall and rise."""
    lr = np.logspace(-5, 1, 61)
    return Curve(lr, 2 - 1.5 / (1 + 0.01 / lr) + lr**2)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which every import leaves a trace."""
    (tmp_path / "trap.py").write_text(TRAP)
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "trapped_package.py").write_text(TRAP)
    (tmp_path / "lrfind.yaml").write_text(CONFIG)
    (tmp_path / "loop.py").write_text(LOOP)
    (tmp_path / "own.yaml").write_text("lr: 1e-3\n")
    write_curves([curve()], tmp_path / "curve.csv")
    spec = {"suggest": {"method": "trap.py:rule", "args": {}}}
    report = make_report([curve()], "auto", spec=spec)
    write_report(report, tmp_path / "report.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sprung(project: Path) -> list[str]:
    """Name the traps that were imported."""
    return [str(found.relative_to(project)) for found in project.rglob("sprung")]


def start(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m lrfind`, which puts the working folder on the import path."""
    entries = (str(Path(package.__file__).parents[1]), str(project / "path"))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(entries), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "lrfind", *arguments],
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", READERS)
def test_reading_springs_no_trap(name: str, project: Path) -> None:
    """Nothing of the folder is imported: no target, no rule, no file called as a package."""
    for shadowed in SHADOWED:
        (project / f"{shadowed}.py").write_text(TRAP)
    (project / "matplotlibrc").write_text("backend: module://trap\ntext.usetex: True\n")

    done = start(project, *READERS[name].split())

    assert done.returncode == 0, done.stderr
    assert sprung(project) == []


@pytest.mark.parametrize("command", ["run", "validate"])
def test_running_imports_the_targets(
    command: str, project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap works: the commands that need the user's code do import it."""
    monkeypatch.syspath_prepend(project / "path")
    for name in ("trap", "trapped_package"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    assert lrfind(command, "lrfind.yaml").code == 2
    assert sorted(sprung(project)) == ["path/sprung", "sprung"]


def test_a_lock_is_read_without_importing_what_its_config_names(
    project: Path, lrfind: Callable[..., Any]
) -> None:
    """`get` prints a pin and `check --no-run` finds it stale, and neither springs a trap."""
    (project / "code.py").write_text(
        "import torch\nmodel = torch.nn.Linear(1, 1)\nX = torch.randn(8, 1)\ndata = [(X, X)]\n"
    )
    (project / "lrfind.yaml").write_text(
        "model: code.py:model\ndata: code.py:data\nloss: mse_loss\n"
    )
    assert lrfind("pin", "lrfind.yaml", "--lr", "0.1", "--reason", "a test").code == 0
    (project / "lrfind.yaml").write_text(CONFIG)

    got = start(project, "get", "lrfind.yaml")
    checked = start(project, "check", "lrfind.yaml", "--no-run")

    assert (got.returncode, got.stdout) == (0, "0.1\n"), got.stderr
    assert checked.returncode == 1, checked.stderr
    assert sprung(project) == []


def test_a_config_that_is_wrong_is_refused_before_anything_is_imported(
    project: Path, lrfind: Callable[..., Any]
) -> None:
    """`run` looks at keys, types and names before it imports a target."""
    (project / "lrfind.yaml").write_text(CONFIG + "sed: 1\n")

    assert lrfind("run", "lrfind.yaml").code == 2
    assert sprung(project) == []


def test_a_rule_in_a_report_runs_only_where_the_command_line_names_it(
    project: Path, lrfind: Callable[..., Any]
) -> None:
    """The saved answer stands in for it; `--method` with the same path is the user's own word."""
    saved = lrfind("suggest", "report.json", "--format", "lr")
    assert (saved.code, sprung(project)) == (0, [])

    asked = lrfind("suggest", "report.json", "--method", "trap.py:rule", "--format", "lr")
    assert (asked.code, asked.out, sprung(project)) == (0, "0.001\n", ["sprung"])
    assert saved.out != asked.out


def test_the_rule_of_a_config_lies_beside_the_config(
    project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`suggest.method` starts from the config's folder, as every target; `--method` from here."""
    inner = project / "inner"
    inner.mkdir()
    (inner / "rules.py").write_text("def mine(reading): return 2e-3\n")
    (project / "rules.py").write_text("def mine(reading): return 3e-3\n")
    (inner / "code.py").write_text(
        "import torch\nmodel = torch.nn.Linear(1, 1)\nX = torch.randn(32, 1)\ndata = [(X, 2 * X)]\n"
    )
    (inner / "c.yaml").write_text(
        "model: code.py:model\ndata: code.py:data\nloss: mse_loss\noptimizer: sgd\n"
        "sweep: {start_lr: 1e-4, end_lr: 100, steps: 60}\nsuggest: rules.py:mine\n"
    )

    own = lrfind("run", "inner/c.yaml", "--format", "lr", "-q")
    option = lrfind("run", "inner/c.yaml", "--format", "lr", "-q", "--method", "rules.py:mine")
    (inner / "rules.py").unlink()
    missing = lrfind("run", "inner/c.yaml")

    assert (own.out, option.out) == ("0.002\n", "0.003\n")
    assert missing.code == 2
    assert "c.yaml:6: suggest = 'rules.py:mine': there is no file rules.py" in missing.err


FORBIDDEN = {
    "pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "subprocess",
    "eval", "exec", "compile", "__import__", "os.system", "popen", "read_pickle", "unsafe_load",
}  # fmt: skip
"""What turns data into code."""


def suspicious(tree: ast.AST) -> Iterator[str]:
    """Find imports and calls that could run what a file says."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or ""
            names = [*module.split("."), *(alias.name.split(".")[0] for alias in node.names)]
            yield from (f"line {node.lineno}: {name}" for name in names if name in FORBIDDEN)
        elif isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            owner = ast.unparse(called.value) if isinstance(called, ast.Attribute) else ""
            is_builtin = name in ("eval", "exec", "compile", "__import__") and not owner
            is_loader = name == "load" and owner in ("torch", "np", "numpy", "yaml")
            # Which build tensors or arrays of numbers and nothing else.
            harmless = {"weights_only=True", "allow_pickle=False"}
            is_loader = is_loader and harmless.isdisjoint(map(ast.unparse, node.keywords))
            is_known = name in FORBIDDEN - {"eval", "exec", "compile", "__import__"}
            if is_builtin or is_loader or is_known or f"{owner}.{name}" in FORBIDDEN:
                yield f"line {node.lineno}: {ast.unparse(called)}"


def test_no_pickle_is_read_and_nothing_is_evaluated() -> None:
    """No module imports or calls what turns bytes into code; `import_module` takes targets only."""
    root = Path(package.__file__).parent
    found = {
        str(path.relative_to(root)): list(suspicious(ast.parse(path.read_text())))
        for path in root.rglob("*.py")
    }

    assert {path: lines for path, lines in found.items() if lines} == {}
    probe = "import pickle, torch\ntorch.load(f)\npickle.loads(x)\neval(x)\nre.compile(x)"
    probe += "\ntorch.load(f, weights_only=True)\nnp.load(f, allow_pickle=False)"
    assert len(list(suspicious(ast.parse(probe)))) == 3


def test_a_report_writes_only_where_the_command_line_says(
    project: Path, lrfind: Callable[..., Any]
) -> None:
    """Paths inside a saved report are text: reading and drawing it touches no other file."""
    spec = {"output": {"dir": str(project / "elsewhere")}, "suggest": "auto"}
    title = "../../escape/$(touch pwned)"
    write_report(make_report([curve()], "auto", spec=spec, title=title), project / "report.json")
    before = {path for path in project.rglob("*") if "__pycache__" not in path.parts}

    assert lrfind("suggest", "report.json").code == 0
    assert lrfind("plot", "report.json", "-o", "out.png").code == 0

    after = {path for path in project.rglob("*") if "__pycache__" not in path.parts}
    assert after - before == {project / "out.png"}


def test_an_output_that_is_a_link_is_replaced_and_not_followed(
    project: Path, lrfind: Callable[..., Any]
) -> None:
    """A link planted at the name of an output does not lead the write elsewhere."""
    (project / "victim").write_text("mine")
    (project / "out.png").symlink_to("victim")

    assert lrfind("plot", "curve.csv", "-o", "out.png").code == 0

    assert (project / "victim").read_text() == "mine"
    assert not (project / "out.png").is_symlink()


def test_the_default_folder_lies_below_runs(project: Path, lrfind: Callable[..., Any]) -> None:
    """A config whose stem is `..` does not lead the output out of `runs`."""
    (project / "...yaml").write_text(
        "model: code.py:model\ndata: code.py:data\nloss: mse_loss\nsweep: {steps: 2}\n"
    )
    (project / "code.py").write_text(
        "import torch\nmodel = torch.nn.Linear(1, 1)\nX = torch.randn(8, 1)\ndata = [(X, X)]\n"
    )

    assert lrfind("run", "...yaml", "-q").code in (0, 3)

    assert not (project / "curve.png").exists()
    assert len(list((project / "runs").rglob("curve.csv"))) == 1
