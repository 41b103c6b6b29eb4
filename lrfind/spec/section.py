"""What every section of the config has in common."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer
from pydantic_core import PydanticCustomError

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A part of the config: frozen, strict about types, closed to unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, ser_json_inf_nan="constants"
    )

    @model_serializer(mode="wrap", when_used="json")
    def _finite(self, handler: SerializerFunctionWrapHandler) -> Any:
        """Write infinite and NaN numbers as texts, since strict JSON has no such numbers."""
        return _without_nonfinite(handler(self))


AnySection = TypeVar("AnySection", bound=Section)


def _without_nonfinite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nonfinite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nonfinite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def or_text(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema that a section may be written as a bare string."""
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "description": "The short form."}, whole]


def or_switch(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema that a section may be written as true or false."""
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "boolean", "description": "The short form."}, whole]


SHORT_FORM = ConfigDict(json_schema_extra=or_text)
"""Config of the sections that have a short form; pydantic joins it with `Section`'s own."""


def exactly_one(section: AnySection, first: str, second: str) -> AnySection:
    """Require one of two keys.

    Raises:
        PydanticCustomError: both or neither is given.
    """
    given = [name for name in (first, second) if getattr(section, name) is not None]
    if len(given) != 1:
        has = "both are given" if given else "neither is given"
        raise rule(first, f"or {second} must be given, exactly one of them ({has})", "keep one")
    return section


def rule(field: str, what: str, remedy: str) -> PydanticCustomError:
    """Make a validation error that `lrfind.config` can place at a key of the section."""
    return PydanticCustomError(
        "lrfind_rule", "{field} {what}", {"field": field, "what": what, "remedy": remedy}
    )
