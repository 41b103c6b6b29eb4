"""Training at many LRs at once: members side by side in one stack of parameters.

Every member starts from the same weights and sees the same batches; only its LR differs. The
forward pass is vectorised over members by `torch.func.vmap`, the gradients of the members' losses
come from one backward pass of their sum (members do not touch each other), and the update is
written for all of them in one flat vector in which each element carries its member's LR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from benchmarks.suggestion.tasks import Batch

Loss = Callable[[nn.Module, Batch], Tensor]


class _LossModule(nn.Module):
    """A model and its loss as one module, so that a call is functional in all its state."""

    def __init__(self, model: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, batch: Batch) -> Tensor:
        return self.loss(self.model, batch)


class Stack:
    """Copies of one model, trained side by side.

    Args:
        model: the common start; it is not changed.
        loss: `loss(model, batch)`.
        members: how many copies.
    """

    def __init__(self, model: nn.Module, loss: Loss, members: int) -> None:
        self.members = members
        self._module = _LossModule(model, loss)
        named = dict(self._module.named_parameters())
        total = sum(parameter.numel() for parameter in named.values())
        # A parameter's copies lie together, so that each stacked parameter is contiguous.
        self.flat = torch.empty(total * members)
        self.grad = torch.zeros_like(self.flat)
        self._owners = torch.empty(total * members, dtype=torch.long)
        self._params: dict[str, Tensor] = {}
        at = 0
        for name, parameter in named.items():
            shape = (members, *parameter.shape)
            end = at + parameter.numel() * members
            self.flat[at:end].view(shape).copy_(parameter.detach())
            owners = torch.arange(members).reshape(-1, *[1] * parameter.ndim)
            self._owners[at:end].view(shape).copy_(owners.expand(shape))
            stacked = self.flat[at:end].view(shape).requires_grad_()
            stacked.grad = self.grad[at:end].view(shape)
            self._params[name] = stacked
            at = end
        self._buffers = {
            name: buffer.expand(members, *buffer.shape).clone()
            for name, buffer in self._module.named_buffers()
        }

    def per_element(self, values: Tensor) -> Tensor:
        """Spread one value a member over the elements of `flat`."""
        return values[self._owners]

    def losses(self, batch: Batch) -> Tensor:
        """Compute each member's loss, shape `(members,)`."""

        def one(params: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
            result: Tensor = functional_call(self._module, (params, buffers), (batch,))
            return result

        found: Tensor = vmap(one)(self._params, self._buffers)
        return found

    def backward(self, batch: Batch) -> None:
        """Write each member's gradient into `grad`."""
        self._module.train()
        self.grad.zero_()
        torch.autograd.backward(self.losses(batch).sum())

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> Tensor:
        """Compute each member's loss in evaluation mode; infinite where it is not a number."""
        self._module.eval()
        losses = self.losses(batch).double()
        return torch.where(losses.isnan(), torch.inf, losses)


class Update:
    """The update of one bundled optimizer at its default arguments, elementwise.

    The formulas are those of `lrfind.optim`; `sgd`, `momentum`, `adagrad`, `rmsprop`, `adam` and
    `adamw` are written.

    Args:
        name: lrfind's name of the optimizer.
        size: number of elements.

    Raises:
        KeyError: the optimizer is not one of these.
    """

    def __init__(self, name: str, size: int) -> None:
        self._rule = {
            "sgd": self._sgd,
            "momentum": self._momentum,
            "adagrad": self._adagrad,
            "rmsprop": self._rmsprop,
            "adam": self._adam,
            "adamw": self._adamw,
        }[name]
        self._first = torch.zeros(size)
        self._second = torch.zeros(size)
        self._step = 0

    def apply(self, w: Tensor, g: Tensor, lr: Tensor) -> None:
        """Change `w` in place; `lr` has an entry an element."""
        self._step += 1
        self._rule(w, g, lr)

    def _sgd(self, w: Tensor, g: Tensor, lr: Tensor) -> None:
        w.addcmul_(g, lr, value=-1.0)

    def _momentum(self, w: Tensor, g: Tensor, lr: Tensor) -> None:
        self._first.mul_(0.9).add_(g)
        w.addcmul_(self._first, lr, value=-1.0)

    def _adagrad(self, w: Tensor, g: Tensor, lr: Tensor) -> None:
        self._second.addcmul_(g, g)
        w.addcdiv_(g * lr, self._second.sqrt().add_(1e-10), value=-1.0)

    def _rmsprop(self, w: Tensor, g: Tensor, lr: Tensor) -> None:
        self._second.mul_(0.99).addcmul_(g, g, value=0.01)
        w.addcdiv_(g * lr, self._second.sqrt().add_(1e-8), value=-1.0)

    def _adam(self, w: Tensor, g: Tensor, lr: Tensor) -> None:
        self._first.lerp_(g, 0.1)
        self._second.mul_(0.999).addcmul_(g, g, value=0.001)
        root = self._second.sqrt().div_((1.0 - 0.999**self._step) ** 0.5).add_(1e-8)
        w.addcdiv_(self._first * lr, root, value=-1.0 / (1.0 - 0.9**self._step))

    def _adamw(self, w: Tensor, g: Tensor, lr: Tensor) -> None:
        w.addcmul_(w, lr, value=-0.01)
        self._adam(w, g, lr)


def train_stack(
    model: nn.Module,
    loss: Loss,
    optimizer: str,
    batches: Iterable[Batch],
    evaluation: Batch,
    lrs: Sequence[float],
    factors: Sequence[Sequence[float]],
) -> Tensor:
    """Train one copy of a model for every LR under every schedule.

    Args:
        model: the common start; its parameters are not changed.
        loss: `loss(model, batch)`.
        optimizer: a name known to `Update`.
        batches: one a step, the same for all.
        evaluation: what the final losses are measured on.
        lrs: base LRs.
        factors: for each schedule, the multiplier of the base LR at every step.

    Returns:
        Final losses, shape `(schedules, lrs)`, float64; infinite where training exploded.
    """
    members = len(lrs) * len(factors)
    stack = Stack(model, loss, members)
    update = Update(optimizer, len(stack.flat))
    base = torch.tensor(lrs)
    # Spread once a schedule: at a step, one multiplication and addition each make the LR vector.
    spread = []
    for i in range(len(factors)):
        own = torch.zeros(len(factors), len(lrs))
        own[i] = base
        spread.append(stack.per_element(own.flatten()))
    lr = torch.empty_like(stack.flat)
    for multipliers, batch in zip(zip(*factors, strict=True), batches, strict=False):
        stack.backward(batch)
        with torch.no_grad():
            torch.mul(spread[0], multipliers[0], out=lr)
            for vector, multiplier in zip(spread[1:], multipliers[1:], strict=True):
                lr.add_(vector, alpha=multiplier)
            update.apply(stack.flat, stack.grad, lr)
    return stack.evaluate(evaluation).reshape(len(factors), len(lrs))
