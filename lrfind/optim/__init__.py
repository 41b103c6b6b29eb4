"""Bundled optimizers, one a file, described here without importing torch.

`lrfind list` reads the catalogue; the classes are imported when they are first named.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lrfind.registry import Entry

if TYPE_CHECKING:
    from lrfind.optim.adadelta import Adadelta
    from lrfind.optim.adagrad import Adagrad
    from lrfind.optim.adam import Adam
    from lrfind.optim.adamw import AdamW
    from lrfind.optim.rmsprop import RMSprop
    from lrfind.optim.sgd import SGD

__all__ = ["CATALOG", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "RMSprop"]

CATALOG: dict[str, Entry] = {
    "sgd": Entry(
        path="lrfind.optim.sgd:SGD",
        formula="θ ← θ − η g",
        source="Robbins and Monro, 1951",
    ),
    "momentum": Entry(
        path="lrfind.optim.sgd:SGD",
        formula="b ← μ b + g; θ ← θ − η b",
        source="Polyak, 1964",
        args={"momentum": 0.9},
    ),
    "nesterov": Entry(
        path="lrfind.optim.sgd:SGD",
        formula="b ← μ b + g; θ ← θ − η (g + μ b)",
        source="Nesterov, 1983; Sutskever et al., 2013",
        args={"momentum": 0.9, "nesterov": True},
    ),
    "adagrad": Entry(
        path="lrfind.optim.adagrad:Adagrad",
        formula="G ← G + g²; θ ← θ − η g / (√G + ε)",
        source="Duchi, Hazan and Singer, 2011",
    ),
    "rmsprop": Entry(
        path="lrfind.optim.rmsprop:RMSprop",
        formula="v ← α v + (1 − α) g²; θ ← θ − η g / (√v + ε)",
        source="Tieleman and Hinton, lecture 6e, 2012",
    ),
    "adadelta": Entry(
        path="lrfind.optim.adadelta:Adadelta",
        formula="v ← ρ v + (1 − ρ) g²; Δ = √(u + ε) / √(v + ε) · g; "
        "u ← ρ u + (1 − ρ) Δ²; θ ← θ − η Δ",
        source="Zeiler, 2012, arXiv 1212.5701",
    ),
    "adam": Entry(
        path="lrfind.optim.adam:Adam",
        formula="m, v ← means of g, g²; θ ← θ − η m̂ / (√v̂ + ε)",
        source="Kingma and Ba, 2014, arXiv 1412.6980",
    ),
    "adamw": Entry(
        path="lrfind.optim.adamw:AdamW",
        formula="θ ← θ − η λ θ; then θ ← θ − η m̂ / (√v̂ + ε)",
        source="Loshchilov and Hutter, 2017, arXiv 1711.05101",
    ),
}
"""Config name → optimizer."""


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(f"lrfind.optim.{name.lower()}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
