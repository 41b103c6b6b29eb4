"""A scaled LR with what goes with it, as lines to read and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from rich.text import Text

from lrfind.console.grid import grid
from lrfind.errors import InputError, Problem
from lrfind.scaling import RULES, WARMUP_EPOCHS, caveats, scale_lr, warmup_start, warmup_steps

MOST = 10**15
"""Far above any batch or training set; above it a ratio could leave floating point."""

_DERIVATIONS = {
    "linear": (
        "η' = k η, k = {ratio}: k small steps and one large one weigh each sample alike "
        "(Goyal et al. 2017, arXiv 1706.02677)"
    ),
    "sqrt": (
        "η' = √k η, k = {ratio}: the variance η² Σ / B of an update stays the same "
        "(Hoffer et al. 2017, arXiv 1705.08741)"
    ),
}


@dataclass(frozen=True, slots=True)
class Scaled:
    """An LR carried over to another batch size.

    Attributes:
        lr: for the new batch size.
        from_lr: good at the old one.
        from_batch: samples of an optimizer step of the old run.
        to_batch: the same, of the new run.
        rule: `linear` or `sqrt`.
        derivation: the rule's formula, reason and source, in a line.
        warmup_epochs: epochs of gradual warmup; 0 where the batch does not grow.
        warmup_steps: the same in steps; None where the number of samples is not known.
        warmup_start_factor: share of `lr` to begin with.
        caveats: what to know before trusting it.
    """

    lr: float
    from_lr: float
    from_batch: int
    to_batch: int
    rule: str
    derivation: str
    warmup_epochs: float
    warmup_steps: int | None
    warmup_start_factor: float
    caveats: tuple[str, ...]


def scaled(
    lr: float, from_batch: int, to_batch: int, rule: str, samples: int | None = None
) -> Scaled:
    """Apply a rule and gather what goes with it.

    Args:
        lr: good at `from_batch`.
        from_batch: samples of an optimizer step of the old run.
        to_batch: the same, of the new run.
        rule: one of `lrfind.scaling.RULES`.
        samples: of the training set, where they are known.

    Raises:
        InputError: a number is not positive and finite, the rule is unknown, or the LR leaves
            the range of floating point.
    """
    counts = {"from": from_batch, "to": to_batch, "samples": samples or 1}
    too_many = [name for name, count in counts.items() if count > MOST]
    if too_many:
        raise InputError(
            *(Problem(name, f"is above {MOST:.0e}", "pass a count of samples") for name in too_many)
        )
    new_lr = scale_lr(lr, from_batch=from_batch, to_batch=to_batch, rule=rule)
    if not 0 < new_lr < float("inf"):
        what = f"{new_lr} at batch {to_batch} must be a finite number > 0"
        raise InputError(Problem("lr", what, "pass an LR that has been used"))
    grows = to_batch > from_batch
    steps = None
    if samples is not None or not grows:
        steps = warmup_steps(from_batch=from_batch, to_batch=to_batch, samples=samples or 1)
    return Scaled(
        lr=new_lr,
        from_lr=lr,
        from_batch=from_batch,
        to_batch=to_batch,
        rule=rule,
        derivation=_DERIVATIONS[rule].format(ratio=f"{to_batch / from_batch:.6g}"),
        warmup_epochs=WARMUP_EPOCHS if grows else 0.0,
        warmup_steps=steps,
        warmup_start_factor=warmup_start(from_batch=from_batch, to_batch=to_batch, rule=rule),
        caveats=caveats(to_batch=to_batch),
    )


def scale_table(answer: Scaled, *, width: int = 80, color: bool = False) -> str:
    """Write the answer as lines to read, the LR first."""
    batches = f"at batch {answer.to_batch}, from {answer.from_lr:g} at batch {answer.from_batch}"
    rows = [
        ("lr", Text.assemble((f"{answer.lr:.6g}", "bold"), f"  {batches}")),
        ("rule", Text(f"{answer.rule}: {answer.derivation}")),
        ("warmup", Text(_warmup(answer))),
        *(("note", Text(caveat)) for caveat in answer.caveats),
    ]
    return grid(rows, width=width, color=color)


def scale_json(answer: Scaled) -> str:
    """Write the answer as JSON."""
    return json.dumps(
        asdict(answer) | {"exponent": RULES[answer.rule]}, indent=2, ensure_ascii=False
    )


def _warmup(answer: Scaled) -> str:
    if not answer.warmup_epochs:
        return "none needed: the batch does not grow"
    start = f"from lr {answer.lr * answer.warmup_start_factor:.6g}"
    if answer.warmup_steps is None:
        return f"{answer.warmup_epochs:g} epochs, {start}; --samples N tells the steps"
    call = f"Warmup(scheduler, steps={answer.warmup_steps}"
    if answer.warmup_start_factor != 1:
        call += f", start_factor={answer.warmup_start_factor:.6g}"
    return f"{answer.warmup_steps} steps ({answer.warmup_epochs:g} epochs), {start}: {call})"
