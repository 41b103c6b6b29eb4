"""Keyword arguments of a Python call, checked as the config's own keys are, in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from lrfind.config.schedule import schedule_errors
from lrfind.config_messages import explain
from lrfind.errors import InputError, Problem
from lrfind.schedulers.course import Course
from lrfind.spec import ScheduleSection


def validated(section: Any, values: Any, where: str) -> Any:
    """Validate keyword arguments as a config section.

    Raises:
        InputError: with every argument that does not fit.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        found = (explain(details, section) for details in error.errors(include_url=False))
        raise InputError(*(Problem(where, what, remedy) for _, what, remedy in found)) from None


def course_of(
    schedule: str | Mapping[str, Any] | None, where: str
) -> tuple[Course | None, dict[str, Any]]:
    """Check and complete a schedule as a config's is; and what a config of it alone would hold.

    Raises:
        InputError: there is no such schedule, or its arguments do not fit.
    """
    if schedule is None:
        return None, {}
    whole = schedule if isinstance(schedule, str) else dict(schedule)
    for what, remedy, _ in schedule_errors({"schedule": whole}):
        raise InputError(Problem(where, what, remedy))
    section: ScheduleSection = validated(ScheduleSection, whole, "schedule")
    plain = section.model_dump()
    return Course.from_section(plain), {"schedule": plain}
