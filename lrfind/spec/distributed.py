"""The section that says what several processes do together."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from lrfind.spec.section import SHORT_FORM, Section, or_text


class DistributedSection(Section):
    """What the processes of a launcher (torchrun) do together; a bare string is the strategy."""

    model_config = SHORT_FORM

    strategy: Literal["ddp", "fsdp", "replicas", "none"] = Field(
        default="ddp",
        description="`ddp`: each trains on its share of every batch, with a whole copy of the "
        "model. `fsdp`: the same, with parameters, gradients and optimizer states spread over all "
        "(FSDP2). `replicas`: each does some of the work alone: seeds, trials, batch sizes, "
        "configs. `none`: the first one runs alone. Without a launcher it changes nothing.",
    )
    wrap: list[str] = Field(
        default_factory=list,
        description="Classes of the modules that fsdp gathers one at a time, such as the blocks of "
        "a transformer; a text for one.",
        examples=["TransformerEncoderLayer", ["Block", "Embedding"]],
        json_schema_extra=or_text,
    )
    wrap_above: int | None = Field(
        default=None,
        ge=1,
        description="Parameters from which on fsdp gathers a module on its own, those inside it "
        "that are gathered already not counted; left out: only those in wrap.",
    )
    unused_parameters: bool = Field(
        default=False,
        description="Some parameters have no part in some losses (find_unused_parameters of ddp, "
        "which looks for them at every step).",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("wrap"), str):
            return value | {"wrap": [value["wrap"]]}
        return {"strategy": value} if isinstance(value, str) else value
