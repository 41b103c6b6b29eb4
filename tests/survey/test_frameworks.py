"""`lrfind init --from lightning` and `--from huggingface`: by `fit`, and what gives a Trainer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lrfind.errors import ExitCode

ROOT = Path(__file__).parents[2]

LIGHTNING = """
import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Base(L.LightningModule):
    def training_step(self, batch, batch_idx):
        return nn.functional.mse_loss(self.net(batch[0]), batch[1])
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

class Module(Base):
    def __init__(self, width, *, depth=1):
        super().__init__()
        self.net = nn.Linear(4, 1)

class Data(L.LightningDataModule):
    def __init__(self, batch_size=8):
        super().__init__()
        self.batch_size = batch_size
    def train_dataloader(self):
        return DataLoader(TensorDataset(torch.ones(32, 4), torch.ones(32, 1)), self.batch_size)

def loader():
    return Data(4).train_dataloader()
"""
FIT = (
    LIGHTNING
    + """
def main():
    width = 8
    module = Module(width, depth=2)
    trainer = L.Trainer(max_epochs=1)
    trainer.fit(module, %s)
"""
)

TRAINER = """
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

class Mine(Trainer):
    pass

def build(lr=1e-3, size=8):
    args = TrainingArguments(output_dir="out", learning_rate=lr)
    trainer = Mine(model=BertForSequenceClassification(BertConfig(hidden_size=size)), args=args)
    return trainer
"""


@pytest.fixture(name="written")
def _written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lrfind: Callable[..., Any]
) -> Callable[[str, str], Any]:
    """Write a script, survey it, and give the config, or the errors where there is none."""
    monkeypatch.chdir(tmp_path)

    def write(kind: str, code: str) -> Any:
        (tmp_path / "train.py").write_text(code)
        outcome = lrfind("init", "--from", kind, "train.py")
        path = tmp_path / "lrfind.yaml"
        assert path.exists() == (outcome.code == ExitCode.OK)
        return yaml.safe_load(path.read_text()) if path.exists() else outcome.err

    return write


MODULE = {"target": "train.py:Module", "args": {"width": 8, "depth": 2}}


@pytest.mark.parametrize(
    ("code", "section"),
    [
        (
            FIT % "datamodule=Data(batch_size=16)",
            {
                "module": MODULE,
                "datamodule": {"target": "train.py:Data", "args": {"batch_size": 16}},
            },
        ),
        (FIT % "loader()", {"module": MODULE, "datamodule": {"target": "train.py:loader"}}),
        (
            FIT.replace("module, %s", "model=module"),
            {"module": MODULE, "datamodule": {"target": "train.py:Data"}},
        ),
        (
            LIGHTNING.replace("self, width,", "self, width=3,").replace("Base", "_Base"),
            {"module": {"target": "train.py:Module"}, "datamodule": {"target": "train.py:Data"}},
        ),
    ],
)
def test_a_lightning_project_is_read_off_fit(
    code: str, section: Any, written: Callable[[str, str], Any]
) -> None:
    """Module and data of `fit` with their arguments; without `fit` the classes that need none."""
    assert written("lightning", code) == {"lightning": section}


@pytest.mark.parametrize(
    ("returned", "index"),
    [
        ("one, two", 0),
        ("[one, two]", 0),
        ("several", 0),
        ("several, schedulers(several)", 0),
        ("[one], [schedulers(one)]", None),
        ("one", None),
        ("made()", None),
    ],
)
def test_of_several_optimizers_the_first_is_swept(
    returned: str, index: int | None, written: Callable[[str, str], Any]
) -> None:
    """Where `configure_optimizers` lists more than one, the config chooses, and says so."""
    sgd = "torch.optim.SGD(self.parameters(), lr=0.1)"
    body = f"one = two = {sgd}\n        several = [one, two]\n        return {returned}"
    code = (FIT % "loader()").replace(f"return {sgd}", body)
    config = written("lightning", code)

    assert config["lightning"].get("optimizer_index") == index
    assert ("sweep" in config) == (index is not None)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (LIGHTNING.replace("class Base(L.LightningModule)", "class Base(nn.Module)"), "no call of"),
        (FIT.replace("module, %s", "Module(open('w'))"), "its argument width = open('w') is no"),
        (
            FIT.replace("def main():", "if True:") % "loader()",
            "importing this file trains: this stands at its top",
        ),
        ((FIT % "loader()") + "\nmain()\n", "importing this file trains: it calls main"),
    ],
)
def test_what_lightning_does_not_say(
    code: str, told: str, written: Callable[[str, str], Any]
) -> None:
    """Each is told, and no config is written."""
    assert told in written("lightning", code)


@pytest.mark.parametrize(
    ("code", "section"),
    [
        (TRAINER, {"target": "train.py:build"}),
        (
            TRAINER.replace("lr=1e-3", "lr") + "def main():\n    build(3e-4, size=4).train()\n",
            {"target": "train.py:build", "args": {"lr": 3e-4, "size": 4}},
        ),
    ],
)
def test_a_function_that_returns_a_trainer_is_named(
    code: str, section: Any, written: Callable[[str, str], Any]
) -> None:
    """Also a subclass; its required arguments from a call with plain ones."""
    assert written("huggingface", code) == {"huggingface": {"trainer": section}}


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import torch\n", "no Trainer is built and no function returns one; looked into train.py"),
        (TRAINER.replace("    return trainer", "    trainer.train()"), "a Trainer is built here"),
        (
            TRAINER.replace("    return", "    trainer.train()\n    return"),
            "build returns a Trainer, but trains it before",
        ),
        (TRAINER.replace("lr=1e-3", "lr"), "build returns a Trainer, but needs lr"),
    ],
)
def test_what_a_project_does_not_say_of_its_trainer(
    code: str, told: str, written: Callable[[str, str], Any]
) -> None:
    """Each is told, and no config is written."""
    assert told in written("huggingface", code)


@pytest.mark.parametrize(
    ("kind", "project"),
    [
        ("lightning", "lightning_images"),
        ("lightning", "lightning_gan"),
        ("lightning", "lightning_lr_find"),
        ("huggingface", "hf_text"),
    ],
)
def test_projects_that_were_written_without_it(
    kind: str, project: str, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Projects that know nothing of this get a config that is valid where it stands."""
    path = ROOT / "tests" / "projects" / project

    wrote = lrfind("init", "--from", kind, path, "--dir", tmp_path)

    assert wrote.code == ExitCode.OK, wrote.err
    checked = lrfind("validate", tmp_path / "lrfind.yaml")
    assert checked.code == ExitCode.OK, checked.err
