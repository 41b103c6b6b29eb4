"""Arguments against the signatures that will take them, before anything is called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lrfind import optim
from lrfind.config.config import Config
from lrfind.errors import Problem
from lrfind.registry import load_entry, nearest
from lrfind.spec import Spec

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

_PASSED = {"loss": 2, "step": 2, "optimizer": 1}
"""Arguments that a sweep passes itself: input and target, model and batch, parameters."""


@dataclass(frozen=True)
class Called:
    """Something a config names, and the arguments it is given there.

    Attributes:
        key: dotted section, `sweep.validation`.
        name: what the config calls it: an import path or a bundled name.
        args: keyword arguments.
        target: the object itself.
        preset: arguments that the name stands for.
    """

    key: str
    name: str
    args: Mapping[str, Any]
    target: Any
    preset: Mapping[str, Any] = field(default_factory=dict)


def callable_with_args(target: Any) -> bool:
    """Tell a factory (class, function, partial) from an object that is used as it is."""
    is_function = inspect.isclass(target) or inspect.isroutine(target)
    return is_function or isinstance(target, functools.partial)


def bundled_calls(spec: Spec) -> list[Called]:
    """Load what a spec names without an import path: a bundled optimizer, a loss of torch's."""
    calls = []
    optimizer, loss = spec.optimizer, spec.loss
    if optimizer.name in optim.CATALOG:
        entry = optim.CATALOG[optimizer.name]
        factory = load_entry(entry)
        calls.append(Called("optimizer", optimizer.name, optimizer.args, factory, entry.args))
    if loss is not None and loss.name is not None:
        from torch.nn import functional

        function = getattr(functional, loss.name, None)
        if callable(function):
            calls.append(Called("loss", loss.name, loss.args, function))
    return calls


def misfits(call: Called, config: Config) -> Iterator[Problem]:
    """Name the arguments that a target cannot take and those that it lacks."""
    key = call.key
    if not callable_with_args(call.target) and key != "loss":
        if call.args:
            kind = type(call.target).__name__
            what = f"{key}.args is given, but {call.name} is a ready {kind}, which is not called"
            yield Problem(config.where(f"{key}.args"), what, "drop args, or name a factory")
        return
    try:
        signature = inspect.signature(call.target)
    except (TypeError, ValueError):
        return
    parameters = list(signature.parameters.values())
    is_class = inspect.isclass(call.target)
    if key == "optimizer" or (key in _PASSED and not is_class):
        parameters = _without_passed(parameters, _PASSED[key])
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.POSITIONAL_ONLY)]
        for where, name in _given(call, config):
            if name not in names:
                what = f"{where} is no parameter of {call.name}"
                yield Problem(config.where(where), what, nearest(name, names))
    if key == "optimizer" or (key in _PASSED and not is_class):
        return
    missing = [
        p.name
        for p in parameters
        if p.default is p.empty
        and p.kind in (*_POSITIONAL, p.KEYWORD_ONLY)
        and p.name not in call.args
        and (key, p.name) != ("model", "data")  # the sweep gives it
    ]
    if missing:
        what = f"{call.name} needs {', '.join(missing)}, which {key}.args does not give"
        yield Problem(config.where(f"{key}.args"), what, "add it there")


def refused_values(call: Called, config: Config) -> Iterator[Problem]:
    """Construct an optimizer on one scrap parameter, for its constructor's own checks.

    Only bundled ones and torch's: those have no side effects.
    """
    import torch

    is_known = (
        inspect.isclass(call.target)
        and issubclass(call.target, torch.optim.Optimizer)
        and call.target.__module__.startswith(("lrfind.optim.", "torch.optim."))
    )
    if not is_known:
        return
    groups = config.spec.optimizer.param_groups
    sets = [("optimizer.args", call.args)]
    sets += [(f"optimizer.param_groups.{i}.args", group.args) for i, group in enumerate(groups)]
    for place, args in sets:
        refusal = _refusal(call, {**call.args, **args})
        if refusal is not None:
            name = next((name for name in args if _refusal(call, {name: args[name]})), None)
            key = place if name is None else f"{place}.{name}"
            shown = key if name is None else f"{key} = {args[name]}"
            text, _, remedy = refusal.partition("; ")
            what = f"{shown} does not fit {call.name}: {text}"
            yield Problem(config.where(key), what, remedy or "mend the value")
            return


def _refusal(call: Called, args: Mapping[str, Any]) -> str | None:
    import torch

    # Two dimensions, because Muon takes matrices alone.
    scrap = torch.nn.Parameter(torch.zeros(1, 1))
    try:
        call.target([scrap], **{"lr": 1e-3, **call.preset, **args})
    except (ValueError, TypeError, RuntimeError) as error:
        return str(error)
    return None


def _without_passed(parameters: list[inspect.Parameter], count: int) -> list[inspect.Parameter]:
    passed = [p for p in parameters if p.kind in _POSITIONAL][:count]
    return [p for p in parameters if p not in passed]


def _given(call: Called, config: Config) -> Iterator[tuple[str, str]]:
    """Walk the arguments with their dotted keys; those of an optimizer's groups count too.

    Only a class tells which options its groups may have; torch's ignore the others in silence.
    """
    for name in call.args:
        yield f"{call.key}.args.{name}", name
    if call.key == "optimizer" and inspect.isclass(call.target):
        for i, group in enumerate(config.spec.optimizer.param_groups):
            for name in group.args:
                if name != "lr":
                    yield f"optimizer.param_groups.{i}.args.{name}", name
