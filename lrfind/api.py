"""The range test as a function, for a notebook or a training script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import Optimizer

from lrfind.console.notebook import live_story
from lrfind.curve import StopReason
from lrfind.errors import InputError, Problem
from lrfind.keywords import course_of, validated
from lrfind.ramp import Observer, range_notes
from lrfind.refined import UpdateCount, refined
from lrfind.report import Report, make_report
from lrfind.seed_sweeps import plan_of, sweep_seeds
from lrfind.spec import (
    DataSection,
    GroupSection,
    RefineSection,
    SweepSection,
    ValidationSection,
)
from lrfind.suggest.panel import find_rule
from lrfind.workload.device import choose_device, device_name
from lrfind.workload.feed import is_dataset
from lrfind.workload.parts import OptimizerLike, objective_of, optimizer_of
from lrfind.workload.plain import PlainRecipe
from lrfind.workload.workload import Workload


def range_test(
    model: nn.Module | Callable[[], nn.Module],
    batches: Any,
    loss_fn: Callable[..., Any] | str | None = None,
    *,
    optimizer: OptimizerLike = "adamw",
    optimizer_args: Mapping[str, Any] | None = None,
    param_groups: Sequence[Mapping[str, Any]] = (),
    step: Callable[..., Any] | None = None,
    mode: Literal["exponential", "linear"] = "exponential",
    start_lr: float = 1e-7,
    end_lr: float = 10.0,
    steps: int = 200,
    seed: int = 0,
    seeds: int = 1,
    device: str | torch.device = "auto",
    method: str = "auto",
    batch_size: int | None = None,
    validation: Any = None,
    schedule: str | Mapping[str, Any] | None = None,
    refine: bool | int = False,
    observers: Sequence[Observer] = (),
    progress: bool | None = None,
    **sweep: Any,
) -> Report:
    """Run a learning-rate range test and read the LR off its curve.

    Model, optimizer, loader and every random generator are left as they were found, also after an
    exception or Ctrl-C.

    Args:
        model: a factory, called anew for each seed, or a module, restored after each.
        batches: a DataLoader, an iterable of batches, a Dataset, a tuple `(X, y)` of tensors, or
            a factory of one of these.
        loss_fn: `loss_fn(model(*inputs), target)`, or a torch.nn.functional name; None when the
            model returns its own loss.
        optimizer: a bundled name, a class or function of the parameters, or a ready optimizer of
            `model` (then `model` must be a module).
        optimizer_args: keyword arguments for it.
        param_groups: as `optimizer.param_groups` in a config.
        step: replaces model call and loss: `step(model, batch) -> loss`.
        mode: `exponential` or `linear`.
        start_lr: LR of the first update.
        end_lr: LR of the last update.
        steps: updates.
        seed: seed of the initial weights and the data order.
        seeds: sweeps with seeds seed, seed+1, ….
        device: `auto | cpu | cuda | cuda:N | mps`.
        method: rule that reads the curve (`lrfind list methods`).
        batch_size: samples a batch, where `batches` is a dataset.
        validation: held-out data, in the forms of `batches`; its first 4 batches are measured
            after each update instead of the training loss.
        schedule: what the LR is for: a bundled schedule's name, or the config's `schedule` section
            as a mapping; None for a constant LR, with `peak_lr` beside it.
        refine: try LRs around the answer in short trainings; a number is the most updates that
            sweep and trials may take together, True stands for 600.
        observers: told of every step.
        progress: show the sweep as it runs: None in a notebook only, True also on standard error
            elsewhere, False nowhere.
        **sweep: any other key of the config's `sweep` section.

    Returns:
        The report; `report.suggestion` is None where the curves hold no honest answer, and
        `report.no_answer` says why then.

    Raises:
        InputError: an argument is wrong.
        KeyboardInterrupt: Ctrl-C, after everything was restored.

    Example:
        >>> import torch
        >>> from lrfind import range_test
        >>> X = torch.linspace(-1, 1, 64).reshape(-1, 1)
        >>> report = range_test(lambda: torch.nn.Linear(1, 1), (X, 3 * X), "mse_loss",
        ...                     optimizer="sgd", steps=100, device="cpu")
        >>> 0.01 < report.suggestion.lr < 10
        True
    """
    find_rule(method, {})
    keys = {"mode": mode, "start_lr": start_lr, "end_lr": end_lr, "steps": steps, "seeds": seeds}
    section = validated(SweepSection, {**keys, **sweep}, "range_test")
    trials = _trials(refine)
    course, planned = course_of(schedule, "range_test")
    groups = [validated(GroupSection, dict(group), "param_groups") for group in param_groups]
    _refuse_contradictions(model, optimizer, loss_fn, step)
    recipe = PlainRecipe(
        model=model,
        data=batches,
        objective=objective_of(loss_fn, step),
        optimizer=optimizer_of(optimizer, optimizer_args or {}, groups),
        sweep=section,
        loader=validated(DataSection, {"target": "", "batch_size": batch_size}, "range_test"),
    )
    held_out = _held_out(validation, batch_size)
    workload = Workload(recipe, section, choose_device(str(device)), held_out)
    with live_story(progress) as told:
        curves = sweep_seeds(workload, section, seed, [*observers, *told, count := UpdateCount()])
        if curves[-1].stop is StopReason.INTERRUPTED:
            raise KeyboardInterrupt
        report = make_report(
            curves,
            method,
            purpose=course,
            spec=planned,
            device=device_name(workload.device),
            threads=torch.get_num_threads(),
            title=workload.title,
            group_scales=workload.group_scales,
            notes=[*workload.told, *range_notes(curves, plan_of(section))],
        )
        if not trials.enabled:
            return report
        return _unless_cut(refined(report, workload, trials, course, told, spent=count.updates))


def _unless_cut(report: Report) -> Report:
    """Pass on a Ctrl-C that came during the trials."""
    if any(note.code == "refine-interrupted" for note in report.notes):
        raise KeyboardInterrupt
    return report


def _held_out(validation: Any, batch_size: int | None) -> tuple[Any, ValidationSection] | None:
    if validation is None:
        return None
    size = batch_size if is_dataset(validation) or isinstance(validation, tuple) else None
    values = {"target": "", "batch_size": size}
    return validation, validated(ValidationSection, values, "range_test")


def _trials(refine: bool | int) -> RefineSection:
    # A bool is an int, and `True` is no budget.
    values = {"enabled": refine} if isinstance(refine, bool) else {"budget": refine}
    section: RefineSection = validated(RefineSection, values, "range_test")
    return section


def _refuse_contradictions(model: Any, optimizer: Any, loss_fn: Any, step: Any) -> None:
    if loss_fn is not None and step is not None:
        raise InputError(
            Problem("range_test", "got both loss_fn and step", "a step computes the loss; keep one")
        )
    if isinstance(optimizer, Optimizer) and not isinstance(model, nn.Module):
        raise InputError(
            Problem(
                "range_test",
                "got a ready optimizer, but a factory of models that it cannot know",
                "pass the model itself, or the optimizer's class",
            )
        )
