"""The section of torch.compile."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from lrfind.spec.section import Section, or_switch


class CompileSection(Section):
    """The model compiled by torch.compile; `true` is short for the defaults."""

    model_config = ConfigDict(json_schema_extra=or_switch)

    enabled: bool = Field(
        default=True, description="Compile; a config without this section does not."
    )
    mode: Literal["default", "max-autotune-no-cudagraphs"] = Field(
        default="default",
        description="Mode of torch.compile, those without CUDA graphs. The second one tries "
        "kernels out, for long.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_switch(cls, value: Any) -> Any:
        return {"enabled": value} if isinstance(value, bool) else value
