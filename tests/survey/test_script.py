"""`lrfind init --from script`: a config that runs, or what could not be found and where."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lrfind.errors import ExitCode
from tests import nursery

ROOT = Path(__file__).parents[2]

HEAD = """
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.utils.data import DataLoader, Dataset, TensorDataset

WIDTH = 16

class Points(Dataset):
    def __init__(self, n, dim=8):
        self.x = torch.randn(n, dim)
        self.y = (self.x.sum(1) > 0).long()
    def __len__(self): return len(self.x)
    def __getitem__(self, i): return self.x[i], self.y[i]

class Net(nn.Module):
    def __init__(self, dim, width=4, *, classes=2):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(dim, width), nn.ReLU(), nn.Linear(width, classes))
    def forward(self, x): return self.body(x)
"""

CLASSIC = (
    HEAD
    + """
def train(args, model, device, loader, optimizer, epoch):
    model.train()
    for batch_idx, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.cross_entropy(output, target, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        if batch_idx % args.log_interval == 0:
            print(loss.item())

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1.0)
    parser.add_argument("--wd", dest="wd", type=float, default=0.01)
    args = parser.parse_args()
    device = torch.device("cpu")
    kwargs = {"num_workers": 1}
    train_loader = DataLoader(Points(128), batch_size=args.batch_size, shuffle=True,
                              pin_memory=True)
    model = Net(8, WIDTH).to(device)
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=args.wd)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1)
    for epoch in range(1, 3):
        train(args, model, device, train_loader, optimizer, epoch)
        scheduler.step()

if __name__ == "__main__":
    main()
"""
)

GUARDED = (
    HEAD
    + """
if __name__ == "__main__":
    x = torch.randn(96, 8)
    loader = DataLoader(Points(n=96), 16)
    net = torch.compile(Net(dim=8))
    criterion = nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler()
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.9, 0.98))
    for epoch in range(2):
        for x, y in loader:
            loss = criterion(net(x), y) / 2
            scaler.scale(loss).backward()
            scaler.step(opt)
"""
)

STEPPED = (
    HEAD
    + """
def batches():
    return [(torch.randn(4, 8), torch.zeros(4).long())] * 8

def training_loss(model, batch):
    x, y = batch
    return F.cross_entropy(model(x.view(-1, 8)), y)

def fit(model, loader, lr=0.1):
    optimizer = torch.optim.RAdam(params=model.parameters(), lr=lr)
    for i, batch in enumerate(loader):
        loss = training_loss(model, batch)
        accelerator.backward(loss)
        optimizer.step()

def main():
    fit(Net(dim=8), batches())
"""
)

OWN_LOSS = (
    HEAD
    + """
class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net(8)
    def forward(self, x, labels=None):
        out = self.net(x)
        return {"logits": out, "loss": F.cross_entropy(out, labels)}

def load():
    ones = [{"x": torch.randn(8), "labels": torch.tensor(1)}] * 64
    return DataLoader(ones, batch_size=8)

def run():
    model = Own()
    optimizer = torch.optim.Adam(model.parameters())
    for batch in load():
        outputs = model(**batch)
        loss = outputs["loss"]
        loss.backward()
        optimizer.step()
"""
)

READY = (
    HEAD
    + """
torch.manual_seed(0)
x = torch.randn(64, 8)
y = (x.sum(1) > 0).long()
trainloader = DataLoader(TensorDataset(x, y), batch_size=32, collate_fn=None)
net = nn.Sequential(nn.Linear(8, 2))
criterion = nn.CrossEntropyLoss(weight=torch.ones(2))

def main():
    optimizer = optim.Adam(net.parameters(), lr=1e-2)
    for inputs, labels in trainloader:
        loss = criterion(net(inputs), labels)
        loss.backward()
        optimizer.step()
"""
)

SEVERAL = (
    HEAD
    + """
def get_data(n):
    parts = torch.utils.data.random_split(Points(n), [0.75, 0.25])
    return {"train": parts[0], "test": parts[1]}, WIDTH

def main():
    splits, width = get_data(n=96)
    loader, _ = DataLoader(splits["train"], batch_size=16), 0
    model = Net(dim=8)
    optimizer = optim.Adam(model.parameters())
    for x, y in loader:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
"""
)

UNPACKED = SEVERAL.replace(
    """    return {"train": parts[0], "test": parts[1]}, WIDTH
""",
    "    return parts\n",
).replace(
    """    splits, width = get_data(n=96)
    loader, _ = DataLoader(splits["train"], batch_size=16), 0
""",
    """    train, test = get_data(n=96)
    loader, _ = DataLoader(train, batch_size=16), 0
