"""From a config to a report: build the workload, sweep each seed, read the curves.

Whatever goes wrong is placed at the config's line; what the user's own code raises is told with
the phase it was raised in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from lrfind.blame import Blame, blamed_on
from lrfind.config import Config
from lrfind.curve import StopReason
from lrfind.errors import InputError, Problem
from lrfind.opening import open_workload
from lrfind.ramp import Observer, range_notes
from lrfind.refine.refinement import TrialObserver
from lrfind.refined import UpdateCount, refined
from lrfind.report import Report, make_report
from lrfind.schedulers.course import Course
from lrfind.seed_sweeps import plan_of, sweep_seeds, sweep_seeds_apart
from lrfind.workload.description import describe_update
from lrfind.workload.device import choose_device, device_name
from lrfind.workload.members import why_alone
from lrfind.workload.workload import Workload

if TYPE_CHECKING:
    from lrfind.distributed.group import Group


def run_config(
    config: Config,
    observers: Sequence[Observer] = (),
    trial_observers: Sequence[TrialObserver] = (),
    blame: Blame | None = None,
    group: Group | None = None,
) -> Report:
    """Run the range test that a config describes, and the trials where it asks for them.

    Args:
        config: what to run.
        observers: told of every step.
        trial_observers: told of every trial.
        blame: kept up to date, for those who must say from outside what is being done.
        group: the processes that run it together; None: this one does alone.

    Raises:
        InputError: something the config names does not fit, told with file and line.
        UserCodeError: the user's code raised, with the phase and the import path.
    """
    with together(config, group):
        return _run(config, observers, trial_observers, blame, group)


@contextmanager
def together(config: Config, group: Group | None) -> Iterator[None]:
    """Join the processes that run a config, as its strategy wants it; nothing for one alone.

    Raises:
        InputError: this one has no device.
    """
    if group is None:
        yield
        return
    with blamed_on(config):
        device = choose_device(config.spec.device, group.world)
    apart = config.spec.distributed.strategy == "replicas"
    with group.joined_apart() if apart else group.joined(device):
        yield


def _run(
    config: Config,
    observers: Sequence[Observer],
    trial_observers: Sequence[TrialObserver],
    blame: Blame | None,
    group: Group | None,
) -> Report:
    spec, count = config.spec, UpdateCount()
    with blamed_on(config, blame) as blame:
        workload = blame.workload = open_workload(config, group)
        apart = group if spec.distributed.strategy == "replicas" else None
        watching = [*observers, count]
        more = 0
        if apart is None:
            curves = sweep_seeds(workload, spec.sweep, spec.seed, watching)
        else:
            curves, more = sweep_seeds_apart(workload, spec.sweep, spec.seed, watching, apart)
    plain = spec.plain()
    course = Course.from_section(plain["schedule"])
    report = make_report(
        curves,
        spec.suggest.method,
        spec.suggest.args,
        purpose=course,
        spec=plain,
        device=device_name(workload.device, _trained_by(workload)),
        threads=torch.get_num_threads(),
        title=f"{config.path.stem}: {workload.title}",
        group_scales=workload.group_scales,
        notes=[*workload.told, *range_notes(curves, plan_of(spec.sweep))],
        folder=config.rule_folder,
    )
    if not spec.refine.enabled or curves[-1].stop is StopReason.INTERRUPTED:
        return report
    # What can be read once was read by the first rank, and what is left of it is there.
    if apart is not None and not workload.recipe.can_repeat:
        if not apart.world.leads:
            return report
        apart = None
    with blamed_on(config, blame):
        return refined(
            report,
            workload,
            spec.refine,
            course,
            trial_observers,
            spent=count.updates + more,
            group=apart,
        )


def inspect_config(config: Config, group: Group | None = None) -> list[tuple[str, str]]:
    """Load everything, compute one loss and its gradients, and say what was found.

    Args:
        config: what to load.
        group: the processes that do it together; None: this one does alone.

    Returns:
        Name and description, a row a thing.

    Raises:
        InputError: as `run_config`, before any training.
    """
    with together(config, group), blamed_on(config) as blame:
        workload = blame.workload = open_workload(config, group)
        with workload.open(config.spec.seed) as trainable:
            loss = trainable.backward()
            norm = trainable.gradient_norm()
            held_out = trainable.measure() if trainable.measures_apart else None
            alone = why_alone(workload, trainable)
            update = describe_update(trainable) if config.spec.framework else ()
    groups = workload.group_scales
    rows = [
        ("title", workload.title),
        ("device", device_name(workload.device, _trained_by(workload))),
        ("batch", trainable.batch_shape),
        ("loss", f"{loss:.6g} (gradient norm {norm:.3g})"),
    ]
    if held_out is not None:
        rows.append(("held out", f"{held_out:.6g}"))
    rows += update
    if groups:
        rows.append(("groups", "lr × " + ", ".join(f"{scale:g}" for scale in groups)))
    if group is not None:
        rows.append(("ranks", f"{group.world.size}, {config.spec.distributed.strategy}"))
    sweep = config.spec.sweep
    plan = f"{sweep.mode}, {sweep.start_lr:g} to {sweep.end_lr:g} in {sweep.steps} steps"
    rows += workload.about_data
    rows += [("note", str(note)) for note in workload.notes[config.spec.seed]]
    rows.append(("sweep", plan if sweep.seeds == 1 else f"{plan}, {sweep.seeds} seeds"))
    if sweep.seeds > 1:
        alone = alone if sweep.side_by_side else "sweep.side_by_side is false"
        alone = alone if workload.parallel is None else "the ranks train one together"
        rows.append(("seeds", f"one after another: {alone}" if alone else "side by side"))
    return [*rows, ("ok", f"lrfind run {config.path}")]


def check_batch_size(config: Config, where: str, group: Group | None = None) -> list[str]:
    """Draw and compute one batch of a config's size, before many are swept.

    Args:
        config: with `data.batch_size` set.
        where: the option that set it, to name in an error.
        group: the processes that sweep it together; None: this one does alone.

    Returns:
        The names of the optimizer's class and of the classes it is made of, its own first.

    Raises:
        InputError: the data bring their own batches or hold fewer samples than one; or as
            `inspect_config`.
    """
    data = config.spec.data
    size = 0 if data is None or data.batch_size is None else data.batch_size
    with together(config, group), blamed_on(config) as blame:
        workload = blame.workload = open_workload(config, group)
        with workload.open(config.spec.seed) as trainable:
            trainable.backward()
        accumulate = config.spec.sweep.accumulate
        seen = trainable.batch_size
        # A smaller batch than its name says would bend the law.
        if seen is not None and seen < size * accumulate:
            most = seen // accumulate
            what = f"gives {most} samples where a batch of {size} is asked for"
            raise InputError(Problem("data", what, f"take sizes up to {most} in {where}"))
        return [base.__name__ for base in type(trainable.swept.optimizer).__mro__]


def _trained_by(workload: Workload) -> int:
    """Count the processes that train one model together."""
    return 1 if workload.parallel is None else workload.parallel.group.world.size
