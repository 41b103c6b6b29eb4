"""Names and files in a raw config, checked beside its types and without importing anything."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lrfind import optim, suggest
from lrfind.config.attributes import missing_attribute
from lrfind.config.origin import Loc, nearest_origin
from lrfind.config.schedule import schedule_errors
from lrfind.errors import InputError, Problem
from lrfind.registry import file_of, lacks, nearest, parse_target
from lrfind.spec import SweepSection, empty_range, source_errors


def check_names(
    tree: Mapping[str, Any], origin: Mapping[Loc, str], path: Path
) -> Iterator[Problem]:
    """Find bundled names, import paths and files that do not exist.

    Works on the raw tree, so that these are told beside wrong types, all at once.
    """

    def blame(what: str, remedy: str, *loc: str | int) -> Problem:
        return Problem(nearest_origin(origin, loc, str(path)), what, remedy)

    for key, what, remedy in source_errors(tree):
        yield blame(f"{key} {what}", remedy, key)
    optimizer = tree.get("optimizer")
    name = optimizer.get("name") if isinstance(optimizer, dict) else optimizer
    if isinstance(name, str) and ":" not in name and name not in optim.CATALOG:
        others = "Others go by import path, as torch.optim:RAdam"
        hint = nearest(name, optim.CATALOG, others)
        yield blame(f"optimizer.name = {name!r} is not bundled", hint, "optimizer", "name")
    rule = tree.get("suggest")
    method = rule.get("method") if isinstance(rule, dict) else rule
    if isinstance(method, str) and ":" not in method and method not in suggest.CATALOG:
        hint = nearest(method, suggest.CATALOG)
        yield blame(f"suggest.method = {method!r} is no rule", hint, "suggest", "method")
    if isinstance(optimizer, dict):
        for what, remedy, loc in _wrong_ratios(optimizer):
            yield blame(what, remedy, "optimizer", *loc)
    sweep = tree.get("sweep")
    if isinstance(sweep, dict):
        default = {name: SweepSection.model_fields[name].default for name in ("start_lr", "end_lr")}
        start, end = (sweep.get(name, value) for name, value in default.items())
        if _is_positive(start) and _is_positive(end) and start >= end:
            what, remedy = empty_range(start, end)
            yield blame(f"sweep.start_lr {what}", remedy, "sweep", "start_lr")
    for what, remedy, loc in schedule_errors(tree):
        yield blame(what, remedy, *loc)
    folder = path.resolve().parent
    for loc, text in _targets(tree):
        key = ".".join(loc)
        try:
            target = parse_target(text)
        except InputError as error:
            yield blame(
                f"{key} = {text!r} {error.problems[0].what}", error.problems[0].remedy, *loc
            )
            continue
        if target.is_file and file_of(target, folder) is None:
            remedy = f"paths start from the config's own folder, {folder}"
            yield blame(f"{key} = {text!r}: there is no file {target.module}", remedy, *loc)


def check_attributes(
    tree: Mapping[str, Any], origin: Mapping[Loc, str], path: Path
) -> Iterator[Problem]:
    """Find attributes that the files named by a config certainly lack.

    For a config that is wrong elsewhere too and is never imported; a sound one learns the same,
    and more, when its targets are.
    """
    for loc, text in _targets(tree):
        with contextlib.suppress(InputError):
            target = parse_target(text)
            file = file_of(target, path.resolve().parent) if target.is_file else None
            missing = None if file is None else missing_attribute(target, file)
            if missing is not None:
                key = ".".join(loc).removesuffix(".target")
                what = f"{key}.target = {text!r}: {target.module} has no attribute {missing[0]!r}"
                yield Problem(nearest_origin(origin, loc, str(path)), what, lacks(*missing))


def _wrong_ratios(optimizer: Mapping[str, Any]) -> Iterator[tuple[str, str, Loc]]:
    """Find LRs of groups that are no ratio to the optimizer's own."""
    groups, args = optimizer.get("param_groups"), optimizer.get("args")
    base = args.get("lr") if isinstance(args, dict) else None
    for i, group in enumerate(groups if isinstance(groups, list) else []):
        own = group.get("args") if isinstance(group, dict) else None
        if not isinstance(own, dict) or "lr" not in own:
            continue
        shown = f"optimizer.param_groups.{i}.args.lr = {own['lr']}"
        remedy = "write lr_scale for the group, or give both as numbers above 0"
        if base is None:
            what = f"{shown} has nothing to be a ratio of, since optimizer.args has no lr"
            yield what, remedy, ("param_groups", i, "args", "lr")
        elif not _is_positive(own["lr"]) or not _is_positive(base):
            what = f"{shown} must form a ratio with optimizer.args.lr = {base}, both above 0"
            yield what, remedy, ("param_groups", i, "args", "lr")


def _is_positive(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value < float("inf")


_TARGETED = (
    ("model",),
    ("data",),
    ("step",),
    ("loss",),
    ("optimizer",),
    ("lightning", "module"),
    ("lightning", "datamodule"),
    ("huggingface", "trainer"),
    ("sweep", "validation"),
)
"""Sections that may name the user's own object."""


def _targets(tree: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find every import path, written short or long, with the key that holds it."""
    for loc in _TARGETED:
        section: Any = tree
        for key in loc:
            section = section.get(key) if isinstance(section, dict) else None
        if isinstance(section, dict) and isinstance(section.get("target"), str):
            yield (*loc, "target"), section["target"]
        elif isinstance(section, str) and (":" in section or loc[0] not in ("loss", "optimizer")):
            yield loc, section
    rule = tree.get("suggest")
    method = rule.get("method") if isinstance(rule, dict) else rule
    if isinstance(method, str) and ":" in method:
        yield (("suggest", "method") if isinstance(rule, dict) else ("suggest",)), method
