"""CyclicLR: a zigzag between two LRs, momentum against it."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

from torch.optim import Optimizer

from lrfind.schedulers.closed_form import Lr, Scheduler, require_optimizer, warn_outside_step, write
from lrfind.schedulers.forms.cyclic import check_mode, cycle_number, cycle_shape, height, triangle
from lrfind.schedulers.momentum import note_bounds, per_group, set_momentum, uses_beta1


class CyclicLR(Scheduler):
    """Cycle the LR between `base_lr` and `max_lr`, and momentum the other way.

    η_t = base + (max − base) · triangle_t · height_t (Smith 2017, arXiv 1506.01186). Step it after
    every batch. It sets LRs rather than multiplying them: what others wrote is overwritten.

    Args:
        optimizer: whose groups are driven.
        base_lr: lower bound, one or one a group; replaces the optimizer's LR.
        max_lr: upper bound of the first cycle, one or one a group.
        step_size_up: steps of the rise, > 0.
        step_size_down: steps of the fall; as many when None.
        mode: height of the triangles: `triangular` (constant), `triangular2` (halved every
            cycle), `exp_range` (γ^t).
        gamma: γ of `exp_range`.
        scale_fn: a height of your own instead of `mode`. A function is not saved in the state;
            of a callable object its attributes are.
        scale_mode: what `scale_fn` is given: the `cycle`, from 1, or the `iterations`.
        cycle_momentum: whether momentum (β₁ of Adam's kin) cycles too.
        base_momentum: momentum at the highest LR, one or one a group.
        max_momentum: momentum at the lowest LR, one or one a group.
        last_epoch: step to resume after; −1 starts.

    Raises:
        ArgumentError: an unknown mode, no rising step, a list of the wrong length, or
            `cycle_momentum` with an optimizer that has none.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Lr | Sequence[Lr],
        max_lr: Lr | Sequence[Lr],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Lr | Sequence[Lr] = 0.8,
        max_momentum: Lr | Sequence[Lr] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        self.total_size, self.step_ratio = cycle_shape(step_size_up, step_size_down)
        base_lrs = per_group("CyclicLR", "base_lr", optimizer, base_lr)
        self.max_lrs = per_group("CyclicLR", "max_lr", optimizer, max_lr)
        self.mode = mode
        self.gamma = gamma
        self.scale_mode = scale_mode
        self._scale_fn_custom = scale_fn
        self._choose_scale()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1("CyclicLR", optimizer)
            self.base_momentums = per_group("CyclicLR", "base_momentum", optimizer, base_momentum)
            self.max_momentums = per_group("CyclicLR", "max_momentum", optimizer, max_momentum)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                write(group, "lr", lr)
            if cycle_momentum:
                note_bounds(optimizer, self.base_momentums, self.max_momentums)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _choose_scale(self) -> None:
        if self._scale_fn_custom is None:
            check_mode(self.mode)
            self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"

    def scale_fn(self, x: float) -> float:
        """Compute the height of the triangles at a cycle (from 1) or step."""
        return (self._scale_fn_custom or self._scale_fn_ref)(x)

    @property
    def _scale_fn_ref(self) -> Callable[[float], float]:
        # Where torch keeps the bundled height; made on request, so that it is never saved.
        return lambda x: height(x, x, self.mode, self.gamma)

    def get_lr(self) -> list[Lr]:
        """Compute the next LR of each group, and set the momentum that goes with it."""
        warn_outside_step(self)
        step = self.last_epoch
        cycle = cycle_number(step, self.total_size)
        rise = triangle(step, self.total_size, self.step_ratio) * self.scale_fn(
            int(cycle) if self.scale_mode == "cycle" else step
        )
        if self.cycle_momentum:
            for group, low, high in zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            ):
                set_momentum(group, high - (high - low) * rise, self.use_beta1)
        return [
            low + (high - low) * rise for low, high in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Collect the state, in torch's layout; save the optimizer's beside it."""
        state = super().state_dict()
        custom = self._scale_fn_custom
        saved = custom is not None and not isinstance(custom, types.FunctionType)
        state["_scale_fn_custom"] = vars(custom).copy() if saved else None
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` of this class or of torch's collected."""
        state = dict(state_dict)
        attributes = state.pop("_scale_fn_custom", None)
        super().load_state_dict(state)
        if attributes is not None and self._scale_fn_custom is not None:
            vars(self._scale_fn_custom).update(attributes)
        self._choose_scale()
