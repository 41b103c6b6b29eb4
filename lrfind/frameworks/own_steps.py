"""Training steps of a Lightning module that makes its updates itself, halted before some of them.

With `automatic_optimization = False` a `training_step` calls backward and steps its optimizers as
it likes. Each step of the optimizer that is swept halts it right there: the loss is known, the LR
is not yet set. It goes on when the sweep has an LR, through that update and whatever comes behind.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lrfind.errors import InputError, Problem
from lrfind.frameworks.halting import Halting
from lrfind.frameworks.lightning_loop import STEP, LightningLoop
from lrfind.frameworks.taken_losses import TakenLosses
from lrfind.workload.optimizer import SweptOptimizer
from lrfind.workload.phase import Phase
from lrfind.workload.update_size import UpdateSize


class OwnSteps:
    """Runs training steps from one update of the swept optimizer to the next.

    Args:
        module: the LightningModule, attached to a trainer that holds the optimizers.
        swept: the optimizer whose LR is set before each of its steps.
        others: the optimizers that train along.
        loop: the hooks around a training step.
        autocast: the context in which training steps run.

    Attributes:
        phase: what is being done right now: whom to blame for an exception.
        lr: of the last update; None before the first.
        count: updates of the swept optimizer.
        size: how far they moved the weights.
    """

    def __init__(
        self,
        module: Any,
        swept: SweptOptimizer,
        others: Sequence[Optimizer],
        loop: LightningLoop,
        autocast: AbstractContextManager[Any],
    ) -> None:
        self.phase = Phase.FORWARD
        self.lr: float | None = None
        self.count = 0
        self.size = UpdateSize(swept.parameters)
        self._next_lr = 0.0
        self._module = module
        self._swept = swept
        self._others = others
        self._loop = loop
        self._autocast = autocast
        self._halting = Halting()
        self._losses = TakenLosses(swept.parameters)
        self._is_measuring = False
        optimizers = (swept.optimizer, *others)
        self._parameters = [p for o in optimizers for g in o.param_groups for p in g["params"]]
        self._are_trained: list[bool] = []

    @contextmanager
    def watched(self, schedulers: Sequence[Any]) -> Iterator[None]:
        """Stand in for the calls of a training step that concern a sweep, for as long as it lasts.

        Args:
            schedulers: of the swept optimizer; stepping them does nothing.
        """
        module, optimizer = self._module, self._swept.optimizer
        wrappers = module.optimizers()
        wrappers = wrappers if isinstance(wrappers, list) else [wrappers]
        module.trainer.fit_loop.epoch_loop.manual_optimization.on_run_start()
        with ExitStack() as undo:
            undo.callback(self.drop)
            _replace(undo, module, "manual_backward", self._backward)
            _replace(undo, optimizer, "step", self._step)
            for owner in (optimizer, *(w for w in wrappers if w.optimizer is optimizer)):
                _replace(undo, owner, "zero_grad", self._zero_grad)
            for other in self._others:
                _replace(undo, other, "step", self._step_of_other)
            for scheduler in schedulers:
                _replace(undo, scheduler, "step", lambda own, *args, **kwargs: None)
            yield

    @property
    def is_halted(self) -> bool:
        """Tell whether an update is waiting for its LR."""
        return self._halting.is_halted

    @property
    def loss(self) -> float:
        """Add up the losses whose gradients the update that is waiting takes.

        Raises:
            InputError: no loss has reached the optimizer's parameters.
        """
        loss = self._losses.total()
        if loss is None:
            name = type(self._swept.optimizer).__name__
            what = f"steps {name} without a manual_backward that gave its parameters a gradient"
            raise InputError(Problem(STEP, what, "call self.manual_backward(loss) before its step"))
        return loss

    def train(self, batch: Any, index: int) -> None:
        """Run a training step and its hooks, up to its end or an update that wants an LR."""
        self._is_measuring = False
        self._start(lambda: self._train(batch, index))

    def update(self, lr: float) -> None:
        """Make the update that is waiting, and go on to the next one or the training step's end."""
        self._next_lr = lr
        self._halting.go_on()

    def measure(self, batch: Any, index: int) -> float | None:
        """Compute the loss of an update that is not made; None where the batch makes none.

        No other optimizer steps either, and no gradients are left.
        """
        self._losses.clear()
        self._is_measuring = True
        self._start(lambda: self._computed(batch, index))
        found = self.loss if self.is_halted else None
        self.drop()
        self._module.zero_grad(set_to_none=True)
        return found

    def drop(self) -> None:
        """Give an update up that is waiting, and the rest of its training step."""
        if self._halting.is_halted:
            self._halting.drop()
            # What was toggled for the update stays so otherwise.
            for parameter, is_trained in zip(self._parameters, self._are_trained, strict=True):
                parameter.requires_grad_(is_trained)
        self._losses.clear()

    def _start(self, function: Callable[[], Any]) -> None:
        self.phase = Phase.FORWARD
        self._are_trained = [parameter.requires_grad for parameter in self._parameters]
        self._halting.start(function)

    def _train(self, batch: Any, index: int) -> None:
        self._loop.before_forward(batch, index)
        output = self._computed(batch, index)
        self._loop.end_batch(_outputs(output))

    def _computed(self, batch: Any, index: int) -> Any:
        with self._autocast:
            return self._module.training_step(*self._loop.arguments(batch, index))

    def _backward(self, own: Callable[..., None], loss: Tensor, *args: Any, **kwargs: Any) -> None:
        self.phase = Phase.BACKWARD
        self._losses.backward(own, loss, *args, **kwargs)
        self.phase = Phase.FORWARD

    def _zero_grad(self, own: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        own(*args, **kwargs)
        self._losses.clear()

    def _step(
        self, own: Callable[..., Any], closure: Callable[[], Any] | None = None, **kwargs: Any
    ) -> Any:
        """Step the swept optimizer, as torch does with a closure: what it computes comes first."""
        result = None
        if closure is not None:
            with torch.enable_grad():
                result = closure()
        if not self._halting.is_inside:
            what = f"({type(self._module).__name__}) steps its optimizer outside of training_step"
            raise InputError(Problem("lightning.module", what, "step it in training_step"))
        self._halting.halt()
        self.phase = Phase.UPDATE
        lr = self.lr = self._next_lr
        self._swept.set_lr(lr)
        self.size.begin()
        own(**kwargs)
        self.size.end()
        self._swept.require_lr(lr)
        self.count += 1
        self._losses.clear()
        self.phase = Phase.FORWARD
        return result

    def _step_of_other(self, own: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return None if self._is_measuring else own(*args, **kwargs)


def _replace(undo: ExitStack, owner: Any, name: str, stand_in: Callable[..., Any]) -> None:
    """Let `stand_in(own, …)` be called in place of an object's method, until it is undone."""
    own, held = getattr(owner, name), vars(owner)
    # What torch's schedulers have marked a step with stays on it.
    stand = functools.wraps(own)(functools.partial(stand_in, own))
    if name in held:
        undo.callback(held.__setitem__, name, held[name])
    else:
        undo.callback(held.pop, name, None)
    held[name] = stand


def _outputs(output: Any) -> dict[str, Any]:
    """Give what `on_train_batch_end` gets, as Lightning makes it of what a training step returned.

    Raises:
        InputError: it returned what Lightning does not take either.
    """
    if output is None:
        return {}
    if not isinstance(output, Mapping | Tensor):
        what = f"returned a {type(output).__name__}, where a tensor, a dict or nothing may come"
        raise InputError(Problem(STEP, what, "return the loss or nothing"))
    found = dict(output) if isinstance(output, Mapping) else {"loss": output}
    loss = found.get("loss")
    return {**found, "loss": loss.detach()} if isinstance(loss, Tensor) else found
