"""Bundled schedulers, one a file, described here without importing torch.

The classes are torch-compatible (`StepLR(optimizer, 30)`); the functions are their closed forms,
pure and free of torch (`step_decay(step, 30)`). Each name is imported on first use.

Where they differ from torch's on purpose:

- No rounding adds up: a group that nobody else touches is put where the closed form says, not a
  factor beyond where it was. A chained scheduler or a change by hand still multiplies.
- Arguments without sense (`step_size=0`, `T_max=0`, γ < 0, a negative factor) are refused when the
  scheduler is built, with rule and remedy; the error is a `ValueError` as well.
- `OneCycleLR` whose rise is one step long begins at its peak, where torch divides by zero; and
  `CyclicLR` in `triangular2` goes on beyond cycle 1024, where torch overflows.
- Tensors passed as bounds are copied everywhere; `load_state_dict` leaves its argument as it was.
- `Warmup` stands for a `SequentialLR` of a warmup and the rest, begins at the wrapped scheduler's
  own first LR, and knows its state; a plateau inside it gets its metric through `step(metric)`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lrfind.registry import Entry

if TYPE_CHECKING:
    from lrfind.schedulers.constant import Constant
    from lrfind.schedulers.cosine import CosineAnnealingLR
    from lrfind.schedulers.cyclic import CyclicLR
    from lrfind.schedulers.forms.argument import ArgumentError
    from lrfind.schedulers.forms.cosine import cosine_annealing
    from lrfind.schedulers.forms.cyclic import cyclic_lr
    from lrfind.schedulers.forms.decay import multistep_decay, step_decay
    from lrfind.schedulers.forms.onecycle import one_cycle
    from lrfind.schedulers.forms.sweep import exponential_sweep, linear_sweep
    from lrfind.schedulers.forms.warmup import warmup_factor
    from lrfind.schedulers.multistep import MultiStepLR
    from lrfind.schedulers.onecycle import OneCycleLR
    from lrfind.schedulers.plateau import ReduceLROnPlateau
    from lrfind.schedulers.step import StepLR
    from lrfind.schedulers.sweep import ExponentialSweep, LinearSweep
    from lrfind.schedulers.warmup import Warmup

__all__ = [
    "CATALOG",
    "ArgumentError",
    "Constant",
    "CosineAnnealingLR",
    "CyclicLR",
    "ExponentialSweep",
    "LinearSweep",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "StepLR",
    "Warmup",
    "cosine_annealing",
    "cyclic_lr",
    "exponential_sweep",
    "linear_sweep",
    "multistep_decay",
    "one_cycle",
    "step_decay",
    "warmup_factor",
]

CATALOG: dict[str, Entry] = {
    "constant": Entry(
        "lrfind.schedulers.constant:Constant",
        "η_t = η₀",
        "the usual baseline",
    ),
    "step": Entry(
        "lrfind.schedulers.step:StepLR",
        "η_t = η₀ · γ^⌊t / step_size⌋",
        "PyTorch StepLR (2016)",
    ),
    "multistep": Entry(
        "lrfind.schedulers.multistep:MultiStepLR",
        "η_t = η₀ · γ^#{milestones ≤ t}",
        "PyTorch MultiStepLR (2016)",
    ),
    "cosine": Entry(
        "lrfind.schedulers.cosine:CosineAnnealingLR",
        "η_t = η_min + ½ (η₀ − η_min)(1 + cos(π t / T_max))",
        "Loshchilov and Hutter 2017, arXiv 1608.03983",
    ),
    "plateau": Entry(
        "lrfind.schedulers.plateau:ReduceLROnPlateau",
        "η ← η · factor after more than `patience` evaluations without improvement",
        "PyTorch ReduceLROnPlateau (2017)",
    ),
    "cyclic": Entry(
        "lrfind.schedulers.cyclic:CyclicLR",
        "η_t = base + (max − base) · triangle_t · height_t",
        "Smith 2017, arXiv 1506.01186",
    ),
    "onecycle": Entry(
        "lrfind.schedulers.onecycle:OneCycleLR",
        "max/div → max within pct_start of the steps, then max → max/(div · final_div)",
        "Smith and Topin 2018, arXiv 1708.07120",
    ),
    "warmup": Entry(
        "lrfind.schedulers.warmup:Warmup",
        "η_t = factor_t · inner_0 for t < steps, then inner_{t − steps}",
        "Goyal et al. 2017, arXiv 1706.02677",
    ),
    "exponential_sweep": Entry(
        "lrfind.schedulers.sweep:ExponentialSweep",
        "η_t = start · (end/start)^(t/(n−1))",
        "Smith 2017, arXiv 1506.01186; exponential as in Gugger 2018",
    ),
    "linear_sweep": Entry(
        "lrfind.schedulers.sweep:LinearSweep",
        "η_t = start + (end − start) · t/(n−1)",
        "Smith 2017, arXiv 1506.01186",
    ),
}
"""Config name → scheduler."""

_FORMS = {
    "ArgumentError": "argument",
    "cosine_annealing": "cosine",
    "cyclic_lr": "cyclic",
    "exponential_sweep": "sweep",
    "linear_sweep": "sweep",
    "multistep_decay": "decay",
    "one_cycle": "onecycle",
    "step_decay": "decay",
    "warmup_factor": "warmup",
}
_EXPORTS = {name: f"{__name__}.forms.{module}" for name, module in _FORMS.items()}
_EXPORTS |= {
    entry.path.partition(":")[2]: entry.path.partition(":")[0] for entry in CATALOG.values()
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
