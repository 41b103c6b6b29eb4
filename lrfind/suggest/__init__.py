"""Reading curves: which LR they speak for, how sure that is, and what to change.

A rule is one function in one file, `(Reading, **options) -> Pick`, listed in `CATALOG`; `suggest`
asks it about every curve and joins the answers. Knows curves, not how they were made. The catalog
is readable without numpy, because help texts list it; everything else loads on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lrfind.registry import Entry
from lrfind.suggest.answer import Note, Suggestion, Verdict

if TYPE_CHECKING:
    from lrfind.suggest.diagnosis import diagnose as diagnose
    from lrfind.suggest.panel import suggest as suggest
    from lrfind.suggest.reading import Pick as Pick
    from lrfind.suggest.reading import Reading as Reading
    from lrfind.suggest.reading import read_curve as read_curve

__all__ = [
    "CATALOG",
    "DEFAULT_METHOD",
    "Note",
    "Pick",
    "Reading",
    "Suggestion",
    "Verdict",
    "diagnose",
    "read_curve",
    "suggest",
]

DEFAULT_METHOD = "auto"

CATALOG: dict[str, Entry] = {
    "auto": Entry(
        "lrfind.suggest.auto:auto",
        "0.25 · √(LR at 90 % of the fall · LR of the rise), less where updates are large",
        "lrfind",
    ),
    "steepest": Entry(
        "lrfind.suggest.steepest:steepest",
        "argmax −dL/dlog lr left of the minimum",
        "Gugger 2018, without the smoothing lag",
    ),
    "valley": Entry(
        "lrfind.suggest.valley:valley",
        "√(LR at 10 % of the fall · LR of the minimum)",
        "fastai 2021, on thresholds instead of a longest subsequence",
    ),
    "slide": Entry(
        "lrfind.suggest.slide:slide",
        "highest r / 10 below the rise with equal slopes at r and r / 10",
        "fastai 2021, scale-free",
    ),
    "minimum": Entry(
        "lrfind.suggest.minimum:minimum",
        "LR of the minimum / 10",
        "Howard & Gugger, fastai 2018",
    ),
    "before_rise": Entry(
        "lrfind.suggest.before_rise:before_rise",
        "LR of the rise · 10^(−decades)",
        "after Smith 2015, arXiv 1506.01186",
    ),
}
"""Every bundled rule by name; an import path `module:function` is accepted wherever a name is."""

_LAZY = {
    "diagnose": "lrfind.suggest.diagnosis",
    "suggest": "lrfind.suggest.panel",
    "Pick": "lrfind.suggest.reading",
    "Reading": "lrfind.suggest.reading",
    "read_curve": "lrfind.suggest.reading",
}


def __getattr__(name: str) -> Any:
    """Load what needs numpy on first use (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)
