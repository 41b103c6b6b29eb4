"""Whose fault an exception is: the config's line, the phase, the import path, and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lrfind.config import Config
from lrfind.errors import InputError, LrfindError, Problem, UserCodeError
from lrfind.spec import BROUGHT, DEFAULT_BATCH_SIZE, Spec
from lrfind.workload.phase import Phase
from lrfind.workload.remedies import remedy_for
from lrfind.workload.workload import Workload

_FULL = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
"""What torch's allocators say; on a CPU they raise a bare RuntimeError."""


class Blame:
    """Whom to blame for an exception, or for a hang: what the workload is doing.

    Attributes:
        workload: None until the config's targets are imported.
    """

    workload: Workload | None = None

    @property
    def phase(self) -> Phase | None:
        """What the workload is doing, or did last; None before there is one."""
        return None if self.workload is None else self.workload.doing


@contextmanager
def blamed_on(config: Config, blame: Blame | None = None) -> Iterator[Blame]:
    """Place errors of a run at the config's lines; wrap what the user's own code raises."""
    blame = Blame() if blame is None else blame
    try:
        yield blame
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except InputError as error:
        if isinstance(error, UserCodeError):
            raise
        raise type(error)(*(placed(problem, config) for problem in error.problems)) from None
    except LrfindError:
        raise
    except BaseException as error:
        # Also SystemExit, and whatever a framework ends its own runs with.
        raise UserCodeError(_user_problem(config, blame, error)) from error


def placed(problem: Problem, config: Config) -> Problem:
    """Replace a config key as the place of a problem by its file and line."""
    head = problem.where.split(".")[0]
    # A place with a line or a folder in it is no key, though a config may be called model.yaml.
    if head not in Spec.model_fields or problem.where.startswith(str(config.path)):
        return problem
    where = config.where(written_as(problem.where, config.spec))
    return Problem(where, f"{problem.where} {problem.what}", problem.remedy)


def written_as(key: str, spec: Spec) -> str:
    """Find the key of what the user wrote: that of a framework's project stands for others."""
    if spec.framework is None or key.split(".")[0] not in BROUGHT:
        return key
    if spec.huggingface is not None:
        return "huggingface.trainer"
    has_data = spec.lightning is not None and spec.lightning.datamodule is not None
    return "lightning.datamodule" if key == "data" and has_data else "lightning.module"


def place_of(config: Config, phase: Phase) -> tuple[str, str]:
    """Say where the code of a phase is named: file and line, key and import path.

    Returns:
        `c.yaml:4`, `step (train.py:step)`; the key alone where it names nothing of the user's.
    """
    computes = phase in (Phase.FORWARD, Phase.BACKWARD)
    is_step = computes and config.spec.step is not None
    key = "step" if is_step else written_as(phase.key, config.spec)
    section: Any = config.spec
    for name in key.split("."):
        section = getattr(section, name, None)
    target = getattr(section, "target", None)
    return config.where(f"{key}.target"), f"{key} ({target})" if target else key


def lost_a_worker(error: BaseException) -> bool:
    """Tell torch's word that a loader's process died, which a signal raises at any line."""
    return isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker (pid")


def _user_problem(config: Config, blame: Blame, error: BaseException) -> Problem:
    phase = blame.phase or Phase.LOSS
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    first = text.strip().splitlines()[0].rstrip(".")
    remedy = remedy_for(text) or "mend it; nothing after it was run"
    if lost_a_worker(error):
        # Its signal reaches the main process wherever that is.
        phase = phase if phase is Phase.VALIDATION else Phase.DATA
        remedy = f"see why with --set {phase.key}.num_workers=0, where it runs in this process"
    elif _ran_out_of_memory(error):
        remedy = _less_memory(config, blame, phase)
    elif (
        phase is Phase.FORWARD
        and config.spec.framework is None
        and config.spec.loss is None
        and config.spec.step is None
        and isinstance(error, TypeError)
    ):
        remedy = "name a `loss`, if the model takes inputs only and returns predictions"
    where, what = place_of(config, phase)
    return Problem(where, f"{what}: {phase.doing} raised {first}", remedy)


def _ran_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error).lower() for part in _FULL)


def _less_memory(config: Config, blame: Blame, phase: Phase) -> str:
    """Say which number decides how much is needed; before the first batch it is the model's."""
    if phase in (Phase.MODEL, Phase.OPTIMIZER, Phase.LOSS):
        return "make it smaller, or free memory"
    if phase is Phase.VALIDATION:
        return "lower sweep.validation.batch_size or sweep.validation.batches"
    data, accumulate = config.spec.data, config.spec.sweep.accumulate
    workload = blame.workload
    seen = None if workload is None else workload.batch_size
    own = data.batch_size if data is not None else None
    size = seen // accumulate if seen else own or DEFAULT_BATCH_SIZE
    if size < 2:
        return "a batch has 1 sample: make the model or the sample smaller"
    if data is None or (workload is not None and workload.brings_batches):
        return f"the data make their own batches, of {size} samples: make them smaller there"
    half = size // 2
    return (
        f"a batch has {size} samples: lower it, --set data.batch_size={half}; with "
        f"--set sweep.accumulate={accumulate * 2} an update sees as many as before"
    )
