"""Lightning modules with `automatic_optimization = False`: what they go with, how they train."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import torch
from torch.optim import Optimizer

from lrfind.errors import InputError, Problem
from lrfind.frameworks.configured import Configured, named
from lrfind.frameworks.halting import require_greenlet
from lrfind.frameworks.lightning_loop import STEP, LightningLoop
from lrfind.frameworks.manual_training import ManualTraining
from lrfind.frameworks.own_steps import OwnSteps
from lrfind.spec import SweepSection
from lrfind.suggest.answer import Note
from lrfind.workload.feed import Feed
from lrfind.workload.optimizer import SweptOptimizer, needs_closure
from lrfind.workload.precision import autocast
from lrfind.workload.training import Training


def require_fit(optimizer: Optimizer, sweep: SweepSection) -> None:
    """Refuse what would have to be done inside of a training step that updates by itself.

    Raises:
        InputError: accumulation, clipping, fp16 or held-out data are asked for, or the optimizer
            computes losses inside of its own step; or greenlets are not installed.
    """
    why = "automatic_optimization = False"
    unfit = {
        "accumulate": (sweep.accumulate > 1, "leave it out, and accumulate in training_step"),
        "clip_grad_norm": (sweep.clip_grad_norm is not None, "call self.clip_gradients there"),
        "precision": (sweep.precision == "fp16", "write bf16, which needs no loss scaler"),
        "validation": (sweep.validation is not None, "leave it out: training_step always trains"),
    }
    for key, (is_given, remedy) in unfit.items():
        if is_given:
            value = getattr(sweep, key)
            told = "is given, but" if key == "validation" else f"= {value} does not go with"
            what = f"{told} the module has {why}" if key == "validation" else f"{told} {why}"
            raise InputError(Problem(f"sweep.{key}", what, remedy))
    if needs_closure(optimizer):
        what = f"steps {type(optimizer).__name__}, which computes its losses inside of its step"
        raise InputError(Problem(STEP, what, "sweep another optimizer, or use automatic"))
    require_greenlet("lightning.module", f"has {why}")


def trained_along(configured: Configured, optimizer: Optimizer) -> list[Note]:
    """Say which optimizers train beside the swept one, and at which LR."""
    others = [(i, o) for i, o in enumerate(configured.optimizers) if o is not optimizer]
    if not others:
        return []
    told = ", ".join(f"{i}: {named(o)}, lr {o.param_groups[0]['lr']:.1e}" for i, o in others)
    what = f"{named(optimizer)} is swept while others train along at their own lr ({told})"
    near = max(float(o.param_groups[0]["lr"]) for _, o in others) / 2
    advice = (
        "far below their lr its loss may only rise, since they win: start near it, for instance "
        f"--set sweep.start_lr={near:.0e}"
    )
    return [Note("others-train-along", what, advice)]


@contextmanager
def manual(
    module: Any,
    configured: Configured,
    swept: SweptOptimizer,
    loop: LightningLoop,
    sweep: SweepSection,
    device: torch.device,
) -> Iterator[Callable[[Feed], Training]]:
    """Yield what makes the training of a module of a feed; the module is its own again behind it.

    Args:
        module: attached to a trainer.
        configured: what its `configure_optimizers` gave; the trainer holds the optimizers.
        swept: the one whose LR is set.
        loop: the hooks around a training step.
        sweep: precision.
        device: where it runs.
    """
    trainer = module.trainer
    package = type(trainer).__module__.split(".trainer.")[0]
    config = import_module(f"{package}.utilities.types").LRSchedulerConfig
    trainer.strategy.lr_scheduler_configs = [config(found) for found in configured.schedulers]
    others = [found for found in configured.optimizers if found is not swept.optimizer]
    context = autocast(sweep.precision, device, is_updated_inside=True)
    steps = OwnSteps(module, swept, others, loop, context)
    with steps.watched(configured.schedulers_of(swept.optimizer)):
        yield lambda feed: ManualTraining(
            module, configured, swept, steps, feed, loop, device, sweep.precision
        )
