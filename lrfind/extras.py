"""Libraries of an extra that are older than what lrfind was tested with.

A library that is missing fails where it is imported. One that is too old fails anywhere, or gives
other numbers; so it is looked for first. The bounds are those of pyproject.toml, which an installed
package carries in its metadata.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lrfind.errors import InputError, Problem

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_TWINS = {"lightning": "pytorch-lightning", "mlflow-skinny": "mlflow"}
"""Another distribution of the same code and versions, looked at where the first is absent."""


def require_recent(extra: str, where: str) -> None:
    """Refuse libraries that are installed, but older than an extra asks for.

    What is missing, or has no metadata, is not looked at.

    Args:
        extra: one of `[project.optional-dependencies]`.
        where: what needs it, for the error.

    Raises:
        InputError: with each that is too old.
    """
    remedy = f"pip install -U 'lrfind[{extra}]'"
    problems = []
    for requirement in _requirements(extra):
        name, found = _installed(requirement.name)
        if found is not None and not requirement.specifier.contains(found, prereleases=True):
            what = f"needs {name}{requirement.specifier}, and {found} is installed"
            problems.append(Problem(where, what, remedy))
    if problems:
        raise InputError(*problems)


def _requirements(extra: str) -> Iterator[Requirement]:
    """Read what an extra installs; nothing where lrfind itself is not installed."""
    # Imported here, since most runs use no extra.
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    try:
        texts = requires("lrfind") or []
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, texts):
        # What is needed without extras has no marker.
        if requirement.marker is not None and requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _installed(name: str) -> tuple[str, str | None]:
    """Find a distribution, or else its twin, with its version."""
    from importlib.metadata import PackageNotFoundError, version

    for candidate in (name, _TWINS.get(name, name)):
        try:
            return candidate, version(candidate)
        except PackageNotFoundError:
            continue
    return name, None
