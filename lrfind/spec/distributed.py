"""The section that says what several processes do together."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from lrfind.spec.section import SHORT_FORM, Section


class DistributedSection(Section):
    """What the processes of a launcher (torchrun) do together; a bare string is the strategy."""

    model_config = SHORT_FORM

    strategy: Literal["ddp", "none"] = Field(
        default="ddp",
        description="`ddp`: each trains on its share of every batch, with a whole copy of the "
        "model. `none`: the first one runs alone. Without a launcher it changes nothing.",
    )
    unused_parameters: bool = Field(
        default=False,
        description="Some parameters have no part in some losses (find_unused_parameters of DDP, "
        "which looks for them at every step).",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"strategy": value} if isinstance(value, str) else value
