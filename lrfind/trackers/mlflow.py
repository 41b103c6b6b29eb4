"""An MLflow run, on a server or in a database, through MLflow's own client."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from lrfind.errors import InputError, Problem
from lrfind.trackers.entry import Entry, answer_of, series_of, settings_of, words_of

if TYPE_CHECKING:
    from lrfind.trackers.destination import Destination, Log

EXPERIMENT = "lrfind"
"""The experiment where MLFLOW_EXPERIMENT_NAME names no other."""

MOST_METRICS, MOST_PARAMS = 1000, 100
"""What MLflow takes at once (REST API, `runs/log-batch`)."""

LONGEST_PARAM = 6000
"""Characters of a parameter that MLflow keeps."""

HABITS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""Where the user says nothing: a server is waited for a while, not MLflow's several minutes."""

_Item = TypeVar("_Item")


def open_mlflow(destination: Destination) -> Log:
    """Prepare to write a run; makes the experiment where it is missing.

    Raises:
        InputError: the place cannot be reached.
    """
    for name, value in HABITS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient, set_tracking_uri
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(tracking_uri=destination.place)
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        found = client.get_experiment_by_name(name)
        experiment = client.create_experiment(name) if found is None else found.experiment_id
    except (MlflowException, ImportError, OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        what = f"cannot be opened: {first:.200}"
        raise InputError(Problem(destination.where, what, "check the URI and its server")) from None

    def log(entry: Entry) -> str:
        # Up to MLflow 3.6, files go where the process is set to, whatever the client is.
        set_tracking_uri(destination.place)
        run = client.create_run(experiment, run_name=entry.name).info.run_id
        try:
            _write(client, run, entry)
        except BaseException:
            client.set_terminated(run, "FAILED")
            raise
        client.set_terminated(run, "FINISHED")
        return f"{destination.place}, experiment {name}, run {run}"

    return log


def _write(client: object, run: str, entry: Entry) -> None:
    """Write metrics, parameters, tags and files of a run."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    assert isinstance(client, MlflowClient)
    metrics = [
        Metric(_name(series.name), value, 0, step)
        for series in series_of(entry.report)
        for step, value in enumerate(series.values)
    ]
    metrics += [Metric(name, number, 0, 0) for name, number in answer_of(entry.report).items()]
    for some in _batches(metrics, MOST_METRICS):
        client.log_batch(run, metrics=some)
    params = [
        Param(_name(key), text[:LONGEST_PARAM]) for key, text in settings_of(entry.report).items()
    ]
    for some_params in _batches(params, MOST_PARAMS):
        client.log_batch(run, params=some_params)
    tags = [RunTag(key, text) for key, text in words_of(entry.report).items()]
    client.log_batch(run, tags=tags)
    for file in entry.files:
        client.log_artifact(run, str(file))


def _name(name: str) -> str:
    """Write a name with the characters that MLflow takes, alone."""
    return "".join(c if c.isalnum() or c in "_-. /" else "_" for c in name)[:250]


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
