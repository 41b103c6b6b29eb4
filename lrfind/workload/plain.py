"""The parts of a seed from a model, data, an objective and an optimizer, each given by itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer
from torch.utils.data import TensorDataset

from lrfind.data import Table
from lrfind.errors import InputError, Problem
from lrfind.spec import DataSection, SweepSection
from lrfind.workload.feed import as_batches
from lrfind.workload.loop import PlainLoop
from lrfind.workload.objective import Objective
from lrfind.workload.optimizer import SweptOptimizer, adopt
from lrfind.workload.phase import Phase
from lrfind.workload.recipe import Making, Parts
from lrfind.workload.snapshot import DATA_SEED, preserved, preserved_order, seed_everything


@dataclass
class PlainRecipe:
    """Model, data, objective and optimizer.

    Attributes:
        model: a module, restored after each seed, or a factory that is called for each, with the
            data where it has a required parameter `data`.
        data: a data source, or a factory of one.
        objective: batch to loss.
        optimizer: a ready optimizer of `model`, or what builds one for a model.
        sweep: seeds, accumulation, precision, clipping.
        loader: how a bare dataset is batched.
    """

    model: nn.Module | Callable[..., Any]
    data: Any
    objective: Objective
    optimizer: Optimizer | Callable[[nn.Module], SweptOptimizer]
    sweep: SweepSection
    loader: DataSection
    _source: Any = field(default=None, init=False)

    @property
    def can_repeat(self) -> bool:
        """Tell whether the same seed can be opened again: not over a one-shot iterator."""
        return not isinstance(self.data, Iterator)

    @contextmanager
    def opened(self, making: Making) -> Iterator[Parts]:
        """Make the parts of a seed; a ready model, optimizer and loader are put back at the end.

        The generators are seeded before the model, so that a change of the data does not move it.
        Data sets are made once, under a seed that never changes: the seed decides the initial
        weights and the order of the data, not what the data are.
        """
        ready = self.optimizer if isinstance(self.optimizer, Optimizer) else None
        with preserved(model=self._own_model(), optimizer=ready, copies=making.copies):
            making.doing(Phase.DATA)
            seed_everything(DATA_SEED)
            source = self._open_data()
            with preserved_order(source):
                making.doing(Phase.MODEL)
                seed_everything(making.seed)
                model = making.made(partial(self._open_model, source))
                making.doing(Phase.OPTIMIZER)
                swept = adopt(ready, model) if ready is not None else self._build(model)
                yield self._parts(model, swept, source, making)

    def columns(self) -> tuple[Tensor, ...] | None:
        """Return the tensors of an open data set whose batches are rows of them, drawn here.

        None for any other: data of its own making may draw on generators that seeds share.
        """
        source = self._source if is_factory(self.data) else self.data
        if self.loader.num_workers:
            return None
        if type(source) in (TensorDataset, Table):
            columns: tuple[Tensor, ...] = source.tensors
            return columns
        is_tuple = type(source) is tuple and all(isinstance(part, Tensor) for part in source)
        return source if is_tuple else None

    def _parts(self, model: nn.Module, swept: SweptOptimizer, source: Any, making: Making) -> Parts:
        making.doing(Phase.DATA)
        batches: Iterable[Any] = as_batches(
            source,
            batch_size=self.loader.batch_size,
            shuffle=self.loader.shuffle,
            num_workers=self.loader.num_workers,
            drop_last=self.loader.drop_last,
            pin_memory=self.loader.pin_memory,
            device=making.device,
            generator=torch.Generator().manual_seed(making.seed),
        )
        is_remade = is_factory(self.data) and isinstance(source, Iterator)
        return Parts(
            model,
            swept,
            self.objective,
            batches,
            PlainLoop(making.device),
            making.device,
            accumulate=self.sweep.accumulate,
            precision=self.sweep.precision,
            clip_grad_norm=self.sweep.clip_grad_norm,
            reopen=self.data if is_remade else None,
            brings_batches=batches is source,
            about_data=source.told.rows if isinstance(source, Table) else (),
        )

    def _build(self, model: nn.Module) -> SweptOptimizer:
        assert not isinstance(self.optimizer, Optimizer)
        return self.optimizer(model)

    def _own_model(self) -> nn.Module | None:
        """Return the caller's own model, which must be put back; None where a factory makes one."""
        if not isinstance(self.model, nn.Module):
            return None
        if any(is_lazy(parameter) for parameter in self.model.parameters()):
            raise InputError(
                Problem(
                    "model",
                    f"({type(self.model).__name__}) has layers without sizes yet, which could not "
                    "be put back after the sweep",
                    "give a function that makes it, or call it on a batch first",
                )
            )
        return self.model

    def _open_data(self) -> Any:
        """Return the data source; a factory is called once, and again where it gave a stream."""
        if not is_factory(self.data):
            if isinstance(self.data, Iterator) and self.sweep.seeds > 1:
                raise InputError(
                    Problem(
                        "data",
                        f"is a {type(self.data).__name__}, which can be read once, but sweep.seeds "
                        f"= {self.sweep.seeds} sweeps read it again",
                        "give a function that makes it, or sweep one seed",
                    )
                )
            return self.data
        if self._source is None or isinstance(self._source, Iterator):
            self._source = self.data()
        return self._source

    def _open_model(self, source: Any) -> nn.Module:
        model: Any = self.model
        if is_factory(model):
            model = model(data=source) if wants_data(model) else model()
        if not isinstance(model, nn.Module):
            raise InputError(
                Problem(
                    "model",
                    f"gave {'None' if model is None else f'a {type(model).__name__}'}; it must be "
                    "a torch.nn.Module",
                    "return the model from the function",
                )
            )
        return model


def is_factory(value: Any) -> bool:
    """Tell what must be called (a class, a function, a partial) from a ready object."""
    if isinstance(value, nn.Module):
        return False
    return inspect.isclass(value) or (
        callable(value) and not isinstance(value, Iterable) and not hasattr(value, "__getitem__")
    )


def wants_data(factory: Callable[..., Any]) -> bool:
    """Tell a model's factory that must be given the data, to take sizes from: by `data`."""
    try:
        parameter = inspect.signature(factory).parameters.get("data")
    except (TypeError, ValueError):
        return False
    return parameter is not None and parameter.default is parameter.empty
