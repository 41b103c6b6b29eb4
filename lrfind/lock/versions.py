"""Versions of what decides an LR, and which difference matters."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping

from lrfind import __version__

DECISIVE = ("lrfind", "torch")
"""Packages whose major or minor version may move an LR: lrfind's rules and torch's kernels. Their
patches and builds, and Python, are told and change no verdict."""


def versions_here() -> dict[str, str]:
    """Read the versions of this environment; imports neither torch nor `importlib.metadata`."""
    torch = installed_version("torch")
    found = {"lrfind": __version__, "python": platform.python_version()}
    return found | ({"torch": torch} if torch else {})


def installed_version(package: str) -> str | None:
    """Read a package's version off the name of its metadata folder, `torch-2.6.0.dist-info`.

    The name holds it by the wheel format (PEP 427, 2012); `importlib.metadata`, which reads the
    same names, takes longer to import than all else that a check without a run needs.
    """
    for place in sys.path:
        try:
            names = os.listdir(place or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info") and name.startswith(f"{package}-"):
                return name.removesuffix(".dist-info").removeprefix(f"{package}-")
    return None


def is_decisive(package: str, pinned: str, here: str) -> bool:
    """Tell whether a change of version may move an LR: another major or minor version."""
    return package in DECISIVE and pinned.split(".")[:2] != here.split(".")[:2]


def changed_versions(pinned: Mapping[str, str], here: Mapping[str, str]) -> dict[str, str]:
    """Say what differs, by package: `torch 2.5.1, now 2.6.0`."""
    names = sorted(pinned.keys() & here.keys())
    return {n: f"{n} {pinned[n]}, now {here[n]}" for n in names if pinned[n] != here[n]}
