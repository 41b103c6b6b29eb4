"""One seed, one curve: byte for byte, in one process or several, with loader processes or none."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from lrfind import range_test
from lrfind.config import load
from lrfind.curve_csv import to_csv
from lrfind.experiment import run_config
from lrfind.report import to_dict

HERE = Path(__file__).parent
CONFIG = """
device: cpu
model: test_determinism:wide
data: {target: test_determinism:rows, batch_size: 128}
loss: mse_loss
sweep: {steps: 12, start_lr: 1e-5, auto_range: false}
"""
RUNS = 5

PROBE = f"""
import sys
import torch
torch.set_num_threads(int(sys.argv[2]))
from pathlib import Path
from test_determinism import bytes_of
print(*(bytes_of(Path(sys.argv[1])) for _ in range({RUNS})), sep="\\n")
"""


def rows() -> tuple[Tensor, Tensor]:
    """Make data that are as wide as it takes for torch to use a second thread."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(512, 256, generator=generator)
    return X, X[:, :1].sin()


def wide() -> nn.Module:
    """Make a model with dropout, whose sums are long enough to be split over threads."""
    return nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.1), nn.Linear(256, 1))


def bytes_of(config: Path) -> str:
    """Run a config and give its CSV and its JSON without times, on one line."""
    report = run_config(load(config))
    data = to_dict(report)
    del data["environment"]["time"]
    for curve in data["curves"]:
        del curve["elapsed_s"]
    return json.dumps([to_csv(report.curves), data], sort_keys=True)


