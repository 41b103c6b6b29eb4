"""Broken configs: each gives exit 2, file and line, the rule, the remedy, and no frame of ours."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lrfind as package

TRAIN = """
import torch
from torch import nn
from torch.utils.data import TensorDataset

def model(width=4): return nn.Linear(3, width)
def data(n=64): return TensorDataset(torch.randn(n, 3), torch.zeros(n, dtype=torch.long))

ready = nn.Linear(3, 4)
def raises(): return 1 / 0
def exits(): raise SystemExit(1)
def nothing(): pass
def needs(width, depth): return nn.Linear(width, depth)
def frozen(): return nn.Linear(3, 4).requires_grad_(False)
def wide(): return nn.Linear(5, 4)
def empty(): return TensorDataset(torch.zeros(0, 3), torch.zeros(0))
def empty_list(): return []
def number(): return 7
def breaks():
    yield torch.zeros(2, 3), torch.zeros(2, dtype=torch.long)
    raise OSError("the disk is gone")
def each(p, t): return nn.functional.cross_entropy(p, t, reduction="none")
def gamma(p, t, gamma=2): return nn.functional.cross_entropy(p, t)
def item(model, batch): return model(batch[0]).mean().item()
def step_raises(model, batch): raise KeyError("image")
def optimizer(parameters): return None
class Box:
    class Inner:
        build = staticmethod(lambda: nn.Linear(3, 4))
