"""pydantic's findings in the words of this project: key = value, the rule, the remedy."""

from __future__ import annotations

import types
import typing
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from lrfind.registry import nearest

_KINDS = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "string_type": "a text",
    "bool_type": "true or false",
    "dict_type": "a section (key: value lines)",
    "model_type": "a section (key: value lines)",
    "model_attributes_type": "a section (key: value lines)",
    "list_type": "a list",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def explain(details: ErrorDetails, root: type[BaseModel]) -> tuple[tuple[str | int, ...], str, str]:
    """Turn one finding into where (key path), what with the rule, and the remedy."""
    loc = details["loc"]
    section, leaf = _follow(loc, root)
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    key = ".".join(map(str, loc))
    shown = f"{key} = {_show(value)}"
    if kind == "lrfind_rule":
        loc = (*loc, context["field"])
        return loc, f"{'.'.join(map(str, loc))} {context['what']}", context["remedy"]
    if kind == "missing":
        return loc, f"{key} is missing", f"add it{_example(section, leaf)}"
    if kind == "extra_forbidden":
        place = f"section {'.'.join(map(str, loc[:-1]))!r}" if loc[:-1] else "the top level"
        hint = nearest(str(leaf), section.model_fields if section else ())
        return loc, f"{key} is not a known key of {place}", hint
    if kind == "literal_error":
        return loc, f"{shown} must be {context['expected']}", _default(section, leaf)
    if kind in _BOUNDS:
        word, bound = _BOUNDS[kind]
        limit = context[bound]
        limit = limit if isinstance(limit, int) else f"{limit:g}"
        return loc, f"{shown} must be {word} {limit}", _default(section, leaf)
    if kind == "string_pattern_mismatch":
        field = section.model_fields.get(str(leaf)) if section else None
        known = (field.description or "").split(";")[0] if field else context["pattern"]
        return loc, f"{shown} must be one of {known}", _default(section, leaf)
    if kind in _KINDS:
        return loc, f"{shown} must be {_KINDS[kind]}", _default(section, leaf)
    return loc, f"{shown}: {details['msg'][:1].lower()}{details['msg'][1:]}", "mend the value"


def _follow(
    loc: tuple[str | int, ...], root: type[BaseModel]
) -> tuple[type[BaseModel] | None, str | int]:
    """Walk a key path down the models to the section that owns its last key."""
    section: type[BaseModel] | None = root
    owner, leaf = section, loc[-1] if loc else ""
    for part in loc:
        if section is None or isinstance(part, int):
            continue
        owner, leaf = section, part
        field = section.model_fields.get(part)
        section = _section_of(field.annotation) if field else None
    return owner, leaf


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (list, typing.Union, types.UnionType):
        found = (_section_of(part) for part in typing.get_args(annotation))
        return next((section for section in found if section is not None), None)
    return None


def _show(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a section" if isinstance(value, dict) else "a list"
    if value is None:
        return "null"
    text = repr(value) if isinstance(value, str) else str(value).lower()
    return text if len(text) <= 60 else text[:57] + "…"


def _default(section: type[BaseModel] | None, leaf: str | int) -> str:
    field = section.model_fields.get(str(leaf)) if section else None
    if field is None or field.is_required() or (field.default is None and field.examples):
        return f"mend the value{_example(section, leaf)}"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or isinstance(default, BaseModel | dict | list):
        return "mend the value, or drop the key to leave it out"
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    return f"mend the value, or drop the key for the default, {shown}"


def _example(section: type[BaseModel] | None, leaf: str | int) -> str:
    field = section.model_fields.get(str(leaf)) if section else None
    if field is None:
        return ""
    if field.examples:
        return f", for instance {leaf}: {field.examples[0]}"
    if _section_of(field.annotation) is not None:
        return f", for instance {leaf}: {{target: train.py:{leaf}}}"
    return ""
