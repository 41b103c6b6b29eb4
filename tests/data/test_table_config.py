"""A table in a config: found beside it, told about, swept, and part of its pin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrfind import load_config, run_config
from lrfind.errors import ExitCode, InputError
from lrfind.experiment import inspect_config
from lrfind.pinning.tables import data_files
from tests.data.tables import passengers, written

CONFIG = """\
model: {target: "lrfind.data:mlp", args: {hidden: 16}}
data:
  target: lrfind.data:table
  args: {path: tables/p.csv, target: survived, split: 0.75}
  batch_size: 16
loss: cross_entropy
sweep: {start_lr: 1e-4, steps: 60}
"""

HELD_OUT = """\
  validation:
    target: lrfind.data:table
    args: {path: tables/p.csv, target: survived, split: 0.75, part: PART}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write a project with a table in a folder of its own."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "tables").mkdir()
    written(passengers(), tmp_path / "tables" / "p.csv")
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    return path


def test_a_table_is_swept_from_any_folder(config: Path) -> None:
    """Its path starts from the config's folder, and the report says what was read of it."""
    report = run_config(load_config(config))

    assert len(report.curves[0]) > 20
    (told,) = [note for note in report.notes if note.code == "data"]
    assert told.message == (
        "p.csv: 45 of 60 rows (train part of split 0.75, seed 0, classes alike); "
        "4 numbers standardised, 1 category one-hot: port (3); "
        "target survived: 2 classes (no 30, yes 15)"
    )


def test_validate_tells_table_features_and_target(config: Path) -> None:
    """A row each, and the held-out part's loss where there is one."""
    held_out = HELD_OUT.replace("PART", "test")
    config.write_text(CONFIG.replace("{start_lr: 1e-4, steps: 60}", "\n  steps: 60\n" + held_out))

    rows = dict(inspect_config(load_config(config)))

    assert rows["batch"] == "(float32 16×7, int64 16)"
    assert rows["features"] == "4 numbers standardised, 1 category one-hot: port (3)"
    assert {"table", "target", "held out"} <= rows.keys()


def test_a_mistake_is_placed_at_the_line_of_the_section_that_makes_it(config: Path) -> None:
    """Training and held-out data are both tables; the error names the one that is wrong."""
    held_out = HELD_OUT.replace("PART", "tset")
    config.write_text(CONFIG.replace("{start_lr: 1e-4, steps: 60}", "\n  steps: 60\n" + held_out))

    with pytest.raises(InputError) as caught:
        run_config(load_config(config))

    assert str(caught.value) == (
        f"{config}:11: sweep.validation.args.part = 'tset' is none of train, test; take one"
    )


def test_a_model_of_ones_own_may_ask_for_the_data(config: Path) -> None:
    """A required parameter `data` gets the table, beside the arguments of the config."""
    (config.parent / "own_net.py").write_text(
        "from torch import nn\n"
        "def build(data, hidden):\n"
        "    return nn.Sequential(nn.Linear(data.n_features, hidden), nn.Tanh(),\n"
        "                         nn.Linear(hidden, data.n_outputs))\n"
    )
    config.write_text(CONFIG.replace("lrfind.data:mlp", "own_net.py:build"))

    rows = dict(inspect_config(load_config(config)))

    assert rows["title"].startswith("Sequential (162 parameters)")


def test_a_perceptron_for_a_table_says_so_where_there_is_none(config: Path) -> None:
    """`mlp` has no size for data of another kind."""
    text = CONFIG.replace("lrfind.data:table", "torch:zeros").replace(
        "{path: tables/p.csv, target: survived, split: 0.75}", "{size: [4, 2]}"
    )
    config.write_text(text)

    with pytest.raises(InputError, match="sized by a table, but data gives a Tensor"):
        run_config(load_config(config))


def test_the_seeds_of_a_table_are_trained_side_by_side(config: Path) -> None:
    """A table takes the fast path of tensors in memory."""
    rows = dict(inspect_config(load_config(config, ["sweep.seeds=2"])))

    assert rows["seeds"] == "side by side"


def test_a_changed_table_makes_its_pin_stale(lrfind: Callable[..., Any], config: Path) -> None:
    """The lock holds the file's digest: `get --strict` refuses once a value changed."""
    pinned = lrfind("pin", config, "--lr", "0.01", "--reason", "test", "--seeds", "1")
    before = lrfind("get", config, "--strict")
    csv = config.parent / "tables" / "p.csv"
    csv.write_text(csv.read_text().replace("Cork", "Oslo", 1))
    after = lrfind("get", config, "--strict")

    assert (pinned.code, before.code) == (ExitCode.OK, ExitCode.OK), pinned.err
    assert after.code == ExitCode.DRIFT
    assert "tables/p.csv changed" in " ".join(after.err.split())


def test_only_tables_of_the_project_are_part_of_a_pin(config: Path, tmp_path: Path) -> None:
    """A table elsewhere is not the project's to watch, and one by import path is no file."""
    (tmp_path / "pyproject.toml").unlink()
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("")
    (inner / "c.yaml").write_text(CONFIG.replace("tables/", "../tables/"))

    assert data_files(load_config(config)) == [tmp_path / "tables" / "p.csv"]
    assert data_files(load_config(inner / "c.yaml")) == []