"""


@dataclass(frozen=True)
class Case:
    """A mistake.

    Attributes:
        text: what is broken; sections that it leaves out are sound.
        line: where the first problem stands; None where there is no line.
        told: the rule and the remedy as they are told.
    """

    text: str | bytes
    line: int | None
    told: tuple[str, ...]


def case(text: str | bytes, line: int | None, *told: str) -> Case:
    """Write a case in a line or two."""
    return Case(text, line, told)


SOUND = {
    "model": "model: train.py:model",
    "data": "data: train.py:data",
    "loss": "loss: cross_entropy",
    "sweep": "sweep: {steps: 12}",
}

BOUND = "or drop the key for the default"
CASES = {
    # keys and types
    "unknown section": case("swep: {}", 1, "swep is not a known key", "did you mean 'sweep'?"),
    "unknown key": case(
        "sweep:\n  start: 1", 2, "sweep.start is not a known key", "did you mean 'start_lr'?"
    ),
    "a word for a number": case("sweep: {steps: many}", 1, "'many' must be an integer", BOUND),
    "a truth for a number": case("sweep: {steps: true}", 1, "true must be an integer", BOUND),
    "a part of a step": case("sweep: {steps: 12.5}", 1, "12.5 must be an integer", BOUND),
    "a list for a section": case("model: [a, b]", 1, "a list must be a section", "train.py:model"),
    "no value": case("model:", 1, "model = null must be a section", "mend the value"),
    "no target": case("model: {args: {}}", 1, "model.target is missing", "add it, for instance"),
    "unknown choice": case(
        "sweep: {mode: log}", 1, "must be 'exponential' or 'linear'", "the default, exponential"
    ),
    "unknown device": case("device: gpu", 1, "must be one of `auto | cpu | cuda", BOUND),
    "both loss and step": case(
        "step: train.py:item\nloss: mse_loss", 2, "loss and step are both given", "drop one"
    ),
    "two optimizers": case(
        'optimizer: {name: sgd, target: "torch.optim:SGD"}', 1, "(both are given)", "keep one"
    ),
    # bounds
    "start above end": case(
        "sweep:\n  start_lr: 1\n  end_lr: 0.1", 2, "must be below sweep.end_lr = 0.1", "swap them"
    ),
    "start at end": case("sweep: {start_lr: 10}", 1, "must be below sweep.end_lr = 10", "swap"),
    "zero": case("sweep: {start_lr: 0}", 1, "start_lr = 0 must be above 0", BOUND),
    "negative": case("sweep: {end_lr: -1}", 1, "end_lr = -1 must be above 0", BOUND),
    "nan": case("sweep: {start_lr: .nan}", 1, "must be a finite number", BOUND),
    "infinite": case("sweep: {end_lr: .inf}", 1, "must be a finite number", BOUND),
    "one step": case("sweep: {steps: 1}", 1, "steps = 1 must be at least 2", BOUND),
    "seed too large": case("seed: 4294967296", 1, "must be below 4294967296", BOUND),
    # keys that do not go together
    "low memory and accumulation": case(
        "sweep:\n  low_memory: true\n  accumulate: 2", 3, "no gradients to add to", "drop it"
    ),
    "low memory and clipping": case(
        "sweep:\n  clip_grad_norm: 1\n  low_memory: true", 2, "used the first gradients", "drop it"
    ),
    "low memory and fp16": case(
        "sweep: {low_memory: true, precision: fp16}", 1, "cannot take back", "write bf16 or fp32"
    ),
    "low memory and a closure": case(
        'optimizer: {target: "torch.optim:LBFGS"}\nsweep:\n  steps: 12\n  low_memory: true',
        4,
        "does not go with LBFGS, which evaluates the loss inside its step",
        "take an optimizer that needs one gradient a step, or drop low_memory",
    ),
    # YAML
    "tab": case("sweep:\n\tsteps: 3", 2, "a tab indents this line", "use spaces"),
    "duplicate key": case("seed: 1\nseed: 2", 2, "duplicate key 'seed'", "drop one of the two"),
    "unclosed bracket": case("sweep: {steps: 3\nx: 1", 2, "YAML syntax", "mend the line"),
    "undefined alias": case("sweep: *base", 1, "undefined alias 'base'", "mend the line"),
    "tag": case("sweep: !!python/object:os.system {}", 1, "plain values alone", "drop it"),
    "two documents": case("seed: 1\n---\nseed: 2", 2, "a second document", "drop the line ---"),
    "control character": case("seed: 1\nx: \x00", 2, "the character #x00", "remove it"),
    "not UTF-8": case("seed: 1 # \xe9".encode("latin1"), 1, "is not UTF-8 text", "save the file"),
    "empty": case("", None, "is empty; a config is a mapping", "lrfind init digits"),
    "only comments": case("# nothing\n", None, "is empty; a config", "lrfind init digits"),
    "a list": case("- model\n- data\n", None, "is a list; a config", "lrfind init digits"),
    "a word": case("hello\n", None, "is one value; a config", "lrfind init digits"),
    # import paths
    "missing file": case("model: trane.py:model", 1, "there is no file trane.py", "start from"),
    "a path too long": case(f"model: {'x' * 300}.py:model", 1, "there is no file", "start from"),
    "a home of nobody": case("model: ~nobody9/x.py:m", 1, "no file ~nobody9", "start from"),
    "missing module": case(
        "model: no_such_package.models:build", 1, "no module named 'no_such_package'", "install it"
    ),
    "missing attribute": case(
        "model: train.py:modle", 1, "train.py has no attribute 'modle'", "did you mean 'model'?"
    ),
    "missing nested attribute": case(
        "model: train.py:Box.Inner.biuld", 1, "train.py:Box.Inner has no", "did you mean 'build'?"
    ),
    "no attribute": case("model: train.py", 1, "is no import path", "after a colon"),
    "missing data file": case("data: {target: nothere.py:x}", 1, "there is no file", "start from"),
    # arguments
    "misspelt argument": case(
        "model:\n  target: train.py:model\n  args:\n    widht: 3",
        4,
        "model.args.widht is no parameter of train.py:model",
        "did you mean 'width'?",
    ),
    "missing argument": case(
        "model: {target: train.py:needs, args: {width: 3}}", 1, "needs depth", "add it there"
    ),
    "arguments of an instance": case(
        "model: {target: train.py:ready, args: {width: 3}}", 1, "is a ready Linear", "drop args"
    ),
    "misspelt loss argument": case(
        "loss: {name: cross_entropy, args: {reduktion: sum}}",
        1,
        "reduktion is no parameter of cross_entropy",
        "did you mean 'reduction'?",
    ),
    "misspelt argument of an own loss": case(
        "loss: {target: train.py:gamma, args: {gama: 1}}", 1, "gama is no", "did you mean 'gamma'?"
    ),
    # the user's objects
    "model is None": case("model: train.py:nothing", 1, "must be a torch.nn.Module", "return"),
    "frozen model": case("model: train.py:frozen", 1, "no parameter that requires", "unfreeze"),
    "empty dataset": case("seed: 1\ndata: train.py:empty", 2, "is empty", "check its path"),
    "empty list": case("seed: 1\ndata: train.py:empty_list", 2, "is empty", "check the path"),
    "data is a number": case("data: train.py:number", 1, "must be a Dataset", "return one"),
    "data is None": case("data: train.py:nothing", 1, "must be a Dataset", "return one"),
    "loss a sample": case("loss: train.py:each", 1, "the loss must be a scalar", "average it"),
    "unknown loss": case("loss: cross_entropi", 1, "no function of torch.nn.functional", "did you"),
    "step returns a float": case(
        "step: train.py:item\nloss:", 1, "must be a scalar tensor", "return the loss"
    ),
    "absent device": case("device: cuda:7", 1, "is not on this machine", "device: auto"),
    # optimizer
    "misspelt optimizer": case("optimizer: adamm", 1, "is not bundled", "did you mean 'adam'?"),
    "misspelt torch optimizer": case(
        "optimizer: torch.optim:RAdan", 1, "has no attribute 'RAdan'", "did you mean 'RAdam'?"
    ),
    "unknown optimizer argument": case(
        "optimizer:\n  name: sgd\n  args:\n    wieght_decay: 0.1",
        4,
        "wieght_decay is no parameter of sgd",
        "did you mean 'weight_decay'?",
    ),
    "negative lr": case(
        "optimizer:\n  name: adam\n  args:\n    lr: -1", 4, "optimizer.args.lr = -1", "≥ 0; "
    ),
    "bad betas": case(
        "optimizer:\n  args:\n    eps: 0\n    betas: [0.9, 2]", 4, "must be within [0, 1)", "0.999"
    ),
    "a word for momentum": case(
        "optimizer: {name: sgd, args: {momentum: high}}", 1, "momentum = high", "mend the value"
    ),
    "torch's bad betas": case(
        'optimizer: {target: "torch.optim:RAdam", args: {betas: [3, 3]}}', 1, "betas", "mend"
    ),
    "optimizer is None": case(
        "optimizer: train.py:optimizer", 1, "must be a torch.optim", "return"
    ),
    "group of nothing": case(
        "optimizer:\n  param_groups:\n    - params: head.*",
        3,
        "matches no parameter",
        "bias, weight",
    ),
    "misspelt group argument": case(
        "optimizer:\n  param_groups:\n    - params: bias\n      args: {decay: 0}",
        4,
        "param_groups.0.args.decay is no parameter of adamw",
        "weight_decay",
    ),
    "bad group argument": case(
        "optimizer:\n  param_groups:\n    - params: bias\n      args: {weight_decay: -1}",
        4,
        "weight_decay = -1 does not fit adamw",
        "≥ 0",
    ),
    "group lr without a unit": case(
        "optimizer: {param_groups: [{params: bias, args: {lr: 1}}]}", 1, "a ratio of", "lr_scale"
    ),
    "group lr of zero": case(
        "optimizer: {args: {lr: 0}, param_groups: [{params: bias, args: {lr: 1}}]}",
        1,
        "both above 0",
        "lr_scale",
    ),
    # rule and files
    "misspelt rule": case("suggest: steepist", 1, "is no rule", "did you mean 'steepest'?"),
    "unknown option of a rule": case(
        "suggest:\n  method: before_rise\n  args: {decade: 1}",
        3,
        "takes no option 'decade'",
        "did you mean 'decades'?",
    ),
    "missing file of a rule": case("suggest: rules.py:mine", 1, "there is no file", "start from"),
}

RAISING = {
    "factory raises": case("model: train.py:raises", 1, "raised ZeroDivisionError", "in raises"),
    "factory exits": case("model: train.py:exits", 1, "raised SystemExit: 1", "in exits"),
    "module raises": case(
        "model: raises.py:x", 1, "raised ZeroDivisionError", 'raises.py", line 2'
    ),
    "module misses a package": case(
        "model: imports.py:x", 1, "No module named 'not_installed_anywhere'", 'imports.py", line 1'
    ),
    "syntax error": case("model: syntax.py:x", 1, "raised SyntaxError", 'syntax.py", line 1'),
    "data breaks": case("data: train.py:breaks", 1, "raised OSError: the disk", "in breaks"),
    "step raises": case(
        "step: train.py:step_raises\nloss:", 1, "raised KeyError: 'image'", "in step_raises"
    ),
    "shapes differ": case("model: train.py:wide", 1, "shapes cannot be multiplied", "mat1"),
    "loss of another kind": case("loss: relu", 2, "raised RuntimeError", "Boolean value"),
    "model without its loss": case("loss:", 2, "raised TypeError", "positional arguments"),
}
"""Cases in which the user's code raises: their frames are shown."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound training script and three broken ones."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(TRAIN)
    (folder / "raises.py").write_text("x = 3\ny = x / 0\n")
    (folder / "imports.py").write_text("import not_installed_anywhere\n")
    (folder / "syntax.py").write_text("def f(:\n    pass\n")
    return folder


