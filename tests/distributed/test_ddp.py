"""One training by two ranks is the training of one process with their batches together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rank_runs import CONFIG, Ranks, finished, project

from lrfind.curve import Curve
from lrfind.errors import ExitCode
from lrfind.export import read_curves


def curve_of(folder: Path) -> Curve:
    """Read a run's only curve."""
    (curve,) = read_curves(folder / "out" / "curve.csv")
    return curve


def report_of(folder: Path) -> dict[str, Any]:
    """Read a run's report."""
    found: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text())
    return found


def has_curve_of(folder: Path, other: Path) -> None:
    """Check that two runs measured the same, to float tolerance."""
    one, two = curve_of(folder), curve_of(other)
    # Rounding grows with the LR, once the loss explodes.
    calm = one.lr < 0.5
    np.testing.assert_allclose(one.loss[calm], two.loss[: len(one.loss)][calm], rtol=2e-4)
    np.testing.assert_array_equal(one.lr, two.lr)


OWN_LOADER = """
    from torch.utils.data import DataLoader, TensorDataset
    def loader(batch_size, drop_last=False):
        return DataLoader(TensorDataset(*data()), batch_size, shuffle=True, drop_last=drop_last)
"""

VARIANTS = {
    "columns, whose last batch is smaller": ("", "--set=data.batch_size={}"),
    "the last batch left out": ("", "--set=data.batch_size={}", "--set=data.drop_last=true"),
    "accumulation and clipping": (
        "",
        "--set=data.batch_size={}",
        "--set=sweep.accumulate=2",
        "--set=sweep.clip_grad_norm=0.5",
    ),
    "a loader of the user's": (
        OWN_LOADER,
        "--set=data={{target: 'train.py:loader', args: {{batch_size: {}}}}}",
    ),
    "one sample for two ranks": (
        "def few(): return tuple(part[:65] for part in data())",
        "--set=data={{target: 'train.py:few', batch_size: {}}}",
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_two_ranks_measure_what_one_process_does(name: str, tmp_path: Path) -> None:
    """Two ranks with batches of 32 give the curve of one process with batches of 64."""
    code, *options = VARIANTS[name]
    one, two = project(tmp_path / "one", code), project(tmp_path / "two", code)
    alone = [option.format(64) for option in options]
    shared = [option.format(32) for option in options]

    finished(one, "run", "c.yaml", *alone, size=1)
    ranks = finished(two, "run", "c.yaml", *shared)

    has_curve_of(one, two)
    assert ranks.said(1) == ranks.said(1, "stdout") == ""
    report = report_of(two)
    assert "batch 2 × " in report["title"]
    assert report["environment"]["device"] == "2 × cpu"
    assert report["notes"] == report_of(one)["notes"]


def test_ranks_refine_together(tmp_path: Path) -> None:
    """Trials are decided by losses that all ranks agree on, so that both come to their end."""
    folder = project(tmp_path)

    finished(folder, "run", "c.yaml", "--refine")

    assert report_of(folder)["trials"]


def test_a_stream_of_the_users_is_left_alone(tmp_path: Path) -> None:
    """Batches that the user's own code deals out are read as they come, the loss is their mean."""
    code = """
    def stream():
        x, y = data()
        for i in range(RANK, 8, int(os.environ.get("WORLD_SIZE", 1))):
            yield x[32 * i : 32 * i + 32], y[32 * i : 32 * i + 32]
    def whole():
        x, y = data()
        for i in range(4):
            yield x[64 * i : 64 * i + 64], y[64 * i : 64 * i + 64]
    """
    one, two = project(tmp_path / "one", code), project(tmp_path / "two", code)

    finished(one, "run", "c.yaml", "--set=data=train.py:whole", size=1)
    finished(two, "run", "c.yaml", "--set=data=train.py:stream")

    has_curve_of(one, two)
    assert "same-batches" not in [note["code"] for note in report_of(two)["notes"]]


def test_data_that_nobody_dealt_out_are_noted(tmp_path: Path) -> None:
    """Ranks that begin with the same batch are told to share the data, and BatchNorm is named."""
    code = """
    def batches():
        x, y = data()
        return [(x[:32], y[:32]), (x[32:64], y[32:64])]
    def normed():
        return nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.Linear(16, 3))
    """
    folder = project(tmp_path, code)
    options = ("--set=data=train.py:batches", "--set=model=train.py:normed")

    finished(folder, "run", "c.yaml", *options)

    codes = [note["code"] for note in report_of(folder)["notes"]]
    assert {"same-batches", "batch-norm-per-rank"} <= set(codes)


def test_nan_on_one_rank_ends_all_at_the_same_step(tmp_path: Path) -> None:
    """A loss that is NaN on one rank is the loss of all; the rank that saw it is named."""
    code = """
    def step(model, batch, index):
        if RANK == 1 and index == 20:
            batch[0][0, 0] = float("nan")
        return cross_entropy(model, batch)
    """
    folder = project(tmp_path, code)
    ranks = Ranks(folder, "run", "c.yaml", "--set=step=train.py:step")

    codes = ranks.end()

    assert set(codes) <= {0, ExitCode.NO_SUGGESTION}, ranks.said(0)
    curve = curve_of(folder)
    assert curve.stop == "nonfinite"
    assert np.isnan(curve.loss[-1])
    assert len(curve) == 20
    (note,) = (n for n in report_of(folder)["notes"] if n["code"] == "non-finite-data")
    assert note["message"].startswith("rank 1: the batch whose loss became nan")


def test_only_the_leader_runs_without_a_strategy(tmp_path: Path) -> None:
    """With `distributed: none` all ranks but the first end at once; it runs as it does alone."""
    one, two = project(tmp_path / "one"), project(tmp_path / "two")

    finished(one, "run", "c.yaml", size=1)
    finished(two, "run", "c.yaml", "--set=distributed=none")

    assert (one / "out/curve.csv").read_bytes() == (two / "out/curve.csv").read_bytes()


def test_a_wrong_config_is_told_once(tmp_path: Path) -> None:
    """What every rank finds wrong is said by the first."""
    folder = project(tmp_path, config=CONFIG.replace("steps: 40", "steps: 0"))
    ranks = Ranks(folder, "run", "c.yaml")

    assert ranks.end() == [ExitCode.BAD_INPUT] * 2
    assert "sweep.steps" in ranks.said(0)
    assert ranks.said(1) == ""
