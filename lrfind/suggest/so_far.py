"""What a rule says of a curve that is still growing: worth a look, and no answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrfind.curve import Curve
from lrfind.errors import LrfindError
from lrfind.suggest.answer import Suggestion
from lrfind.suggest.panel import find_rule, suggest_by
from lrfind.suggest.purpose import Purpose
from lrfind.suggest.reading import read_curve


def suggest_so_far(
    curve: Curve, method: str, options: Mapping[str, Any], purpose: Purpose | None = None
) -> Suggestion | None:
    """Read a curve as if its sweep ended here, once its loss has fallen and risen again.

    Before that, every point moves the answer, and there is none. None also where the rule refuses,
    and for a rule of the user's own, whose code is run once, at the end.
    """
    if ":" in method:
        return None
    try:
        reading = read_curve(curve)
        if not reading.fell or reading.rise_lr is None:
            return None
        rule = find_rule(method, dict(options))
        return suggest_by(rule, [curve], method, dict(options), purpose, lambda _: reading)
    except LrfindError:
        return None
