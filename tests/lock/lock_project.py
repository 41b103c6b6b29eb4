"""A small project of its own, whose LR is pinned in seconds, and a lock made without training."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from lrfind.lock.lock import Lock
from lrfind.lock.versions import versions_here
from tests import nursery

TRAIN = """
import torch
from torch import nn
from torch.utils.data import TensorDataset

WIDTH = 16

def model(): return nn.Sequential(nn.Linear(8, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2))

def data():
    x = torch.randn(512, 8, generator=torch.Generator().manual_seed(0))
    return TensorDataset(x, (x[:, 0] * x[:, 1] + x[:, 2] > 0).long())
"""

CONFIG = """\
# a comment
model: src/train.py:model
data: {target: src/train.py:data, batch_size: 32}
loss: cross_entropy
sweep: {start_lr: 1e-5, steps: 80, seeds: 3}
"""

LOCK = Lock(
    lr=0.0071,
    swept_lr=0.0071,
    peak_lr=0.0128,
    low=0.004,
    high=0.011,
    method="auto",
    verdict="ok",
    reason="loss fell 1.9 (41 σ)",
    per_seed={0: 0.0071, 1: 0.0075, 2: None},
    tolerance_decades=0.15,
    noise={0: 0.02, 1: 0.021, 2: 0.025},
    noise_tolerance_decades=0.3,
    config={"c.yaml": "0" * 64},
    config_digest="1" * 64,
    spec={"data.batch_size": 32, "model.args.betas": [0.9, 0.99]},
    sources={"src/train.py": "2" * 64},
    curve_digest="3" * 64,
    versions={"lrfind": "0.1.0", "python": "3.11.2", "torch": "2.6.0"},
    device="cpu",
    pinned_at="2026-01-02T03:04:05+00:00",
)


def make_project(folder: Path) -> Path:
    """Write a project with a root of its own and return its config."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text(TRAIN)
    (folder / "pyproject.toml").write_text("")
    config = folder / "c.yaml"
    config.write_text(CONFIG)
    return config


def lock_of(config: Path, **changes: Any) -> Lock:
    """Make the lock of a project as it stands, as if its sweeps had said 0.0071."""
    from lrfind.config import load
    from lrfind.lock.project import digests
    from lrfind.lock.staleness import pinned_values

    spec, source = load(config).spec, config.parent / "src" / "train.py"
    fresh = replace(
        LOCK,
        config=digests([config], config),
        config_digest=spec.digest(),
        spec=pinned_values(spec),
        sources=digests([source] if source.exists() else [], config),
        versions=versions_here(),
    )
    return replace(fresh, **changes)


def run(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `lrfind` in a process of its own."""
    return nursery.ran("-m", "lrfind", *arguments, cwd=cwd, NO_COLOR="1", **environment)
