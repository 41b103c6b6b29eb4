"""`lrfind run --no-auto-range`: one flag keeps a sweep within its ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TRAIN = """
import torch
from torch import nn
def model(): return nn.Linear(3, 1)
def data(): return [(torch.ones(4, 3), torch.ones(4, 1))]
"""


@pytest.mark.parametrize(("flags", "points"), [([], 45), (["--no-auto-range"], 30)])
def test_a_sweep_that_ends_too_early_goes_on_unless_told_not_to(
    lrfind: Callable[..., Any], tmp_path: Path, flags: list[str], points: int
) -> None:
    """The note, the report and the story say what was added; the flag takes it away."""
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "c.yaml").write_text(
        "model: train.py:model\ndata: train.py:data\nloss: mse_loss\noptimizer: sgd\ndevice: cpu\n"
        "sweep: {start_lr: 1e-4, end_lr: 1e-2, steps: 30}\n"
    )
    done = lrfind("run", tmp_path / "c.yaml", "--out", tmp_path, "--format", "lr", *flags)
    report = json.loads((tmp_path / "report.json").read_text())
    codes = [note["code"] for note in report["notes"]]

    assert len(report["curves"][0]["lr"]) == points
    assert ("range-extended" in codes) == (not flags)
    assert ("note: the loss had not risen at sweep.end_lr = 0.01: 15 steps" in done.err) == (
        not flags
    )
    assert ("seed 0: 30 + 15 steps" in done.err) == (not flags)
    assert report["spec"]["sweep"]["auto_range"] == (not flags)
