"""The sections of the range test: the sweep, its end, and how its curve is read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lrfind.spec.compilation import CompileSection
from lrfind.spec.section import SHORT_FORM, PositiveFloat, Section, rule
from lrfind.spec.sources import ValidationSection


class StopSection(Section):
    """When a sweep counts as diverged."""

    factor: Annotated[float, Field(gt=0, allow_inf_nan=True)] = Field(
        default=4.0,
        description="Stop when the smoothed loss stands this many times the drop so far above its "
        "best; `.inf` stops only at a non-finite loss.",
    )
    min_steps: int = Field(
        default=10, ge=1, description="Updates before which only a non-finite loss stops."
    )
    window: int = Field(
        default=5, ge=1, description="Losses in the running median that the rule looks at."
    )
    patience: int = Field(
        default=20,
        ge=1,
        description="Stop as well after this many losses in a row above where the sweep started.",
    )


class SweepSection(Section):
    """The range test itself."""

    mode: Literal["exponential", "linear"] = Field(
        default="exponential", description="How the LR grows from step to step."
    )
    start_lr: PositiveFloat = Field(default=1e-7, description="LR of the first update.")
    end_lr: PositiveFloat = Field(default=10.0, description="LR of the last update.")
    steps: int = Field(default=200, ge=2, description="Optimizer updates.")
    auto_range: bool = Field(
        default=True,
        description="Go on beyond end_lr where the loss has not risen there, by at most 3 decades "
        "and half the steps, and sweep once again from start_lr / 1000 where it only rose in the "
        "first decade; also where the ends are given. Exponential sweeps only.",
    )
    seeds: int = Field(
        default=1,
        ge=1,
        description="Sweeps with seeds seed, seed+1, …; each builds the model anew.",
    )
    side_by_side: bool = Field(
        default=True,
        description="Train several seeds at once where that is faster: small perceptrons on "
        "tensors in memory. The curves are the same to rounding.",
    )
    stop: StopSection = Field(default_factory=StopSection, description="The divergence stop.")
    accumulate: int = Field(
        default=1, ge=1, description="Batches whose mean gradient makes one update."
    )
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        default="fp32", description="Autocast precision of forward and loss; fp16 scales the loss."
    )
    clip_grad_norm: PositiveFloat | None = Field(
        default=None, description="Largest ℓ2 norm of all gradients together."
    )
    low_memory: bool = Field(
        default=False,
        description="Update inside the backward pass and free each gradient there, so that no two "
        "layers have one at a time; the curve is the same. Not with accumulate, clip_grad_norm or "
        "precision fp16, nor with optimizers that need all gradients at once.",
    )
    channels_last: bool = Field(
        default=False,
        description="Keep the weights of two-dimensional convolutions, and with them what flows "
        "between the layers, with channels innermost in memory, the order that the tensor "
        "cores of a GPU work in. The curve is the same to rounding. Not with fsdp.",
    )
    compile: CompileSection = Field(
        default_factory=lambda: CompileSection(enabled=False),
        description="Call the model through torch.compile, once for all seeds and trials. The "
        "curve is the same to rounding, but dropout draws other numbers. Compiling takes longer "
        "than a short sweep saves (docs/benchmarks.md). Needs a C++ compiler. Not with "
        "low_memory, several processes or a framework's section.",
    )
    snapshot: Literal["memory", "disk"] = Field(
        default="memory",
        description="Where the one copy of a ready model, or of the state that trials start from, "
        "is kept; disk is a temporary folder (`TMPDIR`). Without either there is no copy.",
    )
    deterministic: bool = Field(
        default=False,
        description="Ask torch for algorithms that give the same numbers each time, slower ones "
        "where it must be; a note names the operations that have none.",
    )
    validation: ValidationSection | None = Field(
        default=None,
        description="Measure this held-out data after each update instead of the training loss.",
    )

    @model_validator(mode="after")
    def _range(self) -> SweepSection:
        if self.start_lr >= self.end_lr:
            raise rule("start_lr", *empty_range(self.start_lr, self.end_lr))
        return self

    @model_validator(mode="after")
    def _one_gradient_at_a_time(self) -> SweepSection:
        if not self.low_memory:
            return self
        remedy = "drop it, or low_memory"
        if self.compile.enabled:
            what = "does not go with low_memory, since compiled code gives all gradients at once"
            raise rule("compile", what, remedy)
        if self.accumulate > 1:
            what = f"= {self.accumulate} does not go with low_memory, which keeps no gradients"
            raise rule("accumulate", f"{what} to add to", remedy)
        if self.clip_grad_norm is not None:
            what = f"= {self.clip_grad_norm:g} does not go with low_memory, which has used the"
            raise rule("clip_grad_norm", f"{what} first gradients when it sees the last", remedy)
        if self.precision == "fp16":
            what = "= fp16 does not go with low_memory, which cannot take back what was updated"
            raise rule("precision", f"{what} when a gradient overflows", "write bf16 or fp32")
        return self


def empty_range(start_lr: float, end_lr: float) -> tuple[str, str]:
    """Say that a range holds nothing: what is wrong with `start_lr`, and the remedy."""
    return (
        f"= {start_lr:g} must be below sweep.end_lr = {end_lr:g}",
        "swap them, or drop one to use its default",
    )


class SuggestSection(Section):
    """How the LR is read off the curve; a bare string is the method."""

    model_config = SHORT_FORM

    method: str = Field(
        default="auto",
        description="A rule (`lrfind list methods`), or the import path of one: `rules.py:mine`, a "
        "file relative to the config's own folder.",
    )
    args: dict[str, Any] = Field(default_factory=dict, description="Options of the rule.")

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"method": value} if isinstance(value, str) else value
