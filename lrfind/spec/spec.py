"""The whole config as one frozen value."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import Field, model_validator

from lrfind.spec.distributed import DistributedSection
from lrfind.spec.frameworks import (
    BROUGHT,
    FRAMEWORKS,
    HuggingFaceSection,
    LightningSection,
    source_errors,
)
from lrfind.spec.refine import RefineSection
from lrfind.spec.section import SHORT_FORM, Section, rule
from lrfind.spec.sources import DataSection, ModelSection, StepSection
from lrfind.spec.sweep import SuggestSection, SweepSection
from lrfind.spec.training import LossSection, OptimizerSection, ScheduleSection


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
    model: ModelSection | None = Field(
        default=None,
        description="What is trained; a function's required parameter `data` gets what `data` "
        "gave.",
        examples=["{target: train.py:model}"],
    )
    data: DataSection | None = Field(
        default=None,
        description="The training data.",
        examples=["{target: train.py:data}"],
    )
    lightning: LightningSection | None = Field(
        default=None,
        description="A Lightning module and its data, in place of model, data, loss, step and "
        "optimizer.",
    )
    huggingface: HuggingFaceSection | None = Field(
        default=None, description="A Hugging Face Trainer, in place of the same."
    )
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
        default=None,
        description="What the LR is for: `lr` answers for it, and trials train under it. Left out:"
        " a constant LR, with `peak_lr` beside it.",
    )
    refine: RefineSection = Field(
        default_factory=lambda: RefineSection(enabled=False),
        description="Trial trainings around the sweep's answer; left out: none.",
    )
    distributed: DistributedSection = Field(
        default_factory=DistributedSection,
        description="What the processes of a launcher (torchrun) do together.",
    )
    output: OutputSection = Field(default_factory=OutputSection, description="Where the files go.")

    @model_validator(mode="after")
    def _one_source(self) -> Spec:
        for error in source_errors({name: getattr(self, name) for name in self.model_fields_set}):
            raise rule(*error)
        return self

    @model_validator(mode="after")
    def _one_loss(self) -> Spec:
        if self.loss is not None and self.step is not None:
            raise rule(
                "loss",
                "and step are both given, but a step computes the loss itself",
                "drop one of them",
            )
        return self

    @property
    def framework(self) -> str | None:
        """Name the section of a framework that says what is trained; None where model does."""
        return next((name for name in FRAMEWORKS if getattr(self, name) is not None), None)

    def plain(self) -> dict[str, Any]:
        """Lay the config out as JSON values, without the sections that have no part in it."""
        idle = {name for name in FRAMEWORKS if name != self.framework}
        return self.model_dump(
            mode="json", exclude=idle if self.framework is None else idle | {*BROUGHT}
        )

    def digest(self) -> str:
        """Hash what decides the result: all but `output` and `distributed`, in any order of keys.

        SHA-256 in hexadecimal over sorted, compact JSON.
        """
        data = {
            key: value
            for key, value in self.plain().items()
            if key not in ("distributed", "output")
        }
        canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
