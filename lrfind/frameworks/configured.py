"""What `configure_optimizers` of a Lightning module returned, in any of its documented forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer

from lrfind.errors import InputError, Problem

WHERE = "lightning.module"


@dataclass(frozen=True)
class Configured:
    """Optimizers and the schedulers attached to any of them.

    Attributes:
        optimizers: in the module's order.
        schedulers: of all optimizers.
    """

    optimizers: list[Optimizer]
    schedulers: list[Any]

    def schedulers_of(self, optimizer: Optimizer) -> list[Any]:
        """List the schedulers that are attached to one of the optimizers."""
        return [
            found for found in self.schedulers if getattr(found, "optimizer", None) is optimizer
        ]

    def chosen(self, index: int | None) -> Optimizer:
        """Return the optimizer to sweep.

        Raises:
            InputError: there are several and no index, or none of that index.
        """
        count = len(self.optimizers)
        if index is None and count == 1:
            return self.optimizers[0]
        listed = ", ".join(f"{i}: {named(found)}" for i, found in enumerate(self.optimizers))
        if index is None:
            what = f"has {count} optimizers ({listed}), and a sweep moves the LR of one"
            remedy = "choose it with lightning.optimizer_index"
            raise InputError(Problem(WHERE, what, remedy))
        if index >= count:
            what = f"= {index}, but configure_optimizers gives {count} ({listed})"
            raise InputError(Problem("lightning.optimizer_index", what, f"take 0 to {count - 1}"))
        return self.optimizers[index]


def parsed(returned: Any) -> Configured:
    """Read an optimizer, a list of them, `([optimizers], [schedulers])`, a dict or dicts.

    Raises:
        InputError: it is none of these, or there is no optimizer.
    """
    if isinstance(returned, Optimizer):
        return Configured([returned], [])
    if isinstance(returned, Mapping):
        return _joined([returned])
    if isinstance(returned, list | tuple) and returned:
        if all(isinstance(part, Mapping) for part in returned):
            return _joined(list(returned))
        if all(isinstance(part, Optimizer) for part in returned):
            return Configured(list(returned), [])
        if len(returned) == 2 and isinstance(returned[0], list | tuple):
            optimizers = list(returned[0])
            given = returned[1] if isinstance(returned[1], list | tuple) else [returned[1]]
            if optimizers and all(isinstance(part, Optimizer) for part in optimizers):
                return Configured(optimizers, [_scheduler(part) for part in given if part])
    found = "None" if returned is None else f"a {type(returned).__name__}"
    what = f"has a configure_optimizers that returned {found}, in which there is no optimizer"
    remedy = "return an optimizer, or one of the forms in Lightning's documentation"
    raise InputError(Problem(WHERE, what, remedy))


def _joined(parts: list[Mapping[str, Any]]) -> Configured:
    optimizers = [part.get("optimizer") for part in parts]
    if not all(isinstance(found, Optimizer) for found in optimizers):
        what = "has a configure_optimizers that returned a dict without an 'optimizer'"
        raise InputError(Problem(WHERE, what, "put it under that key"))
    schedulers = [_scheduler(part["lr_scheduler"]) for part in parts if part.get("lr_scheduler")]
    return Configured([found for found in optimizers if found is not None], schedulers)


def _scheduler(given: Any) -> Any:
    return given.get("scheduler") if isinstance(given, Mapping) else given


def named(optimizer: Optimizer) -> str:
    """Name an optimizer and its size: `Adam over 4,810 parameters`."""
    count = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
    return f"{type(optimizer).__name__} over {count:,} parameters"
