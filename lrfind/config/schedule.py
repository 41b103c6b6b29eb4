"""The schedule that a raw config names, drawn once to find what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lrfind import schedulers
from lrfind.config.origin import Loc
from lrfind.registry import nearest
from lrfind.spec.run_length import run_length


def schedule_errors(tree: Mapping[str, Any]) -> Iterator[tuple[str, str, Loc]]:
    """Find a name that is not bundled and arguments that the schedule cannot be drawn with.

    Returns:
        What is wrong, the remedy and the key; wrong types are left to the models.
    """
    section = tree.get("schedule")
    name = section.get("name") if isinstance(section, dict) else section
    if not isinstance(name, str):
        return
    if name not in schedulers.CATALOG:
        hint = nearest(name, schedulers.CATALOG)
        yield f"schedule.name = {name!r} is not bundled", hint, ("schedule", "name")
        return
    rest = section if isinstance(section, dict) else {}
    args, warmup = rest.get("args", {}), rest.get("warmup", 0)
    steps = rest.get("steps", run_length(name, warmup, args))
    if not isinstance(args, dict) or not args or not _is_run(warmup, steps):
        return
    from lrfind.schedulers import ArgumentError
    from lrfind.schedulers.planned import plan

    try:
        start = args.get("start_lr")
        # No LR is known yet; any will do that a sweep's own start does not lie above.
        lr = max(1.0, 10.0 * start) if isinstance(start, int | float) else 1.0
        plan(name, lr, steps, warmup, args)
    except ArgumentError as error:
        for problem in error.problems:
            shown = next((key for key in args if key in problem.what), None)
            loc = ("schedule", "args") if shown is None else ("schedule", "args", shown)
            yield f"schedule.args: {problem.what}", problem.remedy, loc


def _is_run(warmup: Any, steps: Any) -> bool:
    if type(warmup) is not int or type(steps) is not int:
        return False
    # A longer run has the same shape, and drawing it would take what a config must not cost.
    return 0 <= warmup < steps <= 1_000_000
