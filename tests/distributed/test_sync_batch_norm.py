"""On GPUs BatchNorm takes its statistics from the batches of all ranks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from rank_runs import finished, project
from test_ddp import has_curve_of, report_of
from torch import nn

from lrfind.distributed import World
from lrfind.distributed.group import Group
from lrfind.spec import DistributedSection
from lrfind.workload.parallel import Parallel

NORMED = """
def normed():
    return nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 3))
"""


@pytest.mark.parametrize(("device", "kind"), [("cuda", nn.SyncBatchNorm), ("cpu", nn.BatchNorm1d)])
def test_batch_norm_becomes_that_of_all_ranks_on_gpus(device: str, kind: type[nn.Module]) -> None:
    """The layer that takes its place has its parameters and its running statistics; torch has none
    for CPUs."""
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    weight, mean = model[1].weight, model[1].running_mean
    parallel = Parallel(Group(World(0, 2, 0)), DistributedSection(), torch.device(device))

    made = parallel.prepared(model)

    assert type(made[1]) is kind
    assert made[1].weight is weight
    assert made[1].running_mean is mean


@pytest.mark.cuda
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_gpus_normalise_as_one_process_does(strategy: str, tmp_path: Path) -> None:
    """Two ranks with batches of 32 give the curve of one process with 64, BatchNorm included."""
    one, two = project(tmp_path / "one", NORMED), project(tmp_path / "two", NORMED)
    options = ("--set=model=train.py:normed", "--set=device=cuda", "--set=data.drop_last=true")

    finished(one, "run", "c.yaml", *options, "--set=data.batch_size=64", size=1)
    finished(two, "run", "c.yaml", *options, f"--set=distributed={strategy}")

    has_curve_of(one, two)
    assert "batch-norm-per-rank" not in [note["code"] for note in report_of(two)["notes"]]
