"""From a config to a report: whom an error is blamed on, and what is on disk by then."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from lrfind.config import load
from lrfind.curve import Step, StopReason
from lrfind.errors import InputError, UserCodeError
from lrfind.experiment import inspect_config, run_config
from lrfind.export import CurveRecorder, read_curves
from lrfind.ramp import Observer
from lrfind.report import Report, to_json
from lrfind.report_form import from_json

TRAIN = """
import functools
import torch
from torch import nn
from torch.nn import functional

calls = {"forward": 0, "model": 0}
FAIL_AT = {"forward": 0, "model": 0}
RAISES = [RuntimeError]

def count(name):
    calls[name] += 1
    if calls[name] == FAIL_AT[name]:
        raise RAISES[0](f"user {name} {calls[name]}")

class Net(nn.Module):
    def __init__(self, hidden=4):
        super().__init__()
        count("model")
        self.net = nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, x):
        count("forward")
        return self.net(x)

def data(n=64):
    X = torch.randn(n, 3)
    return torch.utils.data.TensorDataset(X, X.sum(1, keepdim=True))

def wide(model, batch):
    return functional.mse_loss(model(batch[0]), batch[1], reduction="none")

class Scale(nn.Module):
    def __init__(self, by):
        super().__init__()
        if by <= 0:
            raise ValueError("by must be positive")

    def forward(self, out, target):
        return functional.mse_loss(out, target)

def bad_optimizer(params):
    return torch.optim.SGD(params, lr=0.1, momentum=-1)

ready = [(torch.ones(2, 3), torch.ones(2, 1))] * 3
partial = functools.partial(Net, hidden=2)

def broken_rows():
    raise OSError("no disk")
"""

CONFIG = """
seed: 3
device: cpu
model:
  target: train.py:Net
data:
  target: train.py:data
  batch_size: 16
loss: mse_loss
optimizer: sgd
sweep: {start_lr: 1e-3, end_lr: 10, steps: 40}
"""


class Project:
    """A user's folder with a config and the module it names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "config.yaml"
        self.write(CONFIG)
        self.source("")

    def write(self, config: str) -> None:
        """Write the config."""
        self.path.write_text(config.lstrip())

    def source(self, extra: str) -> None:
        """Write the module, with more lines at its end."""
        (self.folder / "train.py").write_text(TRAIN + textwrap.dedent(extra))

    def run(self, *overrides: str, observers: Sequence[Observer] = ()) -> Report:
        """Run the config."""
        return run_config(load(self.path, overrides), observers)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make a project that works."""
    return Project(tmp_path)


def test_a_config_gives_a_report(project: Project) -> None:
    """Curve, title, resolved config and environment are all in it, and it can be saved."""
    report = project.run()

    assert report.curves[0].seed == 3
    assert report.title == "config: Net (21 parameters) · SGD · batch 16"
    assert report.spec["sweep"]["steps"] == 40
    assert report.environment.device == "cpu"
    assert from_json(to_json(report)) == report


def test_the_same_seed_gives_the_same_curves(project: Project) -> None:
    """Two runs are byte for byte alike, and each seed is the run with that seed alone."""
    together = project.run("sweep.seeds=3").curves

    assert [c.loss.tobytes() for c in project.run("sweep.seeds=3").curves] == [
        c.loss.tobytes() for c in together
    ]
    alone = [project.run(f"seed={seed}").curves[0] for seed in (3, 4, 5)]
    assert [c.loss.tobytes() for c in alone] == [c.loss.tobytes() for c in together]


def test_ready_objects_and_partials_are_targets(project: Project) -> None:
    """A list of batches is used as it is; a partial takes the config's arguments."""
    model = "model={target: train.py:partial, args: {hidden: 5}}"
    report = project.run("data=train.py:ready", model)

    assert report.title == "config: Net (26 parameters) · SGD · batch 2"


PAIR = """
    def pair(): return [(torch.ones(4, 3), torch.ones(4, 1))] * 3, data(n=9)
    def named(): return dict(zip(("train", "test"), pair()))
    """


def test_one_of_several_data_is_taken(project: Project) -> None:
    """`item` is an index of a tuple or a key of a mapping, for training and held-out data."""
    project.source(PAIR)
    first = project.run("data={target: train.py:pair, item: 0}")
    keyed = project.run("data={target: train.py:named, item: train}")
    held_out = "sweep.validation={target: train.py:named, item: test, batches: 1}"

    assert first.curves[0].loss.tobytes() == keyed.curves[0].loss.tobytes()
    assert first.title.endswith("batch 4")
    last = project.run("data={target: train.py:pair, item: 1, batch_size: 3}", held_out)
    assert last.title.endswith("batch 3")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("{target: train.py:pair, item: 2}", "item = 2, but train.py:pair gives 0, 1; name one"),
        (
            "{target: train.py:named, item: val}",
            "= 'val', but train.py:named gives 'train', 'test'",
        ),
        ("{target: train.py:partial, item: 0}", "gives one Net; leave item out"),
    ],
)
def test_an_item_that_is_not_there_is_told(project: Project, data: str, told: str) -> None:
    """With what there is to choose from, at the line of the key."""
    project.source(PAIR)

    with pytest.raises(InputError, match=re.escape(told)) as caught:
        project.run(f"data={data}")

    assert "data.item" in str(caught.value)


def test_an_infinite_stop_factor_can_be_reported(project: Project) -> None:
    """`.inf` in the config does not break the report."""
    report = project.run("sweep.stop.factor=.inf")

    assert report.spec["sweep"]["stop"]["factor"] == "inf"


