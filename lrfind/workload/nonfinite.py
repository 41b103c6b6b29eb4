"""Where an infinite or NaN number came from: data, weights, a gradient, or half precision.

A sweep that ends in NaN has hit one of two things that look alike: an LR that is too high, or a
fault that no LR mends. What can be told apart here is told by name, once; steps that go well cost
nothing, since only the first gradients, a non-finite loss and the end are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from lrfind.errors import InputError, Problem
from lrfind.suggest.answer import Note
from lrfind.workload.batch import batch_length, describe
from lrfind.workload.finite import nonfinite, spoilt_parts

MOST_NAMES = 3
"""Parameters that a message names before it counts the rest."""

MANY_SKIPPED = 20
"""Updates in a row that a loss scaler skips before no scale can be the reason: 2^16 is 2^-4."""

_LOOK = "look for sqrt or norm at 0, log(0), a division by 0, or either of them in torch.where"


class NumberCheck:
    """What is known of non-finite numbers in one sweep, and said of them.

    Args:
        model: the model in training; its parameters are named as it names them.
        trained: the parameters that the optimizer holds.
        precision: of autocast, `fp32 | bf16 | fp16`.

    Attributes:
        notes: what the user should know, one a kind.
    """

    def __init__(self, model: nn.Module, trained: Sequence[Tensor], precision: str) -> None:
        self.notes: list[Note] = []
        self._model = model
        # Now, since a model may replace its layers; a lazy parameter stays the same object.
        names = {id(p): name for name, p in model.named_parameters()}
        self._trained = {
            names.get(id(p), f"optimizer parameter {i}"): p
            for i, p in enumerate(trained)
            if p.requires_grad
        }
        self._precision = precision
        self._bad_gradients: list[str] = []
        self._bad_from_start: list[str] = []
        self._skipped = 0
        self._is_late = False

    def first_gradients(self) -> None:
        """Look at the weights and the gradients of the first finite loss, before any update.

        Raises:
            InputError: no parameter that the optimizer holds has a gradient.
        """
        self.first_weights()
        self._tell_missing([name for name, p in self._trained.items() if p.grad is None])
        # A scaled loss may overflow: its scaler finds a smaller scale, or says that there is none.
        if self._precision != "fp16":
            self.gradients()

    def name_of(self, parameter: Tensor) -> str:
        """Name a trained parameter as the model does."""
        return next(name for name, p in self._trained.items() if p is parameter)

    def first_weights(self) -> None:
        """Look at the weights before any update."""
        self._bad_from_start = nonfinite(self._weights())
        if self._bad_from_start:
            self._tell_start()

    def passed_gradients(self, finite: Mapping[Tensor, bool]) -> None:
        """Take note of the first gradients that there were, where they are gone by now.

        Args:
            finite: the parameters that had one, and whether all its numbers were finite.

        Raises:
            InputError: as `first_gradients`.
        """
        self._tell_missing([name for name, p in self._trained.items() if p not in finite])
        self._tell_bad([name for name, p in self._trained.items() if not finite.get(p, True)])

    def _tell_missing(self, missing: list[str]) -> None:
        if len(missing) == len(self._trained):
            raise InputError(
                Problem(
                    "optimizer",
                    f"holds {_listed(missing)}, and the loss gave none of them a gradient; a sweep "
                    "needs something to train",
                    "let the loss depend on the parameters that the model was built with: no "
                    ".detach(), and no layers made anew in forward",
                )
            )
        if missing:
            self._tell(
                "without-gradient",
                f"the first loss gave no gradient to {_listed(missing)} "
                f"({len(missing)} of {len(self._trained)} trained parameters)",
                "usual for parts that are not in use; else look for .detach() or torch.no_grad()",
            )

    def gradients(self, lr: float | None = None) -> None:
        """Look at the gradients of a finite loss, before they are clipped.

        Args:
            lr: of the update before; None before the first one.
        """
        bad = nonfinite({n: p.grad for n, p in self._trained.items() if p.grad is not None})
        self._tell_bad(bad, lr)

    def _tell_bad(self, bad: list[str], lr: float | None = None) -> None:
        if not bad:
            return
        if lr is None:
            self._bad_gradients = bad
        when = "before any update" if lr is None else f"after the update at {lr:.1e}"
        usual = "" if lr is None else "usual behind the rise: nothing to change; before it, "
        self._tell(
            "non-finite-gradient",
            f"the gradient of {_listed(bad)} was infinite or NaN {when}, though the loss was not",
            usual + _LOOK,
        )

    def loss(
        self,
        value: float,
        batch: Any,
        *,
        where: str,
        lr: float | None,
        updates: int,
        is_half: bool,
        others_are_fine: Callable[[], bool],
    ) -> None:
        """Look for the cause of a loss that is infinite or NaN.

        Args:
            value: the loss.
            batch: what it was computed on.
            where: the section of the config that gave the batch.
            lr: of the update before; None before the first one.
            updates: made so far.
            is_half: the loss is a float16 number.
            others_are_fine: tells whether another batch has a finite loss with the same weights;
                asked only where the batch is the suspect.

        Raises:
            InputError: the cause is no LR: an empty batch, numbers in the data that are not
                finite, or a gradient that was NaN before any update.
        """
        if batch_length(batch) == 0:
            raise InputError(
                Problem(
                    where,
                    f"gave an empty batch, {describe(batch)}, whose mean loss is {value:g}; a "
                    "batch holds at least one sample",
                    "leave such batches out where they are made (a filter, a collate function)",
                )
            )
        weights = [] if self._is_late else nonfinite(self._weights())
        if weights:
            self._blame_weights(weights, lr, updates)
            return
        spoilt = next(spoilt_parts(batch), None)
        if spoilt is not None:
            if lr is None or others_are_fine():
                raise InputError(
                    Problem(
                        where,
                        f"gave a batch that holds {spoilt}, and its loss is {value:g}; data must "
                        "be finite",
                        "clean or leave out such samples (torch.isfinite finds them)",
                    )
                )
            self._tell(
                "non-finite-data",
                f"the batch whose loss became {value:g} holds {spoilt}",
                "clean or leave out such samples (torch.isfinite finds them)",
            )
        elif self._precision == "fp16" or is_half:
            self._tell_overflow(value)

    def late_losses(self, batches: Sequence[tuple[int, Any]], values: Sequence[float]) -> None:
        """Look for the cause of losses that were read late, in their counted batches alone.

        The weights have been updated since, with gradients that may be NaN for it, so that they
        tell nothing any more, now or at the end.

        Raises:
            InputError: a batch is empty.
        """
        self._is_late = True
        for value, (_, batch) in zip(values, batches, strict=True):
            if not math.isfinite(value):
                self.loss(
                    value,
                    batch,
                    where="data",
                    lr=math.nan,
                    updates=0,
                    is_half=False,
                    others_are_fine=lambda: False,
                )

    def scaled(self, is_taken: bool, lr: float | None) -> None:
        """Take note that a loss scaler took an update, or skipped it for its gradients.

        Args:
            is_taken: it was not skipped.
            lr: of the update before; None before the first one.

        Raises:
            InputError: every scale was tried, and there was no update before.
        """
        self._skipped = 0 if is_taken else self._skipped + 1
        if self._skipped == MANY_SKIPPED:
            self.gradients(lr)
            if lr is None:
                self._refuse_gradients()

    def end(self) -> None:
        """Look at the weights once the sweep is over, for what no loss has shown."""
        if self._is_late or any(note.code == "non-finite-weights" for note in self.notes):
            return
        bad = [n for n in nonfinite(self._weights()) if n not in self._bad_from_start]
        if bad:
            self._tell(
                "non-finite-weights",
                f"{_listed(bad)} became infinite or NaN during the sweep",
                "usual behind the rise: nothing to change; else the loss does not see them: "
                + _LOOK,
            )

    def _blame_weights(self, weights: list[str], lr: float | None, updates: int) -> None:
        if lr is None:
            self._bad_from_start = weights
            self._tell_start()
            return
        if updates == 1:
            self._refuse_gradients()
        bad = [name for name in weights if name not in self._bad_from_start]
        if bad:
            self._tell(
                "non-finite-weights",
                f"the update at {lr:.1e} made {_listed(bad)} infinite or NaN",
                "usual behind the rise: nothing to change; before it, " + _LOOK,
            )

    def _refuse_gradients(self) -> None:
        if self._bad_gradients:
            raise InputError(
                Problem(
                    "model",
                    "has a finite loss, but before any update an infinite or NaN gradient for "
                    f"{_listed(self._bad_gradients)}, which no LR can train",
                    _LOOK,
                )
            )

    def _tell_start(self) -> None:
        self._tell(
            "non-finite-weights",
            f"infinite or NaN before any update: {_listed(self._bad_from_start)}",
            "initialise them: torch.empty holds whatever was in memory",
        )

    def _tell_overflow(self, value: float) -> None:
        largest = torch.finfo(torch.float16).max
        advice = "--set sweep.precision=bf16 has the range of fp32"
        if self._precision != "fp16":
            advice = f"build the model in float32, and {advice}"
        self._tell(
            "fp16-overflow",
            f"the loss that became {value:g} was computed in float16, which ends at {largest:g}",
            advice,
        )

    def _tell(self, code: str, message: str, advice: str) -> None:
        self.notes[:] = [note for note in self.notes if note.code != code]
        self.notes.append(Note(code, message, advice))

    def _weights(self) -> dict[str, Tensor]:
        return {n: p for n, p in self._model.named_parameters() if not is_lazy(p)}


def _listed(names: Sequence[str]) -> str:
    """Join names, the first few: `a.weight, a.bias and 4 more`."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"
