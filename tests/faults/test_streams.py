"""Standard output and error that are closed, full, or left by their reader."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lrfind.errors import ExitCode

LRS = [10 ** (-5 + i / 20) for i in range(121)]
LOSSES = [2 - 1.5 / (1 + 0.01 / lr) + lr**2 for lr in LRS]
ROWS = [f"{lr!r},{loss!r}" for lr, loss in zip(LRS, LOSSES, strict=True)]

COMMANDS = {
    "list": "list",
    "schema": "schema",
    "suggest": "suggest curve.csv",
    "json": "suggest curve.csv --format json",
    "schedule": "schedule cosine --lr 0.1 --steps 20000 --csv",
    "scale": "scale --lr 0.1 --from 32 --to 64",
    "help": "run --help",
    "version": "--version",
}
"""Every command that prints, the schedule with more than a pipe holds."""

BREAKS = {
    "left": "| head -1",
    "left at once": "| true",
    "both left": "2>&1 | head -1",
    "no output": ">&-",
    "no error output": "2>&- > /dev/null",
    "nothing open": ">&- 2>&- <&-",
    "full": "> /dev/full",
}


def shell(arguments: str, redirection: str, folder: Path) -> tuple[int, str]:
    """Run `lrfind ARGUMENTS REDIRECTION` in bash; its exit code and what was said."""
    line = f'"{sys.executable}" -m lrfind {arguments} {redirection}; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a curve in it."""
    (tmp_path / "curve.csv").write_text("\n".join(["lr,loss", *ROWS]) + "\n")
    return tmp_path


CASES = [
    *(("list", case) for case in BREAKS),
    *(("schedule", case) for case in ("left", "both left", "full")),
    *((name, "left at once") for name in COMMANDS if name not in ("list", "schedule")),
    *((name, "nothing open") for name in ("suggest", "help", "version")),
    ("json", "full"),
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_stream_that_breaks_changes_no_exit_code(name: str, case: str, folder: Path) -> None:
    """Whoever leaves, the command ends as it would have, and shows no traceback."""
    code, said = shell(COMMANDS[name], BREAKS[case], folder)

    assert code == (ExitCode.NOT_WRITTEN if case == "full" else ExitCode.OK), said
    for bad in ("Traceback", "internal error", "Exception ignored", "BrokenPipe"):
        assert bad not in said
    if case == "full":
        assert "standard output: cannot be written: No space left on device" in said


def test_an_error_keeps_its_code_where_nobody_listens(folder: Path) -> None:
    """A missing file is exit 2, whether or not standard error is there to tell it."""
    for redirection in ("2>&-", "2> /dev/full", "2>&1 | true"):
        assert shell("suggest missing.csv", redirection, folder)[0] == ExitCode.BAD_INPUT


def test_no_file_takes_the_place_of_a_closed_stream(folder: Path) -> None:
    """With standard output closed, what is printed lands in no file that is written meanwhile."""
    code, _ = shell("plot curve.csv -o curve.svg", ">&- 2>&- <&-", folder)

    assert code == ExitCode.OK
    drawn = (folder / "curve.svg").read_text()
    assert drawn.startswith("<?xml")
    assert drawn.rstrip().endswith("</svg>")
    assert sorted(os.listdir(folder)) == ["curve.csv", "curve.svg"]


def test_a_run_whose_reader_left_saves_everything(tmp_path: Path) -> None:
    """`lrfind run … | true` sweeps to the end, writes its files and exits with its own code."""
    (tmp_path / "train.py").write_text(
        "import torch\n"
        "def model(): return torch.nn.Linear(3, 1)\n"
        "def data(): return [torch.randn(4, 3) for _ in range(5)]\n"
        "def step(model, batch):\n"
        "    print('x' * 1000)\n"
        "    return ((model(batch) - 1) ** 2).mean()\n"
    )
    (tmp_path / "c.yaml").write_text(
        "model: train.py:model\ndata: train.py:data\nstep: train.py:step\noptimizer: sgd\n"
    )

    code, said = shell("run c.yaml --out out", "2>&1 | true", tmp_path)

    assert code == ExitCode.OK, said
    assert sorted(os.listdir(tmp_path / "out")) == ["curve.csv", "curve.png", "report.json"]
