"""A valid config, and how a file becomes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from lrfind import suggest
from lrfind.config.document import read_document
from lrfind.config.names import check_attributes, check_names
from lrfind.config.origin import Loc, forget, in_file_order, nearest_origin
from lrfind.config.override import apply_override
from lrfind.config_messages import explain
from lrfind.errors import ConfigError, Problem
from lrfind.registry import nearest
from lrfind.spec import Spec, SuggestSection


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

    @property
    def rule_folder(self) -> Path:
        """Where a relative `suggest.method` starts from: `--method` is the command line's."""
        is_option = self.origin.get(("suggest",), "").startswith("--method ")
        return Path.cwd() if is_option else self.folder

    @property
    def output_folder(self) -> Path:
        """Where the files go: `output.dir`, else a folder in `runs` named after the config."""
        # A file called `...yaml` has the stem `..`, which leads out of `runs`.
        return Path(self.spec.output.dir or f"runs/{self.path.stem.strip('.') or 'config'}")

    def where(self, key: str = "") -> str:
        """Say where a dotted key was written: `config.yaml:12`; nearest parent if it was not."""
        loc = tuple(int(part) if part.isdecimal() else part for part in key.split("."))
        return nearest_origin(self.origin, loc, str(self.path))

    def with_method(self, method: str) -> Config:
        """Read the curve by another rule; options stay only with the rule they were written for.

        Raises:
            ConfigError: there is no rule of that name.
        """
        if ":" not in method and method not in suggest.CATALOG:
            problem = Problem(
                "--method", f"{method!r} is no rule", nearest(method, suggest.CATALOG)
            )
            raise ConfigError(problem)
        # The same path is another file where it starts from another folder.
        is_same_file = ":" not in method or self.folder == Path.cwd().resolve()
        if method == self.spec.suggest.method and is_same_file:
            return self
        spec = self.spec.model_copy(update={"suggest": SuggestSection(method=method)})
        origin = dict(self.origin)
        forget(origin, ("suggest",))
        return replace(self, spec=spec, origin=origin | {("suggest",): f"--method {method}"})

    def with_refinement(self, budget: int | None = None) -> Config:
        """Ask for trial trainings, within the config's own budget or another one."""
        changes = {"enabled": True} if budget is None else {"enabled": True, "budget": budget}
        refine = self.spec.refine.model_copy(update=changes)
        spec = self.spec.model_copy(update={"refine": refine})
        written = "--refine" if budget is None else f"--budget {budget}"
        return replace(self, spec=spec, origin={**self.origin, ("refine",): written})

    def with_seeds(self, count: int) -> Config:
        """Sweep another number of seeds."""
        sweep = self.spec.sweep.model_copy(update={"seeds": count})
        spec = self.spec.model_copy(update={"sweep": sweep})
        origin = {**self.origin, ("sweep", "seeds"): f"--seeds {count}"}
        return replace(self, spec=spec, origin=origin)

    def with_batch_size(self, size: int) -> Config:
        """Batch the training data otherwise."""
        if self.spec.data is None:
            what = f"does not go with {self.spec.framework}, whose loader has its own batch size"
            raise ConfigError(Problem("--batch-sizes", what, "sweep one config a batch size"))
        data = self.spec.data.model_copy(update={"batch_size": size})
        spec = self.spec.model_copy(update={"data": data})
        origin = {**self.origin, ("data", "batch_size"): f"--batch-sizes {size}"}
        return replace(self, spec=spec, origin=origin)


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read a config file and apply overrides; imports nothing that it names.

    Args:
        path: YAML 1.2 file (JSON is a subset of it).
        overrides: `dotted.key=value` texts, the value in YAML, applied in order.

    Raises:
        ConfigError: with every problem of the file and the overrides, in file order.
    """
    document = read_document(path)
    tree, origin, problems = document.tree, document.origin, document.problems
    for override in overrides:
        problems += apply_override(tree, origin, override)
    spec = None
    try:
        spec = Spec.model_validate(tree)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            loc, what, remedy = explain(details, Spec)
            problems.append(Problem(nearest_origin(origin, loc, str(path)), what, remedy))
    problems += check_names(tree, origin, path)
    if problems or spec is None:
        problems += check_attributes(tree, origin, path)
        raise ConfigError(*in_file_order(problems, str(path)))
    return Config(path, spec, origin)