""",
)

FOUND = {
    "unpacked": (
        UNPACKED,
        {
            "model": {"target": "train.py:Net", "args": {"dim": 8}},
            "data": {
                "target": "train.py:get_data",
                "args": {"n": 96},
                "item": 0,
                "batch_size": 16,
                "shuffle": False,
            },
            "loss": "cross_entropy",
            "optimizer": {"target": "torch.optim:Adam"},
        },
    ),
    "classic": (
        CLASSIC,
        {
            "model": {"target": "train.py:Net", "args": {"dim": 8, "width": 16}},
            "data": {
                "target": "train.py:Points",
                "args": {"n": 128},
                "batch_size": 32,
                "shuffle": True,
            },
            "loss": {"name": "cross_entropy", "args": {"label_smoothing": 0.1}},
            "optimizer": {
                "target": "torch.optim:SGD",
                "args": {"momentum": 0.9, "weight_decay": 0.01},
            },
        },
    ),
    "guarded": (
        GUARDED,
        {
            "model": {"target": "train.py:Net", "args": {"dim": 8}},
            "data": {
                "target": "train.py:Points",
                "args": {"n": 96},
                "batch_size": 16,
                "shuffle": False,
            },
            "loss": "cross_entropy",
            "optimizer": {"target": "torch.optim:AdamW", "args": {"betas": [0.9, 0.98]}},
        },
    ),
    "stepped": (
        STEPPED,
        {
            "model": {"target": "train.py:Net", "args": {"dim": 8}},
            "data": {"target": "train.py:batches"},
            "step": {"target": "train.py:training_loss"},
            "optimizer": {"target": "torch.optim:RAdam"},
        },
    ),
    "own loss": (
        OWN_LOSS,
        {
            "model": {"target": "train.py:Own"},
            "data": {"target": "train.py:load"},
            "optimizer": {"target": "torch.optim:Adam"},
        },
    ),
    "ready": (
        READY,
        {
            "model": {"target": "train.py:net"},
            "data": {"target": "train.py:trainloader"},
            "loss": {"target": "train.py:criterion"},
            "optimizer": {"target": "torch.optim:Adam"},
        },
    ),
}


@pytest.fixture(name="project")
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Write a script into the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(code: str) -> Path:
        path = tmp_path / "train.py"
        path.write_text(code)
        return path

    return write


@pytest.mark.parametrize("name", FOUND)
def test_a_script_becomes_a_config_that_is_valid(
    name: str, project: Callable[[str], Path], lrfind: Callable[..., Any]
) -> None:
    """Each section is what the loop uses, with literal arguments; `validate` takes it as it is."""
    code, expected = FOUND[name]
    project(code)

    wrote = lrfind("init", "--from", "script", "train.py")

    assert wrote.code == ExitCode.OK, wrote.err
    assert wrote.out == "lrfind.yaml\n"
    assert yaml.safe_load(Path("lrfind.yaml").read_text()) == expected
    checked = lrfind("validate", "lrfind.yaml")
    assert checked.code == ExitCode.OK, checked.err


def test_nothing_of_the_project_is_run(
    project: Callable[[str], Path], lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an import nor a call: a file that ends the process when it is imported is read."""
    monkeypatch.delitem(sys.modules, "train", raising=False)
    project("raise SystemExit(9)\n" + CLASSIC)

    assert lrfind("init", "--from", "script").code == ExitCode.OK
    assert "train" not in sys.modules


