"""A config as a command line asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrfind.config import Config


@dataclass(frozen=True, slots=True)
class Changes:
    """What the options of `lrfind run` change about a config.

    Attributes:
        overrides: texts `dotted.key=value`.
        method: rule that reads the curve; None: the config's own.
        refine: whether to try LRs around the answer, also where the config does not say so.
        budget: most updates of sweep and trials together, which implies `refine`; None: its own.
    """

    overrides: tuple[str, ...] = ()
    method: str | None = None
    refine: bool = False
    budget: int | None = None

    def load(self, path: Path) -> Config:
        """Read a config and change it.

        Raises:
            ConfigError: it is wrong, or a change is.
        """
        from lrfind.config import load

        loaded = load(path, self.overrides)
        if self.method is not None:
            loaded = loaded.with_method(self.method)
        wants_trials = self.refine or self.budget is not None
        return loaded.with_refinement(self.budget) if wants_trials else loaded
