"""A YAML 1.2 file and `--set` overrides to a `Spec`, or every problem at once with its line.

YAML 1.2 because a learning rate is written `1e-7`, which YAML 1.1 readers take for a string.
Reading a config never runs code; only `check_targets` imports what it names.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarfloat import ScalarFloat

from lrfind import optim, suggest
from lrfind.config_messages import explain
from lrfind.errors import ConfigError, InputError, Problem
from lrfind.registry import load_target, nearest, parse_target
from lrfind.spec import Spec, TargetSection

Loc = tuple[str | int, ...]

MAX_BYTES = 1_000_000
"""Size above which a file is not read as a config."""

MAX_VALUES = 20_000
"""Values above which a config is refused: nested aliases can unfold to billions."""


@dataclass(frozen=True)
class Config:
    """A valid config: the spec, and where each key of it was written.

    Attributes:
        path: the file as the user named it.
        spec: the validated content.
        origin: key path to where it was written, `config.yaml:12` or `--set sweep.steps=5`.
    """

    path: Path
    spec: Spec
    origin: Mapping[Loc, str] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Where relative targets start from: the config's own folder."""
        return self.path.resolve().parent

    def where(self, key: str = "") -> str:
        """Say where a dotted key was written: `config.yaml:12`; nearest parent if it was not."""
        return _nearest_origin(self.origin, tuple(key.split(".")), str(self.path))


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read a config file and apply overrides; imports nothing that it names.

    Args:
        path: YAML 1.2 file (JSON is a subset of it).
        overrides: `dotted.key=value` texts, the value in YAML, applied in order.

    Raises:
        ConfigError: with every problem of the file and the overrides, in file order.
    """
    tree, origin = _read(path)
    problems: list[Problem] = []
    for override in overrides:
        problems += _override(tree, origin, override)
    try:
        spec = Spec.model_validate(tree)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            loc, what, remedy = explain(details, Spec)
            problems.append(Problem(_nearest_origin(origin, loc, str(path)), what, remedy))
        raise ConfigError(*_in_file_order(problems + _check_raw(tree, origin, path))) from None
    config = Config(path, spec, origin)
    problems += _check_raw(tree, origin, path)
    if problems:
        raise ConfigError(*_in_file_order(problems))
    return config


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
            continue
        if callable_with_args(found[key]):
            errors += [
                InputError(Problem(config.where(f"{key}.args.{name}"), what, remedy))
                for name, what, remedy in _misfits(key, section, found[key])
            ]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigError(*(problem for error in errors for problem in error.problems))
    return found


def callable_with_args(target: Any) -> bool:
    """Tell a factory (class, function) from an object that is used as it is."""
    return inspect.isclass(target) or inspect.isroutine(target)


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


def _misfits(key: str, section: TargetSection, target: Any) -> Iterator[tuple[str, str, str]]:
    """Name the arguments a factory cannot take, without calling it."""
    if key in ("loss", "step", "optimizer") and not inspect.isclass(target):
        return  # called later, with arguments that are not all in the config
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return
    parameters = signature.parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for name in section.args:
            if name not in parameters:
                yield (
                    name,
                    f"{key}.args.{name} is no parameter of {section.target}",
                    nearest(name, parameters),
                )
    if key in ("loss", "step", "optimizer"):
        return
    missing = [
        name
        for name, p in parameters.items()
        if p.default is p.empty
        and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        and name not in section.args
    ]
    if missing:
        names = ", ".join(missing)
        yield "", f"{section.target} needs {names}, which {key}.args does not give", "add it there"


def _read(path: Path) -> tuple[dict[str, Any], dict[Loc, str]]:
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise ConfigError(
                Problem(
                    str(path),
                    f"has {len(data)} bytes; a config has at most {MAX_BYTES}",
                    "pass the config, not the data",
                )
            )
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            Problem(
                str(path),
                f"cannot be read: {error.strerror}",
                "check the path, or write a starter config with `lrfind init digits`",
            )
        ) from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            Problem(f"{path}:{line}", "is not UTF-8 text", "save the file as UTF-8")
        ) from None
    loader = YAML(typ="rt", pure=True)
    loader.allow_duplicate_keys = False
    try:
        tree = loader.load(text)
    except MarkedYAMLError as error:
        raise ConfigError(_syntax_problem(path, error)) from None
    except (YAMLError, ValueError, RecursionError) as error:
        first = (str(error).splitlines() or ["?"])[0]
        raise ConfigError(Problem(str(path), f"is no YAML: {first}", "mend the syntax")) from None
    if not isinstance(tree, CommentedMap):
        kind = "empty" if tree is None else f"a {type(tree).__name__.removeprefix('Commented')}"
        raise ConfigError(
            Problem(
                str(path),
                f"is {kind}; a config is a mapping with at least model and data",
                "write a starter config with `lrfind init digits`",
            )
        )
    origin: dict[Loc, str] = {}
    plain = _plain(tree, (), 1, path, origin)
    assert isinstance(plain, dict)
    return plain, origin


def _plain(node: Any, loc: Loc, line: int, path: Path, origin: dict[Loc, str]) -> Any:
    """Strip ruamel's types from a tree and note the line of every key and item."""
    if len(origin) > MAX_VALUES:
        raise ConfigError(
            Problem(
                str(path),
                f"unfolds to more than {MAX_VALUES} values",
                "drop the nested aliases, or the data that does not belong into a config",
            )
        )
    origin[loc] = f"{path}:{line}"
    if isinstance(node, CommentedMap):
        result = {}
        for key, value in node.items():
            at = node.lc.key(key)[0] + 1 if key in node.lc.data else line
            result[str(key)] = _plain(value, (*loc, str(key)), at, path, origin)
        return result
    if isinstance(node, CommentedSeq):
        return [
            _plain(value, (*loc, i), node.lc.item(i)[0] + 1, path, origin)
            for i, value in enumerate(node)
        ]
    if isinstance(node, ScalarFloat):
        return float(node)
    if isinstance(node, bool):
        return bool(node)
    if isinstance(node, int):
        return int(node)
    return str(node) if isinstance(node, str) else node


