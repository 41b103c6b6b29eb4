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

LOOKS = """
def looks():
    with open(f"built.{RANK}", "a") as file:
        print(torch.empty(0).device, file=file)
    rates = [rate.item() for rate in torch.linspace(0, 0, 2)]
    return nn.Sequential(model(), *(nn.Dropout(rate) for rate in rates))
"""


def test_sharded_ranks_measure_what_one_process_does(tmp_path: Path) -> None:
    """The curve is that of one process, with clipping, the optimizer bundled here, and trials; a
    model that looks at numbers is built whole by all ranks, which a note tells."""
    one, two = project(tmp_path / "one", LOOKS), project(tmp_path / "two", LOOKS)
    options = (
        "--set=model=train.py:looks",
        "--set=sweep.clip_grad_norm=0.5",
        "--set=refine={budget: 200, trial_steps: 20}",
    )

    finished(one, "run", "c.yaml", "--set=data.batch_size=64", *options, size=1)
    finished(two, "run", "c.yaml", "--set=distributed={strategy: fsdp, wrap: Linear}", *options)

    has_curve_of(one, two)
    assert "(147 parameters)" in report_of(two)["title"]
    assert report_of(two)["trials"]
    assert [(two / f"built.{rank}").read_text().split()[:2] for rank in (0, 1)] == [
        ["cpu", "cpu"],  # of the sweep and of the trials
        ["meta", "cpu"],
    ]
    notes = {note["code"]: note["message"] for note in report_of(two)["notes"]}
    assert notes["built-whole"].startswith("rank 1: the host held the whole model")


ZOO = """
import random
import numpy as np
class Zoo(nn.Module):
    def __init__(self):
        super().__init__()
        with open(f"built.{RANK}", "a") as file:
            print(torch.empty(0).device, file=file)
        self.first, self.second = nn.Linear(5, 5), nn.Linear(5, 5)
        self.second.weight = self.first.weight
        self.memory = nn.LSTM(5, 8)
        self.row = nn.Parameter(torch.randn(1, 8))
        self.frozen = nn.Linear(8, 8).requires_grad_(False)
        self.register_buffer("noise", torch.randn(8), persistent=False)
        self.register_buffer("scale", torch.tensor(0.5, dtype=torch.float64))
        self.register_buffer("known", torch.from_numpy(np.random.rand(8)).float())
        self.first.register_buffer("mask", torch.rand(5) > 0.2)
        self.second.register_buffer("mask", self.first.mask)
        self.head = nn.Linear(8, 3)
    def forward(self, x):
        assert self.first.weight is self.second.weight
        assert self.first.mask is self.second.mask
        x = self.second(torch.tanh(self.first(x)) * self.first.mask)
        x = self.memory(x[None])[0][0] * self.scale.float() + self.noise * self.row + self.known
        return self.head(torch.tanh(self.frozen(x)))
def zoo():
    return Zoo()
def optimizer(parameters, lr=1e-3):
    drawn = (torch.rand(()).item(), random.random(), np.random.rand())
    with open(f"drawn.{RANK}", "w") as file:
        file.write(repr(drawn))
    return torch.optim.AdamW(parameters, lr=lr)
"""


def test_a_model_is_built_whole_by_the_first_rank_alone(tmp_path: Path) -> None:
    """The others build its shape, and get ties, buffers and random state of one process alone."""
    one, two = project(tmp_path / "one", ZOO), project(tmp_path / "two", ZOO)
    options = ("--set=model=train.py:zoo", "--set=optimizer=train.py:optimizer")
    options += ("--set=sweep.steps=20",)
    sharded = "--set=distributed={strategy: fsdp, wrap: [LSTM, Linear]}"

    finished(one, "run", "c.yaml", "--set=data.batch_size=64", *options, size=1)
    finished(two, "run", "c.yaml", *options, sharded)

    has_curve_of(one, two)
    drawn = {(two / f"drawn.{rank}").read_text() for rank in (0, 1)}
    assert drawn == {(one / "drawn.0").read_text()}
    assert [(two / f"built.{rank}").read_text() for rank in (0, 1)] == ["cpu\n", "meta\n"]
    assert "built-whole" not in [note["code"] for note in report_of(two)["notes"]]


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
    """Inner modules come first, and what they hold no longer counts for those around them; what is
    tied stays together."""
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

    inner.append(nn.Linear(20, 1))
    inner[3].weight = inner[2].weight
    assert units(model, DistributedSection(wrap=["Linear"])) == [first, inner[0]]
    assert units(model, DistributedSection(wrap=["Linear", "Sequential"])) == [
        first,
        inner[0],
        inner,
    ]


BAD_MODELS = """
ready = nn.Linear(5, 3)
def lazy():
    return nn.LazyLinear(3)
def uneven():
    return nn.Linear(5, 3 + RANK)
def first_falls():
    if RANK == 0:
        raise ValueError("no more of this")
    return nn.Linear(5, 3)
"""


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("sweep.precision=fp16", "sweep.precision = fp16 scales the loss"),
        ("sweep.low_memory=true", "sweep.low_memory = true updates inside the backward pass"),
        ("model=train.py:ready", "model is a ready Linear"),
        ("model=train.py:lazy", "has layers without sizes yet, such as weight"),
        ("model=train.py:uneven", "differs between rank 0 and rank 1, beginning with weight"),
        ("model=train.py:first_falls", "building the model raised ValueError: no more of this"),
    ],
)
def test_what_does_not_go_with_sharding_is_refused(option: str, said: str, tmp_path: Path) -> None:
    """It is told before anything is trained."""
    folder = project(tmp_path, BAD_MODELS)
    ranks = Ranks(folder, "run", "c.yaml", "--set=distributed=fsdp", f"--set={option}")

    assert ranks.end() == [ExitCode.BAD_INPUT] * 2
    assert said in ranks.said(0) + ranks.said(1)
