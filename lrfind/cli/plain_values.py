"""Values that need no conversion, taken as they are.

Typer converts every value by pydantic, that of an option that was not given too. Importing pydantic
takes longer than `lrfind get` and `lrfind list` need for all they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import GenericAlias
from typing import Any


def take_plain_values(parameters: Iterable[Any]) -> None:
    """Let parameters pass on what is of their type already, and texts where paths are wanted.

    All else (numbers, choices, what is missing, whatever another Typer does otherwise) goes the
    way it always went. Typer's own checks of a path (`exists`, `resolve_path`) are passed over, so
    no parameter may ask for them.
    """
    for parameter in parameters:
        wanted = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        if wanted is not None:
            parameter.process_value = _processing(parameter, wanted)


def _processing(parameter: Any, wanted: Any) -> Callable[[Any, Any], Any]:
    convert = parameter.process_value

    def process_value(ctx: Any, value: Any) -> Any:
        if not _is_plain(value, wanted) or (parameter.required and not value):
            return convert(ctx, value)
        value = _taken(value, wanted)
        return value if parameter.callback is None else parameter.callback(ctx, parameter, value)

    return process_value


def _is_plain(value: Any, wanted: Any) -> bool:
    if value is None:
        return True
    if isinstance(wanted, GenericAlias):
        is_list = wanted.__origin__ is list and isinstance(value, list | tuple)
        return is_list and all(_is_plain(item, wanted.__args__[0]) for item in value)
    if wanted is Path:
        return isinstance(value, str | Path)
    return isinstance(wanted, type) and isinstance(value, wanted)


def _taken(value: Any, wanted: Any) -> Any:
    if isinstance(wanted, GenericAlias):
        return [_taken(item, wanted.__args__[0]) for item in value or ()]
    return Path(value) if wanted is Path and value is not None else value
