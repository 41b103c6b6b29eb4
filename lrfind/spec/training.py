"""The sections that say how it is trained: loss, optimizer, and the schedule the LR is for."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from lrfind.spec.run_length import USUAL_STEPS, run_length
from lrfind.spec.section import (
    SHORT_FORM,
    PositiveFloat,
    Section,
    exactly_one,
    or_text,
    rule,
)


class LossSection(Section):
    """The loss: a `torch.nn.functional` name or the user's own; a bare string is the name."""

    model_config = SHORT_FORM

    name: str | None = Field(
        default=None,
        description="A function of torch.nn.functional, called as `loss(model(*inputs), target)`.",
        examples=["cross_entropy", "mse_loss"],
    )
    target: str | None = Field(
        default=None, description="Import path of a loss: a class, a module instance or a function."
    )
    args: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments for it.")

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"target": value} if ":" in value else {"name": value}
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> LossSection:
        return exactly_one(self, "name", "target")


class GroupSection(Section):
    """A parameter group: the parameters whose names match get arguments of their own."""

    params: list[str] = Field(
        description="Pattern, or patterns, on parameter names (`*` and `?` as in a shell); the "
        "first group that matches takes the parameter.",
        examples=["*.bias", ["backbone.*", "embed.*"]],
        json_schema_extra=or_text,
    )
    lr_scale: PositiveFloat = Field(
        default=1.0, description="This group's LR as a multiple of the swept LR."
    )
    args: dict[str, Any] = Field(
        default_factory=dict,
        description="Optimizer arguments of this group, for instance weight_decay. An `lr` here "
        "counts only by its ratio to optimizer.args.lr.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_one_pattern(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("params"), str):
            return value | {"params": [value["params"]]}
        return value


class OptimizerSection(Section):
    """The optimizer; a bare string is a bundled name or an import path."""

    model_config = SHORT_FORM

    name: str | None = Field(
        default=None, description="A bundled optimizer (`lrfind list optimizers`)."
    )
    target: str | None = Field(
        default=None,
        description="Import path of a torch.optim.Optimizer class, or of a function that takes "
        "the parameters and returns one.",
        examples=["torch.optim:RAdam"],
    )
    args: dict[str, Any] = Field(
        default_factory=dict, description="Keyword arguments for it; the sweep sets `lr`."
    )
    param_groups: list[GroupSection] = Field(
        default_factory=list,
        description="Groups with arguments of their own; a sweep keeps the ratios of their LRs.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"target": value} if ":" in value else {"name": value}
        if isinstance(value, dict) and not {"name", "target"} & value.keys():
            return {"name": "adamw"} | value
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> OptimizerSection:
        return exactly_one(self, "name", "target")


class ScheduleSection(Section):
    """The schedule of the training that the LR is for; a bare string is the name."""

    model_config = SHORT_FORM

    name: str = Field(description="A bundled schedule (`lrfind list schedulers`).")
    args: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments for it.")
    warmup: int = Field(default=0, ge=0, description="Steps of linear warmup at the beginning.")
    steps: int = Field(
        default=USUAL_STEPS,
        ge=1,
        description="Optimizer updates of the training run, warmup included; left out: as many as "
        "args ask for (T_max, total_steps, milestones, ...), 1000 where they do not.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and value.get("args") and "steps" not in value:
            steps = run_length(value.get("name"), value.get("warmup", 0), value["args"])
            return value | {"steps": steps}
        return value

    @model_validator(mode="after")
    def _leaves_steps(self) -> ScheduleSection:
        if self.warmup >= self.steps:
            raise rule(
                "warmup",
                f"= {self.warmup} must be below schedule.steps = {self.steps}",
                "leave steps for the schedule itself",
            )
        return self
