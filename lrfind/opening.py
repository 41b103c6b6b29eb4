"""A config to a workload: import what it names and join it, whatever sections name it.

A workload runs a recipe; which one, the config's sections decide.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from lrfind.blame import placed
from lrfind.config import Config, check_targets, in_file_order
from lrfind.data import Place, table
from lrfind.errors import ConfigError, InputError, Problem
from lrfind.spec import LoaderSection, LossSection, Spec
from lrfind.workload.device import choose_device
from lrfind.workload.parts import (
    bound_loss,
    functional_loss,
    objective_of,
    optimizer_of,
    with_args,
)
from lrfind.workload.plain import PlainRecipe, is_factory
from lrfind.workload.recipe import Recipe
from lrfind.workload.workload import Workload

if TYPE_CHECKING:
    from lrfind.distributed.group import Group
    from lrfind.workload.parallel import Parallel


def open_workload(config: Config, group: Group | None = None) -> Workload:
    """Import what a config names and join it into a workload; trains nothing.

    Args:
        config: what names it.
        group: the processes that train it together, joined; None: this one does alone.

    Raises:
        ConfigError: with every target and argument that does not fit.
    """
    spec = config.spec
    name = spec.loss.name if spec.loss is not None else None
    device, found, *_ = _all_at_once(
        config,
        lambda: choose_device(spec.device, None if group is None else group.world),
        lambda: check_targets(config),
        lambda: None if name is None else functional_loss(name),
        lambda: _require_fit(spec, is_alone=group is None),
    )
    validation = spec.sweep.validation
    return Workload(
        _recipe(config, found, device),
        sweep=spec.sweep,
        device=device,
        validation=None
        if validation is None
        else (_data_of("sweep.validation", validation, found, config), validation),
        parallel=_parallel(spec, found, device, group),
    )


def _recipe(config: Config, found: Mapping[str, Any], device: torch.device) -> Recipe:
    """Join imported targets into what makes the parts of a seed."""
    spec = config.spec
    if spec.lightning is not None:
        from lrfind.frameworks.lightning import LightningRecipe

        section = spec.lightning
        data = section.datamodule
        return LightningRecipe(
            _factory(found["lightning.module"], section.module.args),
            None if data is None else _factory(found["lightning.datamodule"], data.args),
            section.optimizer_index,
            spec.sweep,
        )
    if spec.huggingface is not None:
        from lrfind.frameworks.huggingface import HuggingFaceRecipe

        build = _factory(found["huggingface.trainer"], spec.huggingface.trainer.args)
        return HuggingFaceRecipe(build, is_free=spec.device == "auto")
    assert spec.model is not None
    assert spec.data is not None
    step = found.get("step")
    if step is not None and spec.step is not None:
        step = with_args(step, spec.step.args)
    return PlainRecipe(
        model=_factory(found["model"], spec.model.args),
        data=_data_of("data", spec.data, found, config),
        objective=objective_of(_loss_of(spec.loss, found, device), step),
        optimizer=optimizer_of(
            spec.optimizer.name or found["optimizer"],
            spec.optimizer.args,
            spec.optimizer.param_groups,
        ),
        sweep=spec.sweep,
        loader=spec.data,
    )


def _require_fit(spec: Spec, *, is_alone: bool) -> None:
    if spec.framework is not None:
        from lrfind.frameworks.fit import require_fit

        require_fit(spec, is_alone=is_alone)


def _parallel(
    spec: Spec, found: Mapping[str, Any], device: torch.device, group: Group | None
) -> Parallel | None:
    if group is None or spec.distributed.strategy == "replicas":
        return None
    from lrfind.workload.parallel import Parallel, require_fit

    require_fit(spec, found["model"])
    return Parallel(group, spec.distributed, device, spec.sweep.precision)


def _all_at_once(config: Config, *finders: Callable[[], Any]) -> list[Any]:
    """Run every finder, so that what is wrong for one does not hide what is wrong for another."""
    found: list[Any] = []
    errors: list[InputError] = []
    for find in finders:
        try:
            found.append(find())
        except InputError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        problems = [placed(problem, config) for error in errors for problem in error.problems]
        raise ConfigError(*in_file_order(problems, str(config.path)))
    return found


def _loss_of(
    section: LossSection | None, found: Mapping[str, Any], device: torch.device
) -> Callable[..., Any] | None:
    if section is None:
        return None
    if section.name is not None:
        return with_args(functional_loss(section.name), section.args)
    loss = bound_loss(found["loss"], section.args)
    # Class weights and the like must be where the outputs will be.
    return loss.to(device) if isinstance(loss, nn.Module) else loss


def _data_of(key: str, section: LoaderSection, found: Mapping[str, Any], config: Config) -> Any:
    """Bind data to their arguments; a table's path starts from the config's folder, as targets.

    Of a target that gives several, the one that the config asks for.
    """
    args, target = section.args, found[key]
    if target is table:
        args = {"place": Place(config.folder, key), **args}
    whole = _factory(target, args)
    return whole if section.item is None else functools.partial(_picked, whole, section, key)


def _picked(whole: Any, section: LoaderSection, key: str) -> Any:
    """Open data and take one of them.

    Raises:
        InputError: there is no such item, or there are not several.
    """
    found = whole() if is_factory(whole) else whole
    if not isinstance(found, tuple | list | Mapping):
        what = f"= {section.item!r}, but {section.target} gives one {type(found).__name__}"
        raise InputError(Problem(f"{key}.item", what, "leave item out"))
    names = list(found) if isinstance(found, Mapping) else list(range(len(found)))
    if section.item not in names:
        shown = ", ".join(repr(name) for name in names[:8]) or "nothing"
        what = f"= {section.item!r}, but {section.target} gives {shown}"
        raise InputError(Problem(f"{key}.item", what, "name one of them"))
    several: Any = found
    return several[section.item]


def _factory(target: Any, args: Mapping[str, Any]) -> Any:
    """Bind what can be called to its arguments; leave a ready object alone."""
    return functools.partial(target, **args) if is_factory(target) else target
