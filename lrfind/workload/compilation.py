"""Losses from a model that torch has compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from lrfind.errors import InputError, Problem
from lrfind.spec import CompileSection
from lrfind.workload.objective import Objective

_COMPILER = ("torch._dynamo.", "torch._inductor.", "torch._functorch.")
"""Packages whose exceptions are the compiler's own, not the user's."""


class CompiledObjective:
    """Batch to loss, by a compiled twin of the model in its place.

    The twin computes with the weights of the model, which stays as it is. What was compiled for
    one seed serves the next: its parameters are inputs of the compiled code.

    The first batch is computed without it: so a fault of the model's own is told as it is without
    a compiler, and lazy layers have sizes.

    Args:
        objective: batch to loss, by the model that it is given.
        mode: of torch.compile.
    """

    def __init__(self, objective: Objective, mode: str) -> None:
        self._objective = objective
        self._mode = mode
        self._ran = False
        self._twin: nn.Module | None = None

    def __call__(self, model: nn.Module, batch: Any, index: int) -> Tensor:
        """Compute the loss of a batch."""
        if not self._ran:
            loss = self._objective(model, batch, index)
            self._ran = True
            return loss
        if self._twin is None:
            self._twin = cast(nn.Module, torch.compile(model, mode=self._mode))
        return self._objective(self._twin, batch, index)


@contextmanager
def compiling(section: CompileSection) -> Iterator[Callable[[Objective], Objective]]:
    """Yield what makes an objective call a compiled model; nothing where it is switched off.

    Raises:
        InputError: torch could not compile the model, which shows in forward or backward.
    """
    if not section.enabled:
        yield lambda objective: objective
        return
    try:
        yield lambda objective: CompiledObjective(objective, section.mode)
    except Exception as error:
        if not type(error).__module__.startswith(_COMPILER):
            raise
        raise _refusal(error) from error


def _refusal(error: Exception) -> InputError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # torch before 2.7 says who raised in a line of its own, and what in the next.
    says_who = lines[0].endswith("raised:") and len(lines) > 1
    first = lines[says_who].rstrip(".")
    remedy = "leave it out: a sweep is too short for it to pay on a CPU"
    if "InvalidCxxCompiler" in first:
        first = "found no working C++ compiler"
        remedy = f"install one (g++, or name it in CXX), or {remedy}"
    what = f"= true, but torch could not compile the model ({first})"
    return InputError(Problem("sweep.compile", what, remedy))
