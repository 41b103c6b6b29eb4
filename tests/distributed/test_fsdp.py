"""A model spread over two ranks with FSDP2 trains as a whole one does."""

from __future__ import annotations

from pathlib import Path

import pytest
from rank_runs import Ranks, finished, project
from test_ddp import has_curve_of, report_of
from torch import nn

from lrfind.errors import ExitCode, InputError
from lrfind.spec import DistributedSection
from lrfind.workload.parallel.sharding import units


def test_sharded_ranks_measure_what_one_process_does(tmp_path: Path) -> None:
    """The curve is that of one process, with clipping, the optimizer bundled here, and trials."""
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    options = ("--set=sweep.clip_grad_norm=0.5", "--refine")

    finished(one, "run", "c.yaml", "--set=data.batch_size=64", *options, size=1)
    finished(two, "run", "c.yaml", "--set=distributed={strategy: fsdp, wrap: Linear}", *options)

    has_curve_of(one, two)
    assert "(147 parameters)" in report_of(two)["title"]
    assert report_of(two)["trials"]


def test_half_precision_and_a_note_on_broken_weights(tmp_path: Path) -> None:
    """bf16 computes in bfloat16; what is infinite or NaN is looked for in each rank's own part."""
    code = """
    class Breaks(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            self.count = getattr(self, "count", 0) + 1
            if self.count == 30:
                self.param_groups[0]["params"][0].data.fill_(float("nan"))
    """
    folder = project(tmp_path, code)
    ranks = Ranks(
        folder,
        "run",
        "c.yaml",
        "--set=distributed={strategy: fsdp, wrap_above: 50}",
        "--set=sweep.precision=bf16",
        "--set=optimizer={target: 'train.py:Breaks'}",
    )

    assert set(ranks.end()) <= {0, ExitCode.NO_SUGGESTION}, ranks.said(0)
    report = report_of(folder)
    assert report["curves"][0]["stop"] == "nonfinite"
    assert "non-finite-weights" in [note["code"] for note in report["notes"]]


def test_units_by_class_and_by_size() -> None:
    """Inner modules come first, and what they hold no longer counts for those around them."""
    model = nn.Sequential(
        nn.Linear(10, 10), nn.Sequential(nn.Linear(10, 20), nn.Tanh(), nn.Linear(20, 1))
    )
    first, inner = model[0], model[1]

    assert units(model, DistributedSection(wrap=["Linear"])) == [first, inner[0], inner[2]]
    assert units(model, DistributedSection(wrap_above=200)) == [inner[0]]
    assert units(model, DistributedSection(wrap_above=110)) == [first, inner[0]]
    assert units(model, DistributedSection(wrap_above=230)) == [inner]
    with pytest.raises(InputError, match=r"distributed.wrap: names 'Liner', .* 'Linear'"):
        units(model, DistributedSection(wrap=["Liner"]))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("sweep.precision=fp16", "sweep.precision = fp16 scales the loss"),
        ("sweep.low_memory=true", "sweep.low_memory = true updates inside the backward pass"),
        ("model=train.py:ready", "model is a ready Linear"),
    ],
)
def test_what_does_not_go_with_sharding_is_refused(option: str, said: str, tmp_path: Path) -> None:
    """It is told before anything is trained."""
    folder = project(tmp_path, "ready = nn.Linear(5, 3)")
    ranks = Ranks(folder, "run", "c.yaml", "--set=distributed=fsdp", f"--set={option}")

    assert ranks.end() == [ExitCode.BAD_INPUT] * 2
    assert said in ranks.said(0) + ranks.said(1)