def test_a_model_that_raises_is_told_with_phase_and_place(project: Project) -> None:
    """The error names line, section and phase, and carries the user's exception."""
    project.source("FAIL_AT['forward'] = 8\n")
    recorder = CurveRecorder(project.folder)
    with pytest.raises(UserCodeError) as caught:
        project.run(observers=[recorder])

    (problem,) = caught.value.problems
    assert problem.where == f"{project.path}:4"
    assert problem.what == (
        "model (train.py:Net): computing the loss raised RuntimeError: user forward 8"
    )
    assert isinstance(caught.value.__cause__, RuntimeError)
    # Seven losses were seen: the first belongs to no update, the other six are points.
    assert len(read_curves(recorder.path)[0]) == 6
    assert len(pd.read_csv(recorder.path)) == 6


@pytest.mark.parametrize(
    ("line", "override", "line_number", "says"),
    [
        ("FAIL_AT['model'] = 1", "", 4, r"model \(train\.py:Net\): building the model raised Runt"),
        ("RAISES[0] = SystemExit; FAIL_AT['model'] = 1", "", 4, "building the model raised Sys"),
        (
            "",
            "data={target: train.py:broken_rows}",
            0,
            r"data \(.*_rows\): reading the data raised OSError",
        ),
        ("", "optimizer={target: train.py:bad_optimizer}", 0, "building the optimizer raised"),
        (
            "",
            "loss={target: train.py:Scale, args: {by: 0}}",
            0,
            r"loss \(train.*\): building the loss raised",
        ),
        ("", "model.args.hidden=nine", 4, "building the model raised TypeError"),
    ],
)
def test_every_part_is_blamed_for_itself(
    project: Project, line: str, override: str, line_number: int, says: str
) -> None:
    """Whatever of the user's code raises, section and phase are told, at its line."""
    project.source(f"{line}\n")
    with pytest.raises(UserCodeError, match=says) as caught:
        project.run(*([override] if override else []))

    where = caught.value.problems[0].where
    assert where == (f"{project.path}:{line_number}" if line_number else f"--set {override}")


def test_a_step_is_blamed_as_step(project: Project) -> None:
    """With a step, what goes wrong while the loss is computed is the step's."""
    project.write(CONFIG.replace("loss: mse_loss", "step: train.py:wide"))
    with pytest.raises(InputError, match=r"config\.yaml:8: step returned a tensor of shape"):
        project.run()

    project.source("FAIL_AT['forward'] = 1\n")
    project.folder.joinpath("train.py").rename(project.folder / "again.py")
    project.write(
        CONFIG.replace("loss: mse_loss", "step: again.py:wide").replace("train.py", "again.py")
    )
    with pytest.raises(
        UserCodeError, match=r"8: step \(again.py:wide\): computing the loss raised"
    ):
        project.run()


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("data.args.n=0", r"config\.yaml:5: data is empty \(a TensorDataset"),
        ("sweep.validation={target: train.py:data, args: {n: 0}}", "sweep.validation is empty"),
        ("optimizer.param_groups=[{params: nothing}]", "params = nothing matches no parameter"),
    ],
)
def test_what_does_not_fit_is_told_at_its_place(project: Project, override: str, says: str) -> None:
    """What only shows when things are built is an InputError with file and line."""
    with pytest.raises(InputError, match=says):
        project.run(override)


class CtrlC:
    """An observer that presses Ctrl-C at a step of a seed."""

    def __init__(self, seed: int, step: int) -> None:
        self.at = (seed, step)
        self.seed = -1
        self.seeds: list[int] = []
        self.ends: list[StopReason] = []

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        """Remember the seed."""
        self.seed = seed
        self.seeds.append(seed)

    def step(self, step: Step) -> None:
        """Interrupt at the step chosen."""
        if (self.seed, step.index) == self.at:
            raise KeyboardInterrupt

    def end(self, stop: StopReason) -> None:
        """Remember the end."""
        self.ends.append(stop)


def test_ctrl_c_ends_all_seeds_and_keeps_what_was_measured(project: Project) -> None:
    """Later seeds are not run; the report holds the finished curve and the partial one."""
    watcher, recorder = CtrlC(seed=4, step=12), CurveRecorder(project.folder)
    report = project.run("sweep.seeds=3", observers=[recorder, watcher])

    assert watcher.seeds == [3, 4]
    assert watcher.ends[1] is StopReason.INTERRUPTED
    assert len(watcher.ends) == 2
    assert [curve.seed for curve in report.curves] == [3, 4]
    assert (report.curves[1].stop, len(report.curves[1])) == (StopReason.INTERRUPTED, 13)
    assert [len(curve) for curve in read_curves(recorder.path)] == [len(report.curves[0]), 13]


def test_inspecting_trains_nothing_and_says_what_is_there(project: Project) -> None:
    """`validate` shows model, device, batch, loss, held-out loss, groups and the sweep."""
    rows = dict(
        inspect_config(
            load(
                project.path,
                [
                    "sweep.validation={target: train.py:data}",
                    "optimizer.param_groups=[{params: '*bias', lr_scale: 0.5}]",
                    "sweep.seeds=2",
                ],
            )
        )
    )

    assert rows["title"] == "Net (21 parameters) · SGD · batch 16"
    assert rows["batch"] == "(float32 16×3, float32 16×1)"
    assert rows["groups"] == "lr × 1, 0.5"
    assert float(rows["held out"]) > 0
    assert rows["sweep"].endswith("in 40 steps, 2 seeds")
