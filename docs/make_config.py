"""Write docs/config.md from the models in lrfind.spec, so that the two cannot differ.

Run `python docs/make_config.py` after a change of a key; a test compares the file with the text.
"""

from __future__ import annotations

import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lrfind.spec import Spec

INTRO = """# The config

One YAML 1.2 file (JSON works too) describes one range test. Only `model` and `data` must be given,
or in their place a project written for a framework: `lightning` or `huggingface`.

```yaml
{example}```

- `target` is an import path: `package.module:attr` or `file.py:attr`, a file relative to the
  config's own folder; nested attributes work (`train.py:Model.training_step`). A class or function
  is called with `args`; any other object (a module, a DataLoader, a list of batches) is used as it
  is.
- A section that takes a target can be shortened to the bare string: `model: train.py:build_model`.
  So can `loss`, `optimizer`, `suggest` (their name) and `output` (its folder).
- Any key can be overridden on the command line: `lrfind run config.yaml --set sweep.steps=400
  --set optimizer.name=sgd`. Items of a list are counted from 0:
  `--set optimizer.param_groups.0.lr_scale=0.1`.
- Unknown keys, wrong types, impossible bounds, missing files and unknown names are all told at
  once, each with its line. `lrfind validate config.yaml` also runs one forward and backward pass.
- `lrfind schema > lrfind.schema.json` gives editors what they need to complete and check the file.

## Batches

| the data gives | what happens |
|---|---|
| a Dataset | batched by `batch_size`, shuffled anew each pass |
| an IterableDataset | batched by `batch_size`, in its own order |
| a tuple of tensors `(X, y)` | read as columns of one dataset |
| a DataLoader, a list, any iterable of batches | used as it is |
| a one-shot iterator | used until it ends; one made by a function is made anew |

| a batch is | with `loss` | without |
|---|---|---|
| a tuple or list | `loss(model(*inputs), target)`, the target last | `model(*batch)` |
| a mapping | `loss(model(**inputs), target)`, the target under {keys} | `model(**batch)` |
| an object | `loss(model(batch), batch.target)`, under the same names | `model(batch)` |

Without `loss` the model returns its own: a scalar, a mapping with `loss`, or an object with
`.loss`. With `step` neither matters: `step(model, batch)` returns the loss.

## Keys

"""


def main() -> None:
    """Write the file."""
    Path(__file__).with_name("config.md").write_text(text(), encoding="utf-8")


def text() -> str:
    """Return the whole page."""
    from lrfind.workload.batch import TARGET_KEYS

    example = Path(__file__).parents[1].joinpath("configs", "digits.yaml").read_text("utf-8")
    body = example.split("seed:", 1)[1]
    keys = ", ".join(f"`{key}`" for key in TARGET_KEYS)
    parts = [INTRO.format(example=f"seed:{body}", keys=keys), _table(Spec)]
    parts += [_section(name, field) for name, field in _sections(Spec, "")]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _sections(model: type[BaseModel], prefix: str) -> list[tuple[str, type[BaseModel]]]:
    found = []
    for name, field in model.model_fields.items():
        inner = _model_of(field.annotation)
        if inner is not None:
            key = f"{prefix}{name}"
            found.append((key, inner))
            found += _sections(inner, f"{key}.")
    return found


def _section(name: str, model: type[BaseModel]) -> str:
    summary = (model.__doc__ or "").strip().splitlines()[0]
    return f"### `{name}`\n\n{summary}\n\n{_table(model)}"


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in model.model_fields.items():
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{key}` | {_type(field)} | {_default(field)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _type(field: FieldInfo) -> str:
    if _model_of(field.annotation) is not None:
        return "list of sections" if typing.get_origin(field.annotation) is list else "section"
    bounds = {"gt": "> ", "ge": "≥ ", "lt": "< ", "le": "≤ "}
    limits = [
        f"{sign}{getattr(rule, name):g}"
        for rule in field.metadata
        for name, sign in bounds.items()
        if getattr(rule, name, None) is not None
    ]
    return ", ".join([_name(field.annotation), *limits])


def _name(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return " \\| ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin is typing.Annotated:
        inner, *rules = typing.get_args(annotation)
        sign = next((r for rule in rules for r in getattr(rule, "metadata", ())), None)
        return f"{_name(inner)}, > 0" if sign is not None else _name(inner)
    if origin in (typing.Union, types.UnionType):
        kinds = [_name(part) for part in typing.get_args(annotation) if part is not type(None)]
        return " or ".join(kinds)
    if origin is list:
        return f"list of {_name(typing.get_args(annotation)[0])}s"
    if origin is dict:
        return "mapping"
    return {str: "text", int: "integer", float: "number", bool: "true or false"}[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        return "`adamw`" if getattr(value, "name", None) == "adamw" else "see below"
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (list, typing.Union, types.UnionType):
        found = (_model_of(part) for part in typing.get_args(annotation))
        return next((model for model in found if model is not None), None)
    return None


if __name__ == "__main__":
    main()
