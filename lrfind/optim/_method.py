"""How an optimizer's mathematics is carried out: by its definition, or by something as good.

A subclass supplies `_update`, the definition: a pure function of parameter, gradient and state,
written to be read. `_fuse` and `_update_many` may only reach the same numbers faster. Which of the
three takes a parameter is decided when a plan is made, and the plan is kept while it holds.
"""

from __future__ import annotations

from itertools import chain
from operator import is_
from typing import Any

import torch
from torch import Tensor

from lrfind.optim._kernels import Kernel, find_kernel
from lrfind.optim._lean import LeanOptimizer
from lrfind.optim._plan import Bucket, Plan, kind, make_bucket
from lrfind.optim._slabs import split
from lrfind.optim._values import Group, State, Tensors, real

_values = dict.values
_NO_SCALING: dict[str, Tensor | None] = {"grad_scale": None, "found_inf": None}


class Method(LeanOptimizer):
    """Base of the bundled optimizers; abstract."""

    def _forget_plans(self) -> None:
        self._plans: dict[int, Plan] = {}
        self._known: list[Any] | None = None

    def _advance(self) -> None:
        if torch.compiler.is_compiling():
            for group in self.param_groups:
                self._define(group, [param for param in group["params"] if param.grad is not None])
            return
        known = self._known
        if known is not None:
            values = [*chain.from_iterable(map(_values, self.state.values()))]
            if len(values) != len(known) or not all(map(is_, values, known)):
                known = None
        if known is None:
            self._plans.clear()
        for i, group in enumerate(self.param_groups):
            params: list[Tensor] = group["params"]
            grads = [grad for param in params if (grad := param.grad) is not None]
            if len(grads) != len(params):
                params = [param for param in params if param.grad is not None]
            if not params:
                continue
            plan = self._plans.get(i)
            if plan is None or not plan.fits(self._mode(group), params):
                known = None
                self._plans[i] = plan = self._make_plan(group, params, grads)
            solo = plan.solo
            if solo is not None and solo.is_regular(grads):
                self._fuse(solo.kernel, solo, grads, group)  # type: ignore[arg-type]
                continue
            aligned = plan.align(grads)
            if aligned is None:
                known = None
                self._plans[i] = plan = self._make_plan(group, params, grads)
                aligned = plan.align(grads)
                assert aligned is not None
            self._carry_out(plan, aligned, group)
        if known is None:
            self._known = [*chain.from_iterable(map(_values, self.state.values()))]

    def _make_plan(self, group: Group, params: list[Tensor], grads: list[Tensor]) -> Plan:
        plan = Plan(self._mode(group), list(params))
        name = self._kernel_name(group)
        asked = group["foreach"] is not False or bool(group.get("fused"))
        fast = asked and not group["differentiable"]
        kinds: dict[tuple[Any, ...], list[int]] = {}
        states = self._states_of(group, params)
        for i, (param, grad, state) in enumerate(zip(params, grads, states, strict=True)):
            kernel = self._kernel(group, name, param) if fast else None
            key = kind(param, grad, state, by_age=kernel is None) if fast else None
            ready = kernel is not None or self._is_ready(group, state)
            if key is None or not ready:
                plan.loose.append(i)
            else:
                kinds.setdefault((*key, kernel), []).append(i)
        for key, where in kinds.items():
            mine = [params[i] for i in where]
            bucket = make_bucket(key[-1], mine, [states[i] for i in where], where, len(params))
            plan.buckets.append(bucket)
        first = plan.buckets[0] if len(plan.buckets) == 1 and not plan.loose else None
        plan.solo = first if first is not None and first.kernel and first.is_on_cpu else None
        if group.get("fused") and any(bucket.kernel is None for bucket in plan.buckets):
            plan.loose.append(0)
        if group.get("fused") and plan.loose:
            param = params[plan.loose[0]]
            raise RuntimeError(
                f"{type(self).__name__}: `fused=True` requires all the params to be floating point "
                f"Tensors of supported devices (one is {param.dtype} on {param.device.type}); "
                "leave fused out to use the kernel where it fits"
            )
        return plan

    def _kernel(self, group: Group, name: str | None, param: Tensor) -> Kernel | None:
        """Find the fused kernel for a parameter, unless the group asks for another way."""
        if name is None or group["foreach"] or group.get("fused") is False:
            return None
        return find_kernel(name, param.device.type, param.dtype)

    def _carry_out(self, plan: Plan, aligned: list[list[Tensor]], group: Group) -> None:
        for bucket, grads in zip(plan.buckets, aligned, strict=True):
            if not bucket.is_on_cpu and "capturable" in group:
                self._accelerator_graph_capture_health_check()
            if bucket.kernel is None:
                self._take_slabs(bucket, grads, group)
            else:
                self._fuse(bucket.kernel, bucket, grads, group)
        if plan.loose:
            self._define(group, [plan.params[i] for i in plan.loose])

    def _take_slabs(self, bucket: Bucket, grads: list[Tensor], group: Group) -> None:
        bucket.tick()
        step = bucket.states.get("step")
        t = step[0].item() if step else 0.0
        pieces = grads
        if bucket.slabs[0].picks is not None:
            pieces = [piece for grad in grads for piece in split(grad)]
        is_additive = group["weight_decay"] == 0
        for slab in bucket.slabs:
            params, part = slab.take(pieces, is_additive)
            signed = torch._foreach_neg(part) if group["maximize"] else part
            self._update_many(params, signed, slab.states, t, group)
            slab.give_back(is_additive)

    def _scaling(self, device: torch.device) -> dict[str, Tensor | None]:
        """Return what GradScaler left for a fused kernel: the scale and whether to skip."""
        if not self._step_supports_amp_scaling:
            return _NO_SCALING
        scale, found = self.__dict__.get("grad_scale"), self.__dict__.get("found_inf")
        return {
            "grad_scale": None if scale is None else scale.to(device, non_blocking=True),
            "found_inf": None if found is None else found.to(device, non_blocking=True),
        }

    def _define(self, group: Group, params: list[Tensor]) -> None:
        for param in params:
            assert param.grad is not None
            self._apply_definition(group, param, param.grad)

    def _mode(self, group: Group) -> tuple[Any, ...]:
        """Collect the options that decide how a group is taken."""
        return (group["foreach"],)

    def _is_ready(self, group: Group, state: State) -> bool:
        """Tell whether `_update_many` can take a parameter in this state."""
        has_it = type(self)._update_many is not Method._update_many
        return has_it and not group.get("capturable")

    def _kernel_name(self, group: Group) -> str | None:
        """Name the fused kernel that computes exactly this group's update, if there is one."""
        return None

    def _fuse(self, kernel: Kernel, bucket: Bucket, grads: list[Tensor], group: Group) -> None:
        """Update a bucket in one pass over memory."""
        raise NotImplementedError

    def _update_many(
        self,
        params: list[Tensor],
        grads: Tensors,
        states: dict[str, list[Tensor]],
        t: float,
        group: Group,
    ) -> None:
        """Update many tensors by multi-tensor operations, in place.

        Without weight decay parameters may only be added to, never read.

        Args:
            params: parameters or pieces of them.
            grads: their gradients, of the sign of a minimisation; not to be written to.
            states: their state by name.
            t: how many steps they have taken, this one included.
            group: the options.
        """
        raise NotImplementedError

    def _states_of(self, group: Group, params: list[Tensor]) -> list[State]:
        states: list[State] = [self.state[param] for param in params]
        young = [i for i, state in enumerate(states) if not state]
        for i in young:
            states[i].update(self._initial_state(group, params[i]))
        steps = [step for i in young if (step := states[i].get("step")) is not None]
        if len(steps) > 1 and len({(step.device, step.dtype) for step in steps}) == 1:
            # One vector holds all counters, so that one addition advances them.
            for i, step in zip(young, torch.stack(steps).unbind(), strict=True):
                states[i]["step"] = step
        return states

    def _state_of(self, group: Group, param: Tensor) -> State:
        state: State = self.state[param]
        if not state:
            state.update(self._initial_state(group, param))
        return state

    def _initial_state(self, group: Group, param: Tensor) -> State:
        """Create what a parameter needs before its first update."""
        raise NotImplementedError

    def _update(
        self, param: Tensor, grad: Tensor, state: State, group: Group
    ) -> tuple[Tensor, State]:
        """Compute the parameter and state after one step: the definition.

        Pure and out of place. All tensors are real (complex ones come as views with a last
        dimension of 2) and the sign of the gradient is that of a minimisation.

        Returns:
            The new parameter, and the new value of every state tensor that changes.
        """
        raise NotImplementedError

    def _update_sparse(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """Apply a sparse gradient in place; raises where the method has no sparse form."""
        name = type(self).__name__
        raise RuntimeError(
            f"{name}: a gradient is sparse (shape {tuple(param.shape)}) and {name} does not "
            "support sparse gradients; build the embedding with sparse=False, or use SGD or Adagrad"
        )

    def _apply_definition(self, group: Group, param: Tensor, grad: Tensor) -> None:
        state = self._state_of(group, param)
        if grad.is_sparse:
            self._update_sparse(param, -grad if group["maximize"] else grad, state, group)
            return
        seen = {name: real(value) for name, value in state.items() if isinstance(value, Tensor)}
        target, direction = real(param), real(grad)
        if group["maximize"]:
            direction = -direction
        new_param, new_state = self._update(target, direction, seen, group)
        target.copy_(new_param)
        for name, value in new_state.items():
            old = seen.get(name)
            if old is not None and not group["differentiable"]:
                old.copy_(value)
            else:
                if old is None:
                    self._plans.clear()
                # Cloned, because a first buffer may be the gradient itself.
                fresh = torch.view_as_complex(value) if param.is_complex() else value
                state[name] = value.clone() if name == "step" else fresh.clone()
