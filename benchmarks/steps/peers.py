"""Sweeps by other LR finders over the same task, each as its own documentation runs it.

All of them get the task's model, DataLoader and torch.optim class; bars and files that have a
switch are switched off.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import tempfile
import warnings
from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from torch import nn

from benchmarks.steps.one_module import by_tuner
from benchmarks.steps.tasks import END_LR, START_LR, Task, loss

P, T = ParamSpec("P"), TypeVar("T")


def quietly(loop: Callable[P, T]) -> Callable[P, T]:
    """Let a package say nothing while it runs."""

    @wraps(loop)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        logging.disable(logging.WARNING)
        try:
            with (
                warnings.catch_warnings(),
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                warnings.simplefilter("ignore")
                return loop(*args, **kwargs)
        finally:
            logging.disable(logging.NOTSET)

    return run


@quietly
def torch_lr_finder(task: Task, model: nn.Module) -> None:
    from torch_lr_finder import LRFinder

    optimizer = task.optimizer_class(model.parameters(), lr=START_LR)  # type: ignore[call-arg]
    finder = LRFinder(model, optimizer, loss, device="cpu")
    finder.range_test(task.loader(), end_lr=END_LR, num_iter=task.steps, diverge_th=math.inf)


@quietly
def ignite(task: Task, model: nn.Module) -> None:
    from ignite.engine import create_supervised_trainer
    from ignite.handlers import FastaiLRFinder

    optimizer = task.optimizer_class(model.parameters(), lr=START_LR)  # type: ignore[call-arg]
    trainer = create_supervised_trainer(model, optimizer, loss)
    finder = FastaiLRFinder()
    to_save = {"model": model, "optimizer": optimizer}
    with finder.attach(
        trainer, to_save, num_iter=task.steps, end_lr=END_LR, diverge_th=math.inf
    ) as attached:
        attached.run(task.loader())


@quietly
def fastai(task: Task, model: nn.Module) -> None:
    import fastai.callback.schedule  # noqa: F401 (adds lr_find to the Learner)
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    batches = task.loader()
    options = partial(OptimWrapper, opt=task.optimizer_class)
    with tempfile.TemporaryDirectory() as folder:
        learn = Learner(
            DataLoaders(batches, batches), model, loss_func=loss, opt_func=options, path=folder
        )
        with learn.no_bar():
            learn.lr_find(
                start_lr=START_LR, end_lr=END_LR, num_it=task.steps, stop_div=False,
                show_plot=False,
            )  # fmt: skip


PEERS: dict[str, Callable[[Task, nn.Module], None]] = {
    "torch-lr-finder": torch_lr_finder,
    "pytorch-ignite": ignite,
    "lightning": quietly(by_tuner),
    "fastai": fastai,
}
"""Package → its sweep."""
