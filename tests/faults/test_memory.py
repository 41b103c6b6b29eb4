"""Memory runs out on a batch: told with its size and what to lower. The allocations really fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fault_runs import CONFIG, Ended, Run, project, rows_of

from lrfind.errors import ExitCode

CODE = """
    import resource
    def data(): return torch.utils.data.TensorDataset(torch.ones(400, 3))
    def step(model, batch, index):
        if index == 30:
            {fault}
        return ((model(batch[0]) - 1) ** 2).mean()
"""
LIMITED = """
            used = int(open("/proc/self/statm").read().split()[0]) * 4096
            resource.setrlimit(resource.RLIMIT_AS, (used + 2 ** 28, used + 2 ** 28))
            torch.ones(len(batch[0]), 2 ** 24)
"""
FAULTS = {
    "torch, under a limit": LIMITED.strip(),
    "torch, absurd": "torch.empty(2 ** 50)",
    "python": "bytearray(2 ** 62)",
    "numpy": "import numpy; numpy.zeros(2 ** 50)",
}
SIZED = CONFIG.replace("data: train.py:data", "data: {target: train.py:data, batch_size: 32}")


def failed(folder: Path, code: str, config: str = SIZED) -> Ended:
    """Run into a failed allocation."""
    done = Run(project(folder, code, config), "run", "c.yaml").end()
    assert done.code == ExitCode.BAD_INPUT, done.err
    return done


@pytest.mark.parametrize("name", FAULTS)
def test_memory_that_runs_out_names_the_batch_size(name: str, tmp_path: Path) -> None:
    """Phase and line as ever, then the batch size, a smaller one, and how to make up for it."""
    done = failed(tmp_path, CODE.format(fault=FAULTS[name]))

    assert "c.yaml:4: step (train.py:step): computing the loss raised" in done.err
    assert (
        "a batch has 32 samples: lower it, --set data.batch_size=16; with "
        "--set sweep.accumulate=2 an update sees as many as before" in done.err
    )
    assert rows_of(tmp_path / "out" / "curve.csv") == 29


def test_the_remedy_works(tmp_path: Path) -> None:
    """The options that the message names are options, and give what it promises."""
    code = CODE.format(fault="torch.empty(2 ** 50 if len(batch[0]) > 16 else 1)")
    options = re.findall(r"--set (\S+?=\d+)", failed(tmp_path, code).err)
    done = Run(tmp_path, "run", "c.yaml", *(part for o in options for part in ("--set", o))).end()

    assert options == ["data.batch_size=16", "sweep.accumulate=2"]
    assert done.code == ExitCode.OK, done.err


def test_own_batches_and_accumulation_are_accounted_for(tmp_path: Path) -> None:
    """Batches that the data make themselves cannot be lowered by an option, and none is named."""
    code = """
    def data(): return [torch.ones(8, 3)] * 9
    def step(model, batch): return model(batch).mean() + torch.empty(2 ** 50).sum()
    """
    done = failed(tmp_path, code, CONFIG + "sweep: {accumulate: 3}\n")

    assert "the data make their own batches, of 8 samples: make them smaller there" in done.err


def test_a_model_that_does_not_fit_is_no_matter_of_the_batch(tmp_path: Path) -> None:
    """Before the first batch there is nothing to lower but the model."""
    code = "def model(): return nn.Linear(2 ** 25, 2 ** 25)\ndef step(model, batch): return 0\n"
    done = failed(tmp_path, code)

    assert "model (train.py:model): building the model raised RuntimeError" in done.err
    assert "; make it smaller, or free memory" in done.err
