"""What is quick stays quick: heavy packages are imported only where they are used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "pandas", "matplotlib", "numpy"}
EXTRAS = {
    *("lightning", "pytorch_lightning", "transformers", "accelerate", "pyarrow"),
    *("mpld3", "IPython", "tensorboard", "mlflow", "wandb", "mkdocs", "skorch"),
}

PROBE = """
import sys
from lrfind.cli import main
sys.argv = ["lrfind", *sys.argv[1:]]
try:
    main()
finally:
    print("\\nLOADED", *sorted(sys.modules))
"""

LRS = [10 ** (-5 + i / 20) for i in range(121)]
LOSSES = [2 - 1.5 / (1 + 0.01 / lr) + lr**2 for lr in LRS]
ROWS = [f"0,{i},{lr!r},{loss!r},0" for i, (lr, loss) in enumerate(zip(LRS, LOSSES, strict=True))]
CSV = "\n".join(["seed,step,lr,loss,smooth", *ROWS]) + "\n"


def loaded(*arguments: str, folder: Path | None = None) -> set[str]:
    """Run a command in a process of its own and tell the modules it had imported at its end."""
    run = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )

    assert run.returncode == 0, run.stderr
    return set(run.stdout.rsplit("LOADED", 1)[1].split())


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["list"], ["--version"], ["init", "--help"]],
    ids=" ".join,
)
def test_quick_commands_import_nothing_heavy(arguments: list[str]) -> None:
    """Help, the lists and the version come without torch, pandas, matplotlib and numpy."""
    assert loaded(*arguments) & HEAVY == set()


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["--version"]], ids=" ".join)
def test_commands_without_a_config_import_no_validator(arguments: list[str]) -> None:
    """What reads no config loads neither pydantic nor a YAML reader."""
    assert loaded(*arguments) & {"pydantic", "pydantic_core", "ruamel"} == set()


def test_the_version_comes_without_rich() -> None:
    """`--version` prints a line, and loads nothing to lay it out."""
    assert "rich" not in loaded("--version")


@pytest.fixture(scope="module", name="after_a_run")
def _after_a_run(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that `lrfind run configs/digits.yaml` has imported at its end."""
    folder = tmp_path_factory.mktemp("digits")
    config = Path(__file__).parents[1] / "configs" / "digits.yaml"

    modules = loaded("run", str(config), "--out", "out", folder=folder)

    assert (folder / "out" / "curve.png").exists()
    return modules


def test_a_run_imports_no_compiler(after_a_run: set[str]) -> None:
    """Neither dynamo, inductor nor sympy: importing them would take longer than the sweep."""
    assert after_a_run & {"torch._dynamo", "torch._inductor", "sympy"} == set()


def test_a_run_imports_nothing_that_it_does_not_use(after_a_run: set[str]) -> None:
    """`run` of the digits draws its picture without pyplot, and loads no pandas and no SciPy."""
    modules = after_a_run

    assert {"torch", "matplotlib"} <= modules
    unused = {"matplotlib.pyplot", "matplotlib.style", "pandas", "scipy", "sklearn"}
    unused |= {"tensorboard", "mlflow", "wandb", "lrfind.trackers"}
    assert modules & unused == set()
    # Installed here all the same, which costs a run nothing.
    assert modules & EXTRAS == set()


@pytest.mark.parametrize(
    "arguments", [["suggest", "curve.csv"], ["plot", "curve.csv", "-o", "curve.svg"]], ids=" ".join
)
def test_saved_curves_are_read_without_torch(arguments: list[str], tmp_path: Path) -> None:
    """`suggest` and `plot` on a saved CSV import no torch."""
    (tmp_path / "curve.csv").write_text(CSV)

    packages = loaded(*arguments, folder=tmp_path)

    assert "numpy" in packages
    assert "torch" not in packages


def test_the_probe_sees_what_is_loaded() -> None:
    """The same look at `sys.modules` finds sympy where something imports it."""
    code = PROBE.replace("main()", "import sympy", 1).replace("from lrfind.cli import main\n", "")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "sympy" in run.stdout.rsplit("LOADED", 1)[1].split()


def test_importing_lrfind_imports_nothing_heavy() -> None:
    """`import lrfind` is free; its names load on first use."""
    code = "import sys, lrfind; print(*{name.split('.')[0] for name in sys.modules})"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set(run.stdout.split()) & HEAVY == set()
