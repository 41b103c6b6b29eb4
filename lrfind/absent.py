"""Libraries that a starter or user code imports and that are missing, and which extra has them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

EXTRAS = {
    "sklearn": "examples",
    "lightning": "lightning",
    "transformers": "huggingface",
    "accelerate": "huggingface",
    "pyarrow": "parquet",
}
"""Top-level module to the extra that brings it."""


def missing_of(modules: Iterable[str]) -> list[str]:
    """Name those of `EXTRAS`, by their top-level module, that are not installed here."""
    tops = sorted({module.partition(".")[0] for module in modules})
    return [top for top in tops if top in EXTRAS and find_spec(top) is None]


def install(modules: Iterable[str]) -> str:
    """Write the command that installs modules of `EXTRAS`.

    Example:
        >>> install(["sklearn", "lightning"])
        "pip install 'lrfind[examples,lightning]'"
    """
    extras = sorted({EXTRAS[module] for module in modules})
    return f"pip install 'lrfind[{','.join(extras)}]'"