def test_parts_in_several_files_are_followed_and_run(tmp_path: Path) -> None:
    """Imports between files are followed; `lrfind run` then gives an answer."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "nets.py").write_text(HEAD)
    (tmp_path / "src" / "points.py").write_text(
        "from nets import Points\nfrom torch.utils.data import DataLoader\n"
        "def make_loader(n=256, batch_size=32):\n"
        "    return DataLoader(Points(n), batch_size=batch_size, shuffle=True)\n"
    )
    (tmp_path / "src" / "main.py").write_text(
        "from nets import Net\nimport points\nfrom torch import nn, optim\n"
        "def main():\n"
        "    model = Net(8, width=32)\n"
        "    loss_fn = nn.CrossEntropyLoss()\n"
        "    optimizer = optim.Adam(model.parameters(), 1e-3)\n"
        "    loader = points.make_loader(512)\n"
        "    for x, y in loader:\n"
        "        optimizer.zero_grad()\n"
        "        pred = model(x)\n"
        "        loss = loss_fn(pred, y)\n"
        "        loss.backward()\n"
        "        optimizer.step()\n"
        'if __name__ == "__main__":\n    main()\n'
    )
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "broken.py").write_text("def (")
    commands = [["init", "--from", "script", "src"], ["run", "lrfind.yaml", "-q", "--format", "lr"]]

    done = [nursery.ran("-m", "lrfind", *command, cwd=tmp_path) for command in commands]

    assert [run.returncode for run in done] == [0, 0], done[-1].stderr + done[0].stderr
    written = yaml.safe_load((tmp_path / "lrfind.yaml").read_text())
    assert written["data"] == {"target": "src/points.py:make_loader", "args": {"n": 512}}
    assert 1e-4 < float(done[1].stdout) < 1


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            HEAD + "def main():\n    pass\n",
            [
                "train.py: model: no loop with backward(), and nothing that makes an nn.Module wit",
                "data: no loop with backward(), and nothing that makes a Dataset or DataLoader",
                "looked into train.py",
            ],
        ),
        (
            CLASSIC.replace('if __name__ == "__main__":\n    main()', "main()"),
            ["importing this file trains: it calls main", 'put it under if __name__ == "__main__"'],
        ),
        (
            GUARDED.replace('if __name__ == "__main__":', "if True:"),
            ["importing this file trains: this stands at its top"],
        ),
        (
            SEVERAL,
            ["train.py:", "get_data(n=96)[0] is made in a way that no config can name"],
        ),
        (
            READY + "args = argparse.ArgumentParser().parse_args()\n",
            ["importing this file reads the command line"],
        ),
        (
            GUARDED.replace("net(x)", "net(x.view(-1, 8) * 2)"),
            ["net(x.view(-1, 8) * 2): the loss is more than", "write a function step(model, bat"],
        ),
        (
            GUARDED.replace("for x, y in loader:", "for x, y in loader:\n            x = x + 1"),
            ["the loss is more than loss(model(*inputs), target)"],
        ),
        (
            GUARDED.replace("/ 2", "+ 0.1 * sum(p.norm() for p in net.parameters())"),
            ["the loss is more than loss(model(*inputs), target)"],
        ),
        (
            GUARDED.replace(
                ".backward()", ".backward()\n            criterion(net(x), x).backward()"
            ),
            ["2 losses are minimised in one loop", "name it as step"],
        ),
        (
            CLASSIC + CLASSIC.partition("def train(")[2].join(["\ndef again(", ""]),
            ["this loop trains, and so does that in"],
        ),
        (
            GUARDED.replace("Net(dim=8)", "Net(dim=x.shape[1])"),
            ["Net(dim=x.shape[1]): its argument dim = x.shape[1] is no plain value"],
        ),
        (GUARDED.replace("Net(dim=8)", "Net()"), ["Net() does not say 'dim' of Net"]),
        (
            GUARDED.replace("Points(n=96), 16", "Points(n=96), 16, collate_fn=len"),
            ["a config has no collate_fn"],
        ),
        (
            GUARDED.replace("Net(dim=8)", "build(8)[0]"),
            ["build(8)[0] is made in a way that no config can name"],
        ),
    ],
)
def test_what_cannot_be_told_is_told_so(
    code: str, told: list[str], project: Callable[[str], Path], lrfind: Callable[..., Any]
) -> None:
    """Nothing is written; each part that is missing is named with its line and a remedy."""
    project(code)

    outcome = lrfind("init", "--from", "script", "train.py")

    assert outcome.code == ExitCode.BAD_INPUT, outcome.out
    for text in told:
        assert text in outcome.err
    assert not Path("lrfind.yaml").exists()


def test_files_that_cannot_be_read(
    project: Callable[[str], Path], lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """A missing path, a broken file and an empty folder are told; a config that is there stays."""
    project("def (:\n")
    (tmp_path / "empty").mkdir()
    assert "nowhere.py: cannot be read" in lrfind("init", "--from", "script", "nowhere.py").err
    assert "train.py:1: is no Python" in lrfind("init", "--from", "script", "train.py").err
    assert "holds no Python file" in lrfind("init", "--from", "script", "empty").err

    project(CLASSIC)
    Path("lrfind.yaml").write_text("mine")
    refused = lrfind("init", "--from", "script", "train.py")

    assert refused.code == ExitCode.BAD_INPUT
    assert "lrfind.yaml: exists already; pass --force" in refused.err
    assert Path("lrfind.yaml").read_text() == "mine"
    assert lrfind("init", "--from", "script", "train.py", "--force").code == ExitCode.OK


def test_a_path_without_from_is_explained(
    project: Callable[[str], Path], lrfind: Callable[..., Any]
) -> None:
    """`lrfind init train.py` names the option that was meant, a wrong word the starters."""
    project(CLASSIC)

    assert "lrfind init --from script train.py" in lrfind("init", "train.py").err
    assert "did you mean 'digits'?" in lrfind("init", "digit").err


@pytest.mark.parametrize(
    "path",
    [
        "tests/projects/torch_lr_finder_readme",
        "tests/projects/plain_script",
        "tests/projects/tabular",
        "examples/own_loader.py",
        "examples/text.py",
    ],
)
def test_projects_that_were_written_without_it(
    path: str, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """Projects that know nothing of this get a config that is valid where it stands."""
    wrote = lrfind("init", "--from", "script", ROOT / path, "--dir", tmp_path)

    assert wrote.code == ExitCode.OK, wrote.err
    checked = lrfind("validate", tmp_path / "lrfind.yaml")
    assert checked.code == ExitCode.OK, checked.err


def test_a_gan_is_told_that_a_sweep_is_of_one(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """Two losses in one loop are told with the line, and what to write for one of them."""
    told = lrfind("init", "--from", "script", ROOT / "tests/projects/gan", "--dir", tmp_path)

    assert told.code == ExitCode.BAD_INPUT
    assert "2 losses are minimised in one loop; a range test sweeps one: write step" in told.err