def _syntax_problem(path: Path, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    what = " ".join(str(error.problem or error.context or "bad syntax").split())
    if "\\t" in what:
        return Problem(where, "a tab indents this line; YAML indents with spaces", "use spaces")
    if "duplicate key" in what:
        what = what.split(" with value")[0].replace("found duplicate key", "duplicate key")
        return Problem(where, f"{what}; a key stands once in a section", "drop one of the two")
    return Problem(where, f"YAML syntax: {what}", "mend the line or the one above it")


def _override(tree: dict[str, Any], origin: dict[Loc, str], override: str) -> list[Problem]:
    key, equals, text = override.partition("=")
    where = f"--set {override}"
    if not equals or not all(key.split(".")):
        rule = "an override reads key=value, the key dotted"
        return [Problem(where, rule, "for instance --set sweep.steps=400")]
    try:
        value = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return [Problem(where, f"the value {text!r} is no YAML", "quote it")]
    node: Any = tree
    *parents, last = key.split(".")
    loc: Loc = ()
    for part in parents:
        step: str | int = part
        if isinstance(node, list):
            if not part.isdigit() or int(part) >= len(node):
                size = f"{'.'.join(map(str, loc))} has {len(node)} items, counted from 0"
                return [Problem(where, f"there is no item {part!r}: {size}", "name one of them")]
            step = int(part)
        elif isinstance(node.get(part), str):
            # `optimizer: adamw` with --set optimizer.args.lr=…: unfold the short form.
            node[part] = _unfold(part, node[part])
        elif not isinstance(node.get(part), dict | list):
            node[part] = {}
        node = node[step]
        loc = (*loc, step)
        origin.setdefault(loc, where)
    if isinstance(node, list):
        if not last.isdigit() or int(last) >= len(node):
            return [Problem(where, f"there is no item {last!r}", f"there are {len(node)}")]
        node[int(last)] = value
        origin[(*loc, int(last))] = where
    else:
        node[last] = value
        origin[(*loc, last)] = where
    return []


def _unfold(section: str, text: str) -> dict[str, Any]:
    if section == "output":
        return {"dir": text}
    if section == "suggest":
        return {"method": text}
    named = section in ("optimizer", "loss") and ":" not in text
    return {"name" if named else "target": text}


def _check_raw(tree: dict[str, Any], origin: Mapping[Loc, str], path: Path) -> list[Problem]:
    """Check names and files on the raw tree, so that they are told beside wrong types."""
    problems = []

    def blame(what: str, remedy: str, *loc: str | int) -> None:
        problems.append(Problem(_nearest_origin(origin, loc, str(path)), what, remedy))

    optimizer = tree.get("optimizer")
    name = optimizer.get("name") if isinstance(optimizer, dict) else optimizer
    if isinstance(name, str) and ":" not in name and name not in optim.CATALOG:
        hint = f"{nearest(name, optim.CATALOG)} another one by its import path: torch.optim:RAdam"
        blame(f"optimizer.name = {name!r} is not bundled", hint, "optimizer", "name")
    rule = tree.get("suggest")
    method = rule.get("method") if isinstance(rule, dict) else rule
    if isinstance(method, str) and ":" not in method and method not in suggest.CATALOG:
        hint = nearest(method, suggest.CATALOG)
        blame(f"suggest.method = {method!r} is no rule", hint, "suggest", "method")
    if isinstance(optimizer, dict) and isinstance(optimizer.get("param_groups"), list):
        base = optimizer.get("args")
        for i, group in enumerate(optimizer["param_groups"]):
            own = group.get("args") if isinstance(group, dict) else None
            if isinstance(own, dict) and "lr" in own and "lr" not in (base or {}):
                blame(
                    f"optimizer.param_groups.{i}.args.lr = {own['lr']} has nothing to be a "
                    "ratio of, since optimizer.args has no lr",
                    "write lr_scale for the group, or give both",
                    *("optimizer", "param_groups", i, "args", "lr"),
                )
    for loc, text in _raw_targets(tree):
        key = ".".join(loc)
        try:
            target = parse_target(text)
        except InputError as error:
            blame(f"{key} = {text!r} {error.problems[0].what}", error.problems[0].remedy, *loc)
            continue
        file = path.resolve().parent / Path(target.module).expanduser()
        if target.is_file and not file.is_file():
            remedy = f"paths start from the config's own folder, {path.resolve().parent}"
            blame(f"{key} = {text!r}: there is no file {target.module}", remedy, *loc)
    return problems


def _raw_targets(tree: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    for section in ("model", "data", "step"):
        if isinstance(tree.get(section), str):
            yield (section,), tree[section]
    for section in ("loss", "optimizer"):
        if isinstance(tree.get(section), str) and ":" in tree[section]:
            yield (section,), tree[section]
    sweep = tree.get("sweep")
    nested = [(("sweep", "validation"), sweep.get("validation"))] if isinstance(sweep, dict) else []
    for loc, section in [*(((name,), value) for name, value in tree.items()), *nested]:
        if isinstance(section, dict) and isinstance(section.get("target"), str):
            yield (*loc, "target"), section["target"]


def _nearest_origin(origin: Mapping[Loc, str], loc: Loc, fallback: str) -> str:
    for end in range(len(loc), 0, -1):
        if loc[:end] in origin:
            return origin[loc[:end]]
    return fallback


def _in_file_order(problems: list[Problem]) -> list[Problem]:
    def line(problem: Problem) -> tuple[int, int]:
        _, _, tail = problem.where.rpartition(":")
        return (0, int(tail)) if tail.isdigit() else (1, 0)

    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=line)
