"""What a framework's project needs, and what of a config does not go with it."""

from __future__ import annotations

from importlib.util import find_spec

from lrfind.errors import InputError, Problem
from lrfind.extras import require_recent
from lrfind.spec import Spec

_LIBRARIES = {
    "lightning": (("lightning", "pytorch_lightning"),),
    "huggingface": (("transformers",), ("accelerate",)),
}
"""What a section works with: of each, any one."""


def require_fit(spec: Spec, *, is_alone: bool) -> None:
    """Refuse what a framework's project cannot be swept with.

    Args:
        spec: with a framework's section.
        is_alone: whether this process is the only one.

    Raises:
        InputError: a library is not installed, or too old; there are several processes; the update
            is wanted inside the backward pass, where hooks and clipping look at all gradients; the
            model is to be compiled; or the Trainer decides already what the sweep's section does.
    """
    framework = spec.framework or ""
    for names in _LIBRARIES[framework]:
        if not any(find_spec(name) for name in names):
            what = f"needs {' or '.join(names)}, which is not installed"
            raise InputError(Problem(framework, what, f"pip install 'lrfind[{framework}]'"))
    require_recent(framework, framework)
    if not is_alone:
        what = "is swept by one process, and a launcher started several"
        raise InputError(Problem(framework, what, "start lrfind without torchrun"))
    if spec.sweep.low_memory:
        what = f"= true does not go with {framework}, whose hooks and clipping see all gradients"
        raise InputError(Problem("sweep.low_memory", what, "leave it out"))
    if spec.sweep.compile.enabled:
        what = f"= true does not go with {framework}, which calls the model by itself"
        raise InputError(Problem("sweep.compile", what, "leave it out"))
    if framework == "huggingface":
        _require_no_rival(spec)


def _require_no_rival(spec: Spec) -> None:
    rivals = {
        "precision": "bf16 or fp16",
        "accumulate": "gradient_accumulation_steps",
        "clip_grad_norm": "max_grad_norm",
    }
    for key, name in rivals.items():
        value = getattr(spec.sweep, key)
        if value != type(spec.sweep).model_fields[key].default:
            what = f"= {value} would rival {name} of the TrainingArguments, which counts"
            raise InputError(Problem(f"sweep.{key}", what, "drop it, and set it there"))
