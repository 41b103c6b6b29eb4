"""The progress of a config's run, which reads the curve so far as the run will read it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrfind.config import Config
    from lrfind.console import SweepProgress
    from lrfind.curve import Curve
    from lrfind.suggest import Suggestion


def progress_of(config: Config, *, quiet: bool) -> SweepProgress:
    """Make the observer of a config's sweeps and trials."""
    from lrfind.console import SweepProgress

    spec = config.spec

    def read(curve: Curve) -> Suggestion | None:
        from lrfind.schedulers.course import Course
        from lrfind.suggest.so_far import suggest_so_far

        purpose = Course.from_section(spec.model_dump(mode="json")["schedule"])
        return suggest_so_far(curve, spec.suggest.method, spec.suggest.args, purpose)

    return SweepProgress(quiet=quiet, read=read)
