"""What of a config does not go with several ranks."""

from __future__ import annotations

from lrfind.errors import InputError, Problem
from lrfind.spec import Spec


def require_fit(spec: Spec) -> None:
    """Refuse what cannot be trained by several ranks together.

    Raises:
        InputError: the update is wanted inside the backward pass, where gradients are still being
            averaged.
    """
    if spec.sweep.low_memory:
        raise InputError(
            Problem(
                "sweep.low_memory",
                "= true updates inside the backward pass, while the ranks still average their "
                f"gradients for distributed.strategy = {spec.distributed.strategy}",
                "leave it out, or run one process",
            )
        )
