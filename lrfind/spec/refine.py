"""The section of the trial trainings."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, model_validator

from lrfind.spec.section import Section, or_switch


class RefineSection(Section):
    """Trial trainings around the sweep's answer; `true` is short for the defaults."""

    model_config = ConfigDict(json_schema_extra=or_switch)

    enabled: bool = Field(
        default=True, description="Train trials; a config without this section trains none."
    )
    budget: int = Field(
        default=600,
        ge=1,
        description="Most optimizer updates of sweep and trials together, evaluations of the "
        "trials included at a third of an update a forward pass. The trials get what the sweep "
        "leaves.",
    )
    trial_steps: int | None = Field(
        default=None,
        ge=1,
        description="Updates of each trial; left out: what the budget allows for four of them, "
        "between 75 and 100.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_switch(cls, value: Any) -> Any:
        return {"enabled": value} if isinstance(value, bool) else value
