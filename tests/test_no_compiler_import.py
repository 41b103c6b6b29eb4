"""A run leaves torch's compiler alone: importing it would take longer than the sweep."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

PROBE = """
import sys
from lrfind.cli import main
sys.argv = ["lrfind", *sys.argv[1:]]
try:
    main()
finally:
    heavy = ("torch._dynamo", "torch._inductor", "sympy")
    print("COMPILER", *(name for name in heavy if name in sys.modules))
"""


def test_a_run_imports_no_compiler(tmp_path: Path) -> None:
    """After `lrfind run configs/digits.yaml` neither dynamo, inductor nor sympy is loaded."""
    run = subprocess.run(
        [sys.executable, "-c", PROBE, "run", "configs/digits.yaml", "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "COMPILER"
    assert (tmp_path / "out" / "curve.png").exists()


def test_the_probe_sees_a_compiler_that_is_loaded() -> None:
    """The same look at `sys.modules` finds sympy where something imports it."""
    code = PROBE.replace("main()", "import sympy", 1).replace("from lrfind.cli import main\n", "")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.splitlines()[-1] == "COMPILER sympy"
