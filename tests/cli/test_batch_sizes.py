"""`lrfind run --batch-sizes`: folders, law, errors, Ctrl-C."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_run import DIGITS, FILES

from lrfind.errors import ExitCode
from tests import nursery

FEW = ["--set", "device=cpu", "--set", "sweep.steps=60"]

OWN_BATCHES = """
import torch
from torch import nn
def model(): return nn.Linear(3, 1)
def data(): return [torch.ones(4, 3)] * 5
def samples(): return (torch.randn(64, 3), torch.randn(64, 1))
def step(model, batch): return (model(batch) ** 2).mean()
"""

INTERRUPTED = """
import os, signal
import torch
from torch import nn
def model(): return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
def data():
    x = torch.randn(256, 3)
    return x, x.sum(1, keepdim=True)
seen = 0
def step(model, batch):
    global seen
    x, y = batch
    seen += len(x) == 32
    # The check of the largest size comes first, and then its sweep.
    if seen == 20:
        os.kill(os.getpid(), signal.SIGINT)
    return ((model(x) - y) ** 2).mean()
"""


def project(folder: Path, code: str, data: str = "data") -> Path:
    """A config with its code beside it."""
    (folder / "train.py").write_text(code)
    path = folder / "c.yaml"
    path.write_text(
        f"model: train.py:model\ndata: train.py:{data}\nstep: train.py:step\n"
        "optimizer: sgd\nsweep: {steps: 60, auto_range: false}\noutput: out\n"
    )
    return path


def test_each_size_has_a_folder_and_all_have_a_law(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Three files a size, as a run of that size writes them; two over all; a table on stdout."""
    outcome = lrfind("run", DIGITS, *FEW, "--batch-sizes", "128, 32", "--out", tmp_path / "many")
    lrfind("run", DIGITS, *FEW, "--set", "data.batch_size=128", "--out", tmp_path / "one")
    law = json.loads((tmp_path / "many/batch-sizes.json").read_text())
    report = json.loads((tmp_path / "many/batch-128/report.json").read_text())

    assert outcome.code == ExitCode.OK
    assert sorted(p.name for p in (tmp_path / "many").iterdir()) == [
        "batch-128", "batch-32", "batch-sizes.json", "batch-sizes.png",
    ]  # fmt: skip
    for size in (32, 128):
        assert sorted(p.name for p in (tmp_path / f"many/batch-{size}").iterdir()) == FILES
    assert (tmp_path / "many/batch-128/curve.csv").read_bytes() == (
        tmp_path / "one/curve.csv"
    ).read_bytes()
    assert report["spec"]["data"]["batch_size"] == 128
    assert law["sizes"] == [32, 128]
    assert law["lrs"][1] == report["suggestion"]["lr"]
    assert "lr ∝ batch^" in outcome.out
    assert "arXiv 2405.14578" in outcome.out
    assert outcome.err.count("batch size ") == 2


@pytest.mark.parametrize("output_format", ["json", "markdown"])
def test_stdout_holds_the_law_alone(
    output_format: str, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """JSON is the file's own text; with SGD there is no word of Adam; quiet is quiet."""
    outcome = lrfind(
        "run", DIGITS, *FEW, "--set", "optimizer.name=momentum", "--set",
        "optimizer.args={}", "--batch-sizes", "32,64", "--out", tmp_path, "--format",
        output_format, "-q",
    )  # fmt: skip

    assert outcome.code == ExitCode.OK
    assert outcome.err == ""
    assert "Adam" not in outcome.out
    if output_format == "json":
        assert outcome.out == (tmp_path / "batch-sizes.json").read_text("utf-8")
    else:
        assert outcome.out.startswith("### lrfind: digits")


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ("32", "--batch-sizes 32: one size has no slope"),
        ("32,", "'' must be whole numbers from 1"),
        ("32,x,0,-4,1.5", "'x', '0', '-4', '1.5' must be whole numbers from 1"),
        ("32," + "9" * 5000, "must be whole numbers from 1 to 1e15"),
        ("32,64,32", "names 32 more than once"),
        ("32,4096", "gives 1437 samples where a batch of 4096 is asked for"),
    ],
)
def test_sizes_that_do_not_fit_are_told_before_any_sweep(
    sizes: str, text: str, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """A malformed list, one size, one twice, one above the data set: told with the remedy."""
    outcome = lrfind("run", DIGITS, *FEW, "--batch-sizes", sizes, "--out", tmp_path / "out")

    assert outcome.code == ExitCode.BAD_INPUT
    assert text in " ".join(outcome.err.split())
    assert not list(tmp_path.glob("out/batch-*/*"))


def test_several_answers_are_no_bare_number(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """`--format lr` is refused, since a script would take one LR for all sizes."""
    outcome = lrfind(
        "run", DIGITS, "--batch-sizes", "32,64", "--format", "lr", "--out", tmp_path / "out"
    )

    assert outcome.code == ExitCode.BAD_INPUT
    assert "--format lr: prints one number, but 2 batch sizes" in " ".join(outcome.err.split())
    assert not (tmp_path / "out").exists()


def test_data_with_batches_of_their_own_are_refused(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """A list of batches cannot be batched otherwise: told at the config's line, with the remedy."""
    outcome = lrfind(
        "run", project(tmp_path, OWN_BATCHES), "--batch-sizes", "8,16", "--out", tmp_path / "out"
    )

    text = " ".join(outcome.err.split())
    assert outcome.code == ExitCode.BAD_INPUT
    assert "c.yaml:2: data gives a list, which makes its own batches" in text
    assert "give the dataset instead" in text


def test_without_two_answers_the_exit_code_says_so(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Sweeps too short to tell anything exit with 3, their files written."""
    outcome = lrfind(
        "run", DIGITS, "--set", "sweep.end_lr=2e-7", "--set", "sweep.auto_range=false", "--set",
        "sweep.steps=30", "--batch-sizes", "32,64", "--out", tmp_path,
    )  # fmt: skip

    assert outcome.code == ExitCode.NO_SUGGESTION
    assert outcome.out.count("none") >= 3
    assert (tmp_path / "batch-sizes.png").exists()


def test_ctrl_c_keeps_the_sizes_that_are_done(tmp_path: Path) -> None:
    """What was swept before Ctrl-C is in the law; the broken size is not; 130 is returned."""
    project(tmp_path, INTERRUPTED)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/batch-sizes.json").write_text("of an earlier run")
    command = ["run", "c.yaml", "--batch-sizes", "16,32,64", "--out", "out"]
    done = nursery.ran("-m", "lrfind", *command, cwd=tmp_path)
    law = json.loads((tmp_path / "out/batch-sizes.json").read_text())

    assert done.returncode == ExitCode.INTERRUPTED, done.stderr
    assert law["sizes"] == [16]
    assert (tmp_path / "out/batch-32/curve.csv").exists()
    assert not (tmp_path / "out/batch-64").exists()
    assert "exponent" in done.stdout
