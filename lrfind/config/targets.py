"""What a config names, imported, and the arguments it will be called with, checked against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from lrfind.config.arguments import Called, bundled_calls, misfits, refused_values
from lrfind.config.config import Config
from lrfind.config.origin import in_file_order
from lrfind.errors import ConfigError, InputError, Problem, UserCodeError
from lrfind.registry import load_target
from lrfind.spec import Spec, TargetSection
from lrfind.suggest.panel import find_rule


def check_targets(config: Config) -> dict[str, Any]:
    """Import every target that a config names and check the arguments it will be called with.

    Returns:
        Dotted section (`model`, `sweep.validation`) to the object its `target` names.

    Raises:
        ConfigError: with every missing module or attribute and every argument that does not fit.
        UserCodeError: a module raised while it was imported, and nothing else was wrong.
    """
    found: dict[str, Any] = {}
    errors: list[InputError] = []
    for key, section in target_sections(config.spec):
        where = config.where(f"{key}.target")
        try:
            found[key] = load_target(section.target, config.folder, where, f"{key}.target")
        except InputError as error:
            errors.append(error)
    called = [
        Called(key, section.target, section.args, found[key])
        for key, section in target_sections(config.spec)
        if key in found
    ]
    called += bundled_calls(config.spec)
    for call in called:
        errors += map(InputError, misfits(call, config))
    if not errors:
        optimizers = (call for call in called if call.key == "optimizer")
        errors += [InputError(p) for call in optimizers for p in refused_values(call, config)]
    errors += _rule_errors(config)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        problems = [problem for error in errors for problem in error.problems]
        raise ConfigError(*in_file_order(problems, str(config.path)))
    return found


def target_sections(spec: Spec) -> Iterator[tuple[str, TargetSection]]:
    """Walk the sections of a spec that hold an import path, with their dotted keys."""

    def walk(model: BaseModel, key: str) -> Iterator[tuple[str, Any]]:
        if getattr(model, "target", None) is not None:
            yield key, model
        for name in type(model).model_fields:
            value = getattr(model, name)
            if isinstance(value, BaseModel):
                yield from walk(value, f"{key}.{name}".lstrip("."))

    yield from walk(spec, "")


def _rule_errors(config: Config) -> list[InputError]:
    """Look the rule up before the sweep, rather than after it."""
    section = config.spec.suggest
    try:
        find_rule(section.method, dict(section.args), config.rule_folder)
    except InputError as error:
        places = ("suggest.args" if section.args else "suggest.method", "suggest.method")
        where = config.where(places[":" in section.method])
        problems = [Problem(where, f"suggest: {p.what}", p.remedy) for p in error.problems]
        if isinstance(error, UserCodeError):
            placed = UserCodeError(problems[0])
            placed.__cause__ = error.__cause__
            return [placed]
        return [ConfigError(*problems)]
    return []
