"""A Weights & Biases run through its own client; offline where WANDB_MODE says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrfind.trackers.entry import Entry, answer_of, series_of, words_of

if TYPE_CHECKING:
    from lrfind.trackers.destination import Destination, Log

PROJECT = "lrfind"
"""The project where the user names none."""


def open_wandb(destination: Destination) -> Log:
    """Prepare to write a run. Whether a login is there is asked when the run is written."""
    import wandb

    project = destination.place or PROJECT

    def log(entry: Entry) -> str:
        quiet = wandb.Settings(silent=True, console="off", x_disable_stats=True)
        run = wandb.init(
            project=project,
            name=entry.name,
            config=dict(entry.report.spec),
            job_type="lr-range-test",
            settings=quiet,
        )
        try:
            table = {series.name: series.values for series in series_of(entry.report)}
            for name in table:
                if not name.endswith("lr"):
                    prefix = name.rpartition("/")[0]
                    run.define_metric(name, step_metric=f"{prefix}/lr" if prefix else "lr")
            for step in range(max(map(len, table.values()), default=0)):
                row = {name: values[step] for name, values in table.items() if step < len(values)}
                run.log(row, step=step)
            run.summary.update({**answer_of(entry.report), **words_of(entry.report)})
            if entry.picture is not None:
                run.log({"curve": wandb.Image(str(entry.picture))})
        except BaseException:
            run.finish(exit_code=1)
            raise
        run.finish()
        return str(run.dir if run.offline else run.url)

    return log