def whole(text: str | bytes) -> bytes:
    """Put a broken piece first, and below it the sections that it leaves out."""
    if isinstance(text, bytes):
        return text
    given = set(re.findall(r"^(\w+):", text, flags=re.MULTILINE))
    is_mapping = bool(given)
    rest = [line for name, line in SOUND.items() if name not in given] if is_mapping else []
    if "\n---\n" in text:
        rest = []
    return "\n".join([text.rstrip("\n"), *rest, ""]).encode()


def frames_of_ours(text: str) -> list[str]:
    """Find the frames of a traceback that lie in lrfind."""
    ours = str(Path(package.__file__).parent)
    return [line for line in text.splitlines() if "File " in line and ours in line]


def check(outcome: Any, broken: Case) -> None:
    """Require exit 2, place, rule and remedy, and none of our frames."""
    where = "c.yaml" if broken.line is None else f"c.yaml:{broken.line}"
    first = outcome.err.splitlines()[0]

    assert outcome.code == 2, outcome.err
    assert outcome.out == ""
    assert first.startswith(f"error: {where}: "), outcome.err
    assert "; " in first
    for told in broken.told:
        assert told in outcome.err
    assert frames_of_ours(outcome.err) == []
    assert "internal error" not in outcome.err


@pytest.mark.parametrize("name", CASES)
def test_a_broken_config_is_explained(
    name: str, project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """File and line, the rule and the remedy, and nothing but that."""
    monkeypatch.chdir(project)
    (project / "c.yaml").write_bytes(whole(CASES[name].text))

    outcome = lrfind("run", "c.yaml", "--quiet", "--out", "out")

    check(outcome, CASES[name])
    assert "Traceback" not in outcome.err
    assert not (project / "out" / "curve.csv").exists()


@pytest.mark.parametrize("name", RAISING)
def test_what_the_users_code_raises_is_shown_with_its_frames(
    name: str, project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the place and the phase stand the frames that the user can mend, and no others."""
    monkeypatch.chdir(project)
    (project / "c.yaml").write_bytes(whole(RAISING[name].text))

    outcome = lrfind("run", "c.yaml", "--quiet", "--out", "out")

    check(outcome, RAISING[name])


@pytest.mark.parametrize("name", ["factory raises", "factory exits", "syntax error"])
def test_no_frame_of_the_machinery_is_shown(
    name: str, project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Python and lrfind do between the config and the user's function is left out."""
    monkeypatch.chdir(project)
    (project / "c.yaml").write_bytes(whole(RAISING[name].text))

    outcome = lrfind("run", "c.yaml", "--quiet", "--out", "out")

    assert "<frozen" not in outcome.err
    assert "contextlib.py" not in outcome.err


def test_validate_finds_the_same(
    project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lrfind validate` tells a mistake in the words of `lrfind run`."""
    monkeypatch.chdir(project)
    for broken in (CASES["misspelt argument"], CASES["empty dataset"], RAISING["factory raises"]):
        (project / "c.yaml").write_bytes(whole(broken.text))

        check(lrfind("validate", "c.yaml"), broken)


def test_debug_shows_our_frames(
    project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `--debug` the whole traceback follows."""
    monkeypatch.chdir(project)
    (project / "c.yaml").write_bytes(whole("model: train.py:raises"))

    outcome = lrfind("run", "c.yaml", "--debug", "--out", "out")

    assert outcome.code == 2
    assert frames_of_ours(outcome.err) != []


def test_all_problems_are_told_at_once(
    project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys, types, bounds, names and files of one config stand in file order, with their count."""
    monkeypatch.chdir(project)
    (project / "c.yaml").write_text(
        "modle: x\nsweep:\n  steps: 0\n  start_lr: -1\ndata: nofile.py:x\ndevice: gpu\n"
        "optimizer: adamm\nsuggest: vally\nseed: 1\nseed: 2\n"
    )

    outcome = lrfind("run", "c.yaml", "--set", "sweep.mode=log")

    lines = outcome.err.splitlines()
    places = [line.split(": ")[1] for line in lines[:-1]]
    numbers = (1, 3, 4, 5, 6, 7, 8, 10)
    assert outcome.code == 2
    assert places[: len(numbers)] == [f"c.yaml:{number}" for number in numbers]
    assert sorted(places[len(numbers) :]) == ["--set sweep.mode=log", "c.yaml"]
    assert lines[-1] == "10 problems"


def test_all_targets_are_told_at_once(
    project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attributes and arguments are checked for every section before anything is called."""
    monkeypatch.chdir(project)
    (project / "c.yaml").write_text(
        "model: {target: train.py:raises, args: {x: 1}}\ndata: train.py:dat\n"
        "loss: {name: cross_entropy, args: {y: 1}}\noptimizer: {args: {z: 1}}\n"
        "suggest: {method: valley, args: {w: 1}}\n"
    )

    outcome = lrfind("run", "c.yaml")

    assert outcome.code == 2
    assert [line.split(": ")[1] for line in outcome.err.splitlines()[:-1]] == [
        f"c.yaml:{line}" for line in (1, 2, 3, 4, 5)
    ]
    assert outcome.err.splitlines()[-1] == "5 problems"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "nothere.yaml"], "error: nothere.yaml: cannot be read: No such file"),
        (["run", "."], "error: .: cannot be read: Is a directory"),
        (["validate", "nothere.yaml"], "lrfind init digits"),
        (["run", "sound.yaml", "--set", "sweep.steps"], "an override reads key=value"),
        (["run", "sound.yaml", "--method", "vally"], "--method: 'vally' is no rule; did you mean"),
        (["run", "sound.yaml", "--out", "train.py"], "error: train.py: is no folder"),
        (["run", "sound.yaml", "--out", "train.py/x"], "error: train.py/x: is no folder"),
        (["run", "sound.yaml", "--set", "output=train.py"], "error: train.py: is no folder"),
        (["run", "taken.yaml"], "curve.csv: is a folder"),
        (["suggest", "nothere.csv"], "error: nothere.csv: cannot be read"),
        (["suggest", "train.py"], "error: train.py"),
        (["plot", "nothere.csv"], "error: nothere.csv: cannot be read"),
        (["init", "--dir", "train.py"], "error: train.py: is no folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_files_and_options_are_explained(
    arguments: list[str],
    told: str,
    project: Path,
    lrfind: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Files that are missing or in the way are told before any work is done."""
    monkeypatch.chdir(project)
    (project / "sound.yaml").write_bytes(whole("seed: 1"))
    (project / "taken.yaml").write_bytes(whole("output: taken"))
    (project / "taken" / "curve.csv").mkdir(parents=True, exist_ok=True)

    outcome = lrfind(*arguments)

    assert outcome.code == 2, outcome.err
    assert told in outcome.err
    assert "; " in outcome.err.splitlines()[0]
    assert "Traceback" not in outcome.err
    assert "internal error" not in outcome.err


@pytest.mark.parametrize("name", ["model.yaml", "data.yml", "sweep.json"])
def test_a_config_may_be_called_like_a_section(
    name: str, project: Path, lrfind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file called `model.yaml` is a place as any other."""
    monkeypatch.chdir(project)
    (project / name).write_bytes(whole("model: train.py:modle"))

    outcome = lrfind("run", name)

    assert outcome.err == (
        f"error: {name}:1: model.target = 'train.py:modle': train.py has no attribute 'modle'; "
        "did you mean 'model'?\n"
    )


@pytest.mark.parametrize("name", ["negative lr", "duplicate key", "empty dataset"])
def test_the_program_itself_exits_with_2(name: str, project: Path) -> None:
    """A process of its own ends with exit code 2 and the same words."""
    (project / "c.yaml").write_bytes(whole(CASES[name].text))
    run = subprocess.run(
        [sys.executable, "-m", "lrfind", "run", "c.yaml", "--quiet"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )

    @dataclass
    class Ended:
        code: int
        out: str
        err: str

    check(Ended(run.returncode, run.stdout, run.stderr), CASES[name])
