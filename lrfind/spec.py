"""The config as frozen models: every key with its unit, bounds and default.

`docs/config.md` is checked against these models, and `lrfind schema` prints them as JSON Schema.
Knows no file and no torch: `lrfind.config` reads files into a `Spec`, `lrfind.workload` builds
what a `Spec` describes.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lrfind.section import SHORT_FORM, Section, exactly_one, or_text, rule

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]

DEFAULT_BATCH_SIZE = 32
"""Samples a batch where `data.target` gives a dataset and `data.batch_size` is left out."""


class TargetSection(Section):
    """The user's own object; a bare string is short for `{target: …}`."""

    model_config = SHORT_FORM

    target: str = Field(
        description="Import path of the object: `package.module:attr` or `file.py:attr`, a file "
        "relative to the config's own folder. A class or function is called with `args`; any "
        "other object is used as it is.",
        examples=["train.py:build_model"],
    )
    args: dict[str, Any] = Field(
        default_factory=dict, description="Keyword arguments for the target."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"target": value} if isinstance(value, str) else value


class ModelSection(TargetSection):
    """What is trained: a `torch.nn.Module`, or what returns one."""


class StepSection(TargetSection):
    """The user's own training step: `step(model, batch) -> loss`."""


class LoaderSection(TargetSection):
    """Where batches come from, and how a bare dataset is batched."""

    batch_size: int | None = Field(
        default=None,
        ge=1,
        description="Samples a batch, for a dataset (32 where left out). A DataLoader or an "
        "iterable of batches brings its own.",
    )
    num_workers: int = Field(
        default=0, ge=0, description="Loader processes, for a dataset; 0 loads in the main one."
    )


class DataSection(LoaderSection):
    """The training data: a Dataset, IterableDataset, DataLoader or iterable of batches."""

    shuffle: bool | None = Field(
        default=None,
        description="Shuffle a dataset anew each pass. Left out: true, and false for an "
        "IterableDataset, which orders itself.",
    )
    drop_last: bool = Field(
        default=False, description="Leave out the last, smaller batch of a pass, for a dataset."
    )


class ValidationSection(LoaderSection):
    """Held-out data: with this section the curve holds its mean loss after each update."""

    batches: int = Field(
        default=4, ge=1, description="Batches of it measured after every update, always the same."
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
    seeds: int = Field(
        default=1,
        ge=1,
        description="Sweeps with seeds seed, seed+1, …; each builds the model anew.",
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
    validation: ValidationSection | None = Field(
        default=None,
        description="Measure this held-out data after each update instead of the training loss.",
    )

    @model_validator(mode="after")
    def _range(self) -> SweepSection:
        if self.start_lr >= self.end_lr:
            raise rule(
                "start_lr",
                f"= {self.start_lr:g} must be below sweep.end_lr = {self.end_lr:g}",
                "swap them, or drop one to use its default",
            )
        return self


class SuggestSection(Section):
    """How the LR is read off the curve; a bare string is the method."""

    model_config = SHORT_FORM

    method: str = Field(
        default="auto",
        description="A rule (`lrfind list methods`), or the import path of one: `rules.py:mine`, a "
        "file relative to where the command runs.",
    )
    args: dict[str, Any] = Field(default_factory=dict, description="Options of the rule.")

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"method": value} if isinstance(value, str) else value


class ScheduleSection(Section):
    """The schedule of the training that the LR is for; a bare string is the name."""

    model_config = SHORT_FORM

    name: str = Field(description="A bundled schedule (`lrfind list schedulers`).")
    args: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments for it.")
    warmup: int = Field(default=0, ge=0, description="Steps of linear warmup at the beginning.")
    steps: int = Field(default=1000, ge=1, description="Optimizer updates of the training run.")

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _leaves_steps(self) -> ScheduleSection:
        if self.warmup >= self.steps:
            raise rule(
                "warmup",
                f"= {self.warmup} must be below schedule.steps = {self.steps}",
                "leave steps for the schedule itself",
            )
        return self


class OutputSection(Section):
    """Where the files go; a bare string is the folder."""

    model_config = SHORT_FORM

    dir: str | None = Field(
        default=None,
        description="Folder of curve.csv, curve.png and report.json, relative to where the command "
        "runs; `runs/<config stem>` where left out.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"dir": value} if isinstance(value, str) else value


class Spec(Section):
    """One range test, complete."""

    seed: int = Field(
        default=0, ge=0, lt=2**32, description="Seed of the initial weights and the data order."
    )
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda|cuda:\d+|mps)$",
        description="`auto | cpu | cuda | cuda:N | mps`; auto takes a GPU where there is one.",
    )
    model: ModelSection = Field(description="What is trained.")
    data: DataSection = Field(description="The training data.")
    loss: LossSection | None = Field(
        default=None, description="The loss; left out when the model returns its own."
    )
    step: StepSection | None = Field(
        default=None,
        description="Replaces model call and loss: `step(model, batch) -> loss`, a scalar tensor "
        "or something with `loss`. A third required parameter gets the batch's index.",
    )
    optimizer: OptimizerSection = Field(
        default_factory=lambda: OptimizerSection(name="adamw"),
        description="The optimizer to sweep.",
    )
    sweep: SweepSection = Field(default_factory=SweepSection, description="The range test.")
    suggest: SuggestSection = Field(
        default_factory=SuggestSection, description="How the LR is read off the curve."
    )
    schedule: ScheduleSection | None = Field(
        default=None, description="What the LR is for; drawn by `lrfind schedule --config`."
    )
    output: OutputSection = Field(default_factory=OutputSection, description="Where the files go.")

    @model_validator(mode="after")
    def _one_loss(self) -> Spec:
        if self.loss is not None and self.step is not None:
            raise rule(
                "loss",
                "and step are both given, but a step computes the loss itself",
                "drop one of them",
            )
        return self

    def digest(self) -> str:
        """Hash what decides the result: all but `output`, independent of key order and defaults.

        SHA-256 in hexadecimal over sorted, compact JSON.
        """
        data = self.model_dump(mode="json", exclude={"output"})
        canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
