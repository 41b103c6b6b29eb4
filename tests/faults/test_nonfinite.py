"""Infinite and NaN numbers: where they came from is told, whatever they came from."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lrfind import range_test
from lrfind.curve import Curve, StopReason
from lrfind.errors import InputError
from lrfind.report import Report
from lrfind.suggest import Note

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(64, 4, generator=GENERATOR)
Y = X @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]])


class RootAtZero(nn.Module):
    """A model with a finite loss whose derivative at `scale = 0` is infinite or NaN."""

    def __init__(self, *, is_seen: bool = True) -> None:
        super().__init__()
        self.line = nn.Linear(4, 1)
        self.scale = nn.Parameter(torch.zeros(1))
        self.is_seen = is_seen

    def forward(self, x: Tensor) -> Tensor:
        """Predict, with √0 and ∂√0 = ∞ on the way."""
        root = (0.0 * self.scale).sqrt()
        out: Tensor = self.line(x) + root
        # Where the value is not used later, the parameter becomes NaN and the loss does not.
        return out if self.is_seen else torch.where(torch.isfinite(root), out, self.line(x))


def line() -> nn.Module:
    """Make the simplest model."""
    return nn.Linear(4, 1)


def swept(model: Any, data: Any = (X, Y), **options: Any) -> Report:
    """Sweep 40 steps on the CPU."""
    loss = options.pop("loss_fn", None if "step" in options else "mse_loss")
    given = {"optimizer": "sgd", "steps": 40, "device": "cpu", "auto_range": False, **options}
    return range_test(model, data, loss, **given)


def notes(report: Report) -> dict[str, Note]:
    """Find notes by code."""
    return {note.code: note for note in report.notes}


@pytest.mark.parametrize("options", [{}, {"clip_grad_norm": 1.0}, {"precision": "fp16"}])
def test_a_gradient_that_no_lr_can_train_is_named(options: dict[str, Any]) -> None:
    """A NaN gradient under a finite loss is the model's fault: refused, with the parameter."""
    with pytest.raises(InputError) as refused:
        swept(RootAtZero, **options)

    (problem,) = refused.value.problems
    assert problem.where == "model"
    assert "but before any update an infinite or NaN gradient for scale" in problem.what
    assert "sqrt or norm at 0" in problem.remedy


def test_a_gradient_whose_damage_no_loss_shows_is_told() -> None:
    """Where the loss stays finite the sweep goes on, and names gradient and weight."""
    report = swept(lambda: RootAtZero(is_seen=False))

    assert report.curves[0].stop is not StopReason.NONFINITE
    assert (
        "gradient of scale was infinite or NaN before"
        in notes(report)["non-finite-gradient"].message
    )
    assert "scale became infinite or NaN" in notes(report)["non-finite-weights"].message