def test_twenty_runs_give_the_same_bytes(tmp_path: Path) -> None:
    """In five runs of each of four processes, hash seeds apart, CSV and JSON are the same.

    Two processes compute with one thread and two with two: the report tells which, and the same
    number of threads gives the same bytes.
    """
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    found: dict[int, set[str]] = {1: set(), 2: set()}
    for hash_seed, threads in enumerate((1, 2, 1, 2)):
        run = subprocess.run(
            [sys.executable, "-c", PROBE, str(config), str(threads)],
            capture_output=True,
            text=True,
            check=True,
            env={
                **os.environ,
                "PYTHONHASHSEED": str(hash_seed),
                # A second thread that spins where cores are few makes the first one wait.
                "OMP_WAIT_POLICY": "passive",
                "PYTHONPATH": f"{HERE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            },
        )
        assert len(run.stdout.splitlines()) == RUNS
        found[threads] |= set(run.stdout.splitlines())

    assert [len(same) for same in found.values()] == [1, 1]
    for threads, (text,) in found.items():
        assert json.loads(text)[1]["environment"]["threads"] == threads


class Noisy(Dataset[tuple[Tensor, Tensor]]):
    """Adds noise from Python's, NumPy's and torch's generators to each sample."""

    def __len__(self) -> int:
        return 48

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        noise = random.random() + np.random.rand() + float(torch.rand(()))
        x = torch.full((4,), index / 48) + 0.1 * noise
        return x, x.sum(0, keepdim=True)


class Quiet(Noisy):
    """The same samples without the noise."""

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        x = torch.full((4,), index / 48)
        return x, x.sum(0, keepdim=True)


def csv_of(data: Any, **options: Any) -> str:
    """Sweep a linear model, and give the curve as CSV."""
    report = range_test(
        lambda: nn.Linear(4, 1),
        data,
        "mse_loss",
        steps=10,
        device="cpu",
        auto_range=False,
        **options,
    )
    return to_csv(report.curves)


def config_csv(folder: Path, target: str, workers: int) -> str:
    """Sweep a dataset of this module with some loader processes."""
    config = folder / "workers.yaml"
    config.write_text(
        "device: cpu\nmodel: {target: 'torch.nn:Linear', args: {in_features: 4, out_features: 1}}\n"
        f"data: {{target: 'test_determinism:{target}', batch_size: 8, num_workers: {workers}}}\n"
        "loss: mse_loss\nsweep: {steps: 10, auto_range: false}\n"
    )
    return to_csv(run_config(load(config)).curves)


def test_loader_processes_do_not_change_the_order(tmp_path: Path) -> None:
    """No loader process or two: the same batches in the same order, past the end of a pass."""
    assert config_csv(tmp_path, "Quiet", 0) == config_csv(tmp_path, "Quiet", 2)


def test_loader_processes_are_seeded(tmp_path: Path) -> None:
    """What their random, NumPy and torch draw depends on the seed alone."""
    first = config_csv(tmp_path, "Noisy", 2)
    random.random(), np.random.rand(), torch.rand(1)

    assert config_csv(tmp_path, "Noisy", 2) == first


def test_the_callers_own_loader_with_processes_is_seeded() -> None:
    """A ready DataLoader without a generator of its own is seeded too, with processes or none."""
    loaders = [
        torch.utils.data.DataLoader(Quiet(), batch_size=8, shuffle=True, num_workers=workers)
        for workers in (0, 2)
    ]
    alone, apart = (csv_of(loader) for loader in loaders)
    torch.rand(3)

    assert alone == apart == csv_of(loaders[0])


SWITCHES: dict[str, Callable[[], object]] = {
    "algorithms": torch.are_deterministic_algorithms_enabled,
    "warn only": torch.is_deterministic_algorithms_warn_only_enabled,
    "cudnn": lambda: torch.backends.cudnn.deterministic,
    "benchmark": lambda: torch.backends.cudnn.benchmark,
    "cublas": lambda: os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
}


def test_deterministic_turns_torchs_switches_on_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them hold during the sweep and are afterwards what they were, whatever that was."""
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = {name: read() for name, read in SWITCHES.items()}
    seen: list[dict[str, object]] = []

    def step(model: nn.Module, batch: Any) -> Tensor:
        seen.append({name: read() for name, read in SWITCHES.items()})
        loss: Tensor = (model(batch[0]) - batch[1]).square().mean()
        return loss

    def sweep(**options: Any) -> None:
        data = (torch.ones(8, 4), torch.ones(8, 1))
        range_test(lambda: nn.Linear(4, 1), data, step=step, steps=2, device="cpu", **options)

    sweep()
    assert seen[-1] == before
    sweep(deterministic=True)

    assert list(seen[-1].values()) == [True, True, True, False, ":4096:8"]
    assert {name: read() for name, read in SWITCHES.items()} == before


def puts(model: nn.Module, batch: Any) -> Tensor:
    """Use an operation for which torch has no deterministic form on the CPU."""
    torch.zeros(4).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
    warnings.warn("of the user's own", UserWarning, stacklevel=1)
    loss: Tensor = (model(batch[0]) - batch[1]).square().mean()
    return loss


def test_an_operation_that_is_not_deterministic_is_named_once() -> None:
    """The report says where torch cannot promise it; other warnings go their way."""
    data = (torch.ones(8, 4), torch.ones(8, 1))
    options: dict[str, Any] = {"step": puts, "steps": 8, "device": "cpu", "seeds": 2}
    with pytest.warns(UserWarning, match="of the user's own") as told:
        report = range_test(lambda: nn.Linear(4, 1), data, deterministic=True, **options)

    (note,) = (note for note in report.notes if note.code == "not-deterministic")
    assert note.message == ("2 of 2 seeds: torch has no deterministic form of put_, which ran")
    assert not [warning for warning in told if "determinis" in str(warning.message)]


def test_without_the_option_nothing_is_promised_or_told() -> None:
    """The same operation is swept as it is."""
    data = (torch.ones(8, 4), torch.ones(8, 1))
    with pytest.warns(UserWarning, match="of the user's own"):
        report = range_test(lambda: nn.Linear(4, 1), data, step=puts, steps=8, device="cpu")

    assert "not-deterministic" not in {note.code for note in report.notes}


def test_the_flag_is_the_key(tmp_path: Path, lrfind: Callable[..., Any]) -> None:
    """`--deterministic` sets `sweep.deterministic`, and the report keeps it with the threads."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("steps: 12", "steps: 10"))

    outcome = lrfind("run", config, "--deterministic", "--out", tmp_path / "out", "--quiet")

    assert outcome.code in (0, 3)
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    assert data["spec"]["sweep"]["deterministic"] is True
    assert data["environment"]["threads"] == torch.get_num_threads()
