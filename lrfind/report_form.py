"""The form of `report.json`, and the way back from it: strict about types, bounded in size.

A saved report is data that anybody may have written. Nothing of it is taken for what it does not
say to be: a number in a text, an integer beyond any float or a paragraph of a megabyte is refused
by its place.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lrfind.curve import Curve, StopReason, ratios_of
from lrfind.refine import Trial
from lrfind.report import Environment, NoAnswer, Report
from lrfind.strict_json import read_json
from lrfind.suggest import Note, Suggestion, Verdict

Line = Annotated[str, Field(max_length=20_000)]
"""A text that people read; ours stay below a thousand characters."""

Lr = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = float | Literal["inf", "-inf", "nan"]


_NUMBERS = re.compile(r'\[[^][{}:"]*\]')


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class _Suggestion(_Form):
    lr: Lr
    peak_lr: Lr
    low: Lr
    high: Lr
    method: Line
    verdict: Verdict
    reason: Line
    per_seed: list[Lr]
    schedule: Line = ""
    base_lr: Lr | None = None


class _NoAnswer(_Form):
    verdict: Verdict
    reason: Line
    remedy: Line


class _Note(_Form):
    code: Line
    message: Line
    advice: Line


class _Curve(_Form):
    lr: list[Lr]
    loss: list[Number]
    seed: int
    stop: StopReason
    initial_loss: Number | None
    elapsed_s: float | None
    update_ratio: list[Number | None] | None = None


class _Trial(_Form):
    lr: Lr
    loss: Number
    steps: int
    diverged: bool


class _Environment(_Form):
    device: Line
    versions: dict[Line, Line]
    platform: Line
    time: Line
    threads: int | None = None


class _Report(_Form):
    schema_: Literal[1] = Field(alias="schema")
    title: Line
    suggestion: _Suggestion | None
    no_answer: _NoAnswer | None
    notes: Annotated[list[_Note], Field(max_length=1000)]
    curves: list[_Curve]
    group_scales: list[float]
    trials: list[_Trial] = []
    spec: dict[str, Any]
    environment: _Environment


def from_json(text: str) -> Report:
    """Read back what `lrfind.report.to_json` wrote; unknown keys are left out.

    Raises:
        ValueError: the schema is unknown, or something in it is missing, there twice, of the wrong
            type, or what no run can have written.
    """
    try:
        form = _Report.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(_first(error)) from None
    # The validator takes the last of two keys. Lists of numbers, which are nearly all of a long
    # report, hold none.
    read_json(_NUMBERS.sub("[]", text))
    return Report(
        curves=tuple(map(_curve, form.curves)),
        suggestion=None if form.suggestion is None else _suggestion(form.suggestion),
        no_answer=None if form.no_answer is None else NoAnswer(**dict(form.no_answer)),
        notes=tuple(Note(**dict(note)) for note in form.notes),
        spec=form.spec,
        environment=Environment(**dict(form.environment)),
        title=form.title,
        group_scales=tuple(form.group_scales),
        trials=tuple(Trial(**dict(trial) | {"loss": float(trial.loss)}) for trial in form.trials),
    )


def _first(error: ValidationError) -> str:
    """Tell the first finding by its place: `curves.0.seed = 'x': input should be an integer`."""
    details = error.errors(include_url=False)[0]
    place = ".".join(map(str, details["loc"]))
    text = details["msg"][:1].lower() + details["msg"][1:]
    value = details["input"]
    if not place:
        return text
    shown = f"{place} = {value!r:.40}" if isinstance(value, str | int | float) else place
    return f"{shown}: {text}"


def _suggestion(form: _Suggestion) -> Suggestion:
    return Suggestion(**dict(form) | {"per_seed": tuple(form.per_seed)})


def _curve(form: _Curve) -> Curve:
    ratios = form.update_ratio
    curve = Curve(
        lr=np.array(form.lr, dtype=np.float64),
        loss=np.array([float(value) for value in form.loss], dtype=np.float64),
        seed=form.seed,
        stop=form.stop,
        initial_loss=None if form.initial_loss is None else float(form.initial_loss),
        elapsed_s=form.elapsed_s,
        # Reports written before it was measured have none.
        update_ratio=None
        if ratios is None
        else ratios_of([None if value is None else float(value) for value in ratios]),
    )
    for name, other in (("losses", form.loss), ("update ratios", ratios)):
        if other is not None and len(other) != len(curve):
            sizes = f"{len(curve)} LRs and {len(other)} {name}"
            raise ValueError(f"the curve of seed {curve.seed} has {sizes}")
    if (np.diff(curve.lr) < 0).any():
        raise ValueError(f"the LRs of seed {curve.seed} fall")
    return curve