def test_validate_tells_of_a_nan_gradient(
    tmp_path: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lrfind validate` names the parameter before anything is swept."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    config = tmp_path / "config.yaml"
    config.write_text(
        "device: cpu\nmodel: test_nonfinite:RootAtZero\ndata: test_nonfinite:pairs\n"
        "loss: mse_loss\n"
    )

    outcome = lrfind("validate", config)

    assert outcome.code == 0
    assert "the gradient of scale was infinite or NaN" in " ".join(outcome.out.split())


def pairs() -> Any:
    """Give the data to a config."""
    return X, Y


def test_weights_that_an_update_broke_are_named() -> None:
    """0 / 0 inside the optimizer is told with the LR of the update that made it."""

    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = nn.Linear(4, 1)
            self.idle = nn.Parameter(torch.ones(1))

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.line(x) + 0.0 * self.idle
            return out

    # Without ε Adam divides a zero gradient by its own root.
    report = swept(Idle, optimizer="adam", optimizer_args={"eps": 0.0})

    assert report.curves[0].stop is StopReason.NONFINITE
    message = notes(report)["non-finite-weights"].message
    assert message == "the update at 1.0e-07 made idle infinite or NaN"


def test_weights_that_are_infinite_from_the_start_are_named() -> None:
    """A parameter that nobody initialised is told, though the loss never sees it."""

    class Forgotten(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = nn.Linear(4, 1)
            self.extra = nn.Parameter(torch.tensor([math.inf]))

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.line(x)
            return out

    report = swept(Forgotten)

    assert notes(report)["non-finite-weights"].message == "infinite or NaN before any update: extra"
    assert report.suggestion is not None


@pytest.mark.parametrize(
    ("model", "data", "loss", "options"),
    [
        (
            line,
            (1e3 * X, 1e3 * Y),
            lambda out, target: (out - target.half()).square().mean(),
            {"precision": "fp16"},
        ),
        (lambda: line().half(), (300 * X.half(), 300 * Y.half()), "mse_loss", {}),
    ],
    ids=["autocast", "a half model"],
)
def test_an_fp16_overflow_before_any_update_is_told(
    model: Any, data: Any, loss: Any, options: dict[str, Any]
) -> None:
    """A loss beyond 65504 is no matter of the LR: no answer, the reason, and the precision."""
    report = swept(model, data, loss_fn=loss, **options)

    assert report.curves[0].stop is StopReason.NONFINITE
    assert math.isinf(report.curves[0].initial_loss or 0.0)
    assert report.no_answer is not None
    assert report.no_answer.reason == "the loss was inf before any update"
    assert "float16, which ends at 65504" in notes(report)["fp16-overflow"].message
    assert "--set sweep.precision=bf16" in notes(report)["fp16-overflow"].advice


def test_a_half_model_that_diverges_overflows_behind_its_rise() -> None:
    """The stop reason is the infinite loss, and the last finite one is told with its LR."""
    report = swept(lambda: line().half(), (X.half(), Y.half()), start_lr=1e-4, end_lr=100.0)

    (curve,) = report.curves
    assert curve.stop is StopReason.NONFINITE
    assert report.suggestion is not None
    note = notes(report)["non-finite"]
    assert f"the last finite one was {curve.loss[-2]:.3g} at {curve.lr[-2]:.1e}" in note.message
    assert note.advice == "usual behind the rise: nothing to change"


def nan_at(call: int) -> Callable[[nn.Module, Any], Tensor]:
    """Make a step that gives NaN once, at a call counted from 1."""
    calls = 0

    def step(model: nn.Module, batch: Any) -> Tensor:
        nonlocal calls
        calls += 1
        loss = functional.mse_loss(model(batch[0]), batch[1])
        return loss * math.nan if calls == call else loss

    return step


def test_a_loss_that_turns_nan_under_tiny_updates_is_not_said_to_have_risen() -> None:
    """Reason and notes say that it became NaN, and none of them that it rose."""
    report = swept(line, step=nan_at(34), end_lr=1e-3)

    (curve,) = report.curves
    assert (curve.stop, len(curve)) == (StopReason.NONFINITE, 33)
    assert report.suggestion is not None
    assert report.suggestion.verdict == "low-confidence"
    at = f"{curve.lr[-1]:.1e}"
    assert f"became infinite or NaN at {at} without having risen" in report.suggestion.reason
    assert f"the loss became nan at {at}, point 33" in notes(report)["non-finite"].message
    assert "rose-early" not in notes(report)
    assert "rose past" not in report.suggestion.reason


def test_a_loss_that_is_nan_from_the_start_gets_no_advice_about_steps() -> None:
    """Nothing was measured, and the reason is not that the sweep was short."""
    report = swept(line, step=nan_at(1))

    assert report.no_answer is not None
    assert report.no_answer.reason == "the loss was nan before any update"
    assert "log(0)" in report.no_answer.remedy
    assert "steps" not in report.no_answer.remedy


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("at", [0, 5])
def test_nan_in_the_data_is_the_datas_fault(bad: float, at: int) -> None:
    """The batch and its tensor are named, also in the middle of a sweep; no LR is blamed."""
    batches = [(X[i : i + 8].clone(), Y[i : i + 8]) for i in range(0, 64, 8)]
    batches[at][0][3, 1] = bad
    with pytest.raises(InputError) as refused:
        swept(line, batches)

    (problem,) = refused.value.problems
    assert problem.where == "data"
    assert "1 infinite or NaN value of 32 in its float32 8×4" in problem.what
    assert "must be finite" in problem.what


def test_nan_that_the_model_copes_with_is_nobodys_fault() -> None:
    """A model that masks NaN inputs is swept as any other, and its divergence is its LR's."""

    class Masking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.line(x.nan_to_num())
            return out

    holes = X.clone()
    holes[::3, 0] = math.nan
    report = swept(
        Masking, (holes, Y), start_lr=1e-5, end_lr=1e5, steps=150, stop={"factor": math.inf}
    )

    assert report.curves[0].stop is StopReason.NONFINITE
    assert report.suggestion is not None


def test_an_empty_batch_is_refused() -> None:
    """The mean loss of no samples is NaN, which is told as what it is."""
    with pytest.raises(InputError, match=r"gave an empty batch, \(float32 0×4, float32 0×1\)"):
        swept(line, [(X[:8], Y[:8]), (X[:0], Y[:0])])


def test_held_out_data_with_nan_is_refused() -> None:
    """The held-out section is blamed, not the training data."""
    with pytest.raises(InputError) as refused:
        swept(line, validation=(X * math.nan, Y))

    assert refused.value.problems[0].where == "sweep.validation"


def test_nan_in_the_data_is_told_for_several_seeds_too() -> None:
    """Seeds that could be swept side by side are refused as one is."""
    with pytest.raises(InputError, match="infinite or NaN value"):
        swept(line, (torch.where(X > 2.0, math.nan, X), Y), seeds=3)


def test_several_seeds_say_it_once() -> None:
    """What holds for each seed is one note with their count."""
    report = swept(lambda: RootAtZero(is_seen=False), seeds=2)

    codes = [note.code for note in report.notes]
    assert codes.count("non-finite-gradient") == 1
    assert notes(report)["non-finite-gradient"].message.startswith("2 of 2 seeds: ")


def test_the_curve_on_disk_survives_data_that_turn_nan(
    tmp_path: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 with the config's line, and what was measured before is in curve.csv."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    config = tmp_path / "config.yaml"
    config.write_text(
        "device: cpu\nmodel: test_nonfinite:line\ndata: test_nonfinite:nan_later\nloss: mse_loss\n"
        "sweep: {steps: 40}\n"
    )

    outcome = lrfind("run", config, "--out", tmp_path / "out")

    assert outcome.code == 2
    assert f"{config}:3: data gave a batch that holds 1 infinite or NaN value" in outcome.err
    assert "Traceback" not in outcome.err
    rows = (tmp_path / "out" / "curve.csv").read_text().splitlines()
    assert len(rows) > 5
    assert math.isnan(float(rows[-1].split(",")[3])) is False


def nan_later() -> list[tuple[Tensor, Tensor]]:
    """Give batches of which one of the last holds NaN."""
    batches = [(X[i : i + 8].clone(), Y[i : i + 8]) for i in range(0, 64, 8)]
    batches[6][0][0, 0] = math.nan
    return batches


def test_a_saved_report_tells_the_cause(tmp_path: Path) -> None:
    """Notes on numbers go into report.json as all others do."""
    from lrfind.export import read_report, write_report

    report = swept(lambda: RootAtZero(is_seen=False))
    write_report(report, tmp_path / "report.json")

    assert json.loads((tmp_path / "report.json").read_text())["notes"][0]["code"].startswith("non-")
    assert read_report(tmp_path / "report.json").notes == report.notes


def test_a_curve_that_broke_at_once_points_beyond_the_lr() -> None:
    """After no finite loss the remedy names both causes."""
    from lrfind.errors import NoSuggestionError
    from lrfind.suggest import suggest

    curve = Curve(torch.tensor([1e-7]).double().numpy(), torch.tensor([math.nan]).double().numpy())
    with pytest.raises(NoSuggestionError) as refused:
        suggest([curve], "auto")

    assert "lower sweep.start_lr" in refused.value.remedy
    assert "log(0)" in refused.value.remedy
