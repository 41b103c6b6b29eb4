"""The examples, starters and translated projects train in a bare PyTorch loop.

The loop here is this file's own and knows nothing of the engine: what fails in it is the example's
fault, and what fails only through `lrfind run` is the engine's.
"""

from __future__ import annotations

import copy
import inspect
import math
import re
import shutil
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

from lrfind.registry import import_file, parse_target
from lrfind.spec import Spec

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
TEMPLATES = ROOT / "lrfind" / "templates"
PROJECTS = ROOT / "tests" / "projects"


def is_plain(path: Path) -> bool:
    """Tell a config that names model and data from one that names a framework's project."""
    return re.search(r"^(lightning|huggingface):", path.read_text(), re.MULTILINE) is None


VISION = {"timm", "torchvision"}
"""Configs for libraries that are not installed with the tests; test_vision.py runs them."""

SHIPPED = sorted((ROOT / "configs").glob("*.yaml"))
CONFIGS = [path for path in SHIPPED if path.stem not in VISION]
STARTERS = [path for path in sorted(TEMPLATES.glob("*/lrfind.yaml")) if is_plain(path)]
TRANSLATED = [path for path in sorted(PROJECTS.glob("*/lrfind.yaml")) if is_plain(path)]
FOR_FRAMEWORKS = [path for path in sorted(TEMPLATES.glob("*/lrfind.yaml")) if not is_plain(path)]
ALL = [*CONFIGS, *STARTERS, *TRANSLATED]

OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}

# An LR with which each trains, and the loss it falls below in forty updates from where it starts.
TRAINS = {
    "accelerate": (1e-2, 1.0),
    "contrastive": (5e-3, 4.5),
    "diabetes": (0.1, 0.75),
    "digits": (1e-2, 1.0),
    "digits_cnn": (0.1, 1.0),
    "digits_seeds": (1e-2, 1.0),
    "gan": (2e-3, -2.0),
    "own_loader": (1e-2, 0.6),
    "text": (5e-3, 3.2),
}


def label(path: Path) -> str:
    """Name a config in test ids: its stem, or its folder where all stems are alike."""
    return path.parent.name if path.stem == "lrfind" else path.stem


def read(path: Path) -> dict[str, Any]:
    """Read a config as plain data, with short forms written out."""
    tree = YAML(typ="safe", pure=True).load(path)
    for key in ("model", "data", "step"):
        if isinstance(tree.get(key), str):
            tree[key] = {"target": tree[key]}
    if isinstance(tree["optimizer"], str):
        tree["optimizer"] = {"name": tree["optimizer"]}
    if isinstance(tree.get("loss"), str) and ":" in tree["loss"]:
        tree["loss"] = {"target": tree["loss"]}
    return tree


def named(text: str, folder: Path) -> Any:
    """Import what `file.py:attr` names."""
    target = parse_target(text)
    found: Any = import_file(folder / target.module)
    for part in target.attr.split("."):
        found = getattr(found, part)
    return found


def made(section: dict[str, Any], folder: Path) -> Any:
    """Call the class or function that a section names, or copy the instance."""
    found = named(section["target"], folder)
    if inspect.isclass(found) or inspect.isfunction(found):
        return found(**section.get("args", {}))
    return copy.deepcopy(found)


def batches_of(section: dict[str, Any], folder: Path) -> Iterator[Any]:
    """Draw batches without end."""
    data = made(section, folder)
    if isinstance(data, tuple):
        data = TensorDataset(*data)
    if isinstance(data, Dataset):
        data = DataLoader(data, section["batch_size"], shuffle=True)
    while True:
        yield from data


def objective_of(tree: dict[str, Any], folder: Path) -> Callable[[nn.Module, Any, int], Tensor]:
    """Put a config's `step`, `loss` or neither into one form."""
    if "step" in tree:
        step = named(tree["step"]["target"], folder)
        if len(inspect.signature(step).parameters) == 3:
            return step
        return lambda model, batch, index: step(model, batch)
    if "loss" not in tree:
        return lambda model, batch, index: model(**batch)["loss"]
    if not isinstance(tree["loss"], dict):
        loss = getattr(F, tree["loss"])
    elif "name" in tree["loss"]:
        loss = partial(getattr(F, tree["loss"]["name"]), **tree["loss"]["args"])
    else:
        loss = named(tree["loss"]["target"], folder)

    def objective(model: nn.Module, batch: Any, index: int) -> Tensor:
        if isinstance(batch, dict):
            (key,) = {"label", "target"} & batch.keys()
            inputs = {name: value for name, value in batch.items() if name != key}
            return loss(model(**inputs), batch[key])
        return loss(model(*batch[:-1]), batch[-1])

    return objective


def bare_training(path: Path, updates: int, lr: float) -> list[Tensor]:
    """Train what a config describes for some updates and return each loss as it came."""
    tree, folder = read(path), path.parent
    torch.manual_seed(0)
    model, batches = made(tree["model"], folder), batches_of(tree["data"], folder)
    objective = objective_of(tree, folder)
    optimizer = OPTIMIZERS[tree["optimizer"]["name"]](
        model.parameters(), lr=lr, **tree["optimizer"].get("args", {})
    )
    losses = []
    for index in range(updates):
        loss = objective(model, next(batches), index)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses


def needs(path: Path) -> None:
    """Skip where the project's own library is not installed."""
    if "lightning" in path.parent.name:
        pytest.importorskip("lightning", reason="the Lightning project needs Lightning")


@pytest.mark.parametrize("path", ALL, ids=label)
@pytest.mark.filterwarnings("ignore:You are trying to `self.log:UserWarning")
def test_two_bare_steps_give_finite_scalar_losses(path: Path) -> None:
    """Everything a config names loads and takes two training steps."""
    needs(path)

    losses = bare_training(path, updates=2, lr=1e-3)

    assert [loss.shape for loss in losses] == [(), ()]
    assert all(math.isfinite(loss) for loss in losses)


@pytest.mark.parametrize("path", CONFIGS, ids=label)
def test_each_example_can_learn(path: Path) -> None:
    """Forty updates at a fitting LR take the loss well below its start: there is a valley."""
    lr, below = TRAINS[path.stem]

    losses = bare_training(path, updates=40, lr=lr)

    assert losses[0] > below
    assert torch.stack(losses[-5:]).mean() < below


@pytest.mark.parametrize("path", SHIPPED, ids=label)
def test_the_first_line_is_the_command_and_an_override_follows(path: Path) -> None:
    """A config says how to run it and how to change it, and writes into a folder of its name."""
    text = path.read_text()

    assert text.splitlines()[0] == f"# lrfind run configs/{path.name}"
    assert re.search(rf"^#.*lrfind run configs/{path.name} --set \S+=\S+$", text, re.MULTILINE)
    assert read(path)["output"]["dir"] == f"runs/{path.stem}"


@pytest.mark.parametrize("path", ALL, ids=label)
def test_each_config_is_valid(path: Path) -> None:
    """Every key of every config is one that the spec knows, with a value it allows."""
    Spec.model_validate(YAML(typ="safe", pure=True).load(path))


def test_no_example_is_left_without_a_config() -> None:
    """Each file of `examples/` is run by a config; the two done by hand run themselves."""
    used = {
        Path(parse_target(section["target"]).module).name
        for path in SHIPPED
        for section in read(path).values()
        if isinstance(section, dict) and ".py:" in section.get("target", "")
    }

    by_hand = {"existing_script.py", "training_loop.py"}

    assert used | by_hand == {path.name for path in EXAMPLES.glob("*.py")}


def test_parameter_group_patterns_each_match() -> None:
    """No pattern of a config is idle, and no parameter is meant by two groups."""
    for path in (p for p in ALL if "lightning" not in str(p)):
        tree = read(path)
        names = [name for name, _ in made(tree["model"], path.parent).named_parameters()]
        taken: list[str] = []
        for group in tree["optimizer"].get("param_groups", []):
            patterns = group["params"] if isinstance(group["params"], list) else [group["params"]]
            for pattern in patterns:
                hits = [name for name in names if fnmatchcase(name, pattern)]
                assert hits, (path, pattern)
                taken += hits
        assert len(taken) == len(set(taken)), path


def test_digits_are_split_without_overlap() -> None:
    """No held-out image is a training image, all 1797 are used, and every call says the same."""
    digits = import_file(EXAMPLES / "digits.py")

    train, held_out = digits.train_dataset(), digits.held_out_dataset()
    seen = {image.numpy().tobytes() for image in train.tensors[0]}

    assert (len(train), len(held_out)) == (1437, 360)
    assert not any(image.numpy().tobytes() in seen for image in held_out.tensors[0])
    assert torch.equal(train.tensors[0], digits.train_dataset().tensors[0])


def test_windows_label_each_character_with_the_next() -> None:
    """Labels are inputs one character later, and windows follow each other without a gap."""
    windows = import_file(EXAMPLES / "text.py").Windows(context=64)
    first, second = windows[0], windows[1]

    assert torch.equal(first["labels"][:-1], first["input_ids"][1:])
    assert first["labels"][-1] == second["input_ids"][0]
    assert {len(windows[len(windows) - 1][key]) for key in ("input_ids", "labels")} == {64}
    with pytest.raises(IndexError, match="window"):
        windows[len(windows)]


@pytest.mark.parametrize("folder", [EXAMPLES / "text.py", TEMPLATES / "text" / "train.py"], ids=str)
def test_the_transformer_sees_no_future(folder: Path) -> None:
    """Changing the second half of a text changes no prediction in the first half."""
    torch.manual_seed(0)
    model = import_file(folder).Transformer().eval()
    codes = torch.randint(0, 128, (2, 32))
    changed = codes.clone()
    changed[:, 16:] = 127 - changed[:, 16:]

    before, after = (model(input_ids=c, labels=c)["logits"] for c in (codes, changed))

    torch.testing.assert_close(before[:, :16], after[:, :16])
    assert not torch.allclose(before[:, 16:], after[:, 16:])


def test_diabetes_is_standardised() -> None:
    """Each measurement and the score have mean 0 and standard deviation 1."""
    for columns in import_file(EXAMPLES / "diabetes.py").train_tensors():
        assert columns.shape[0] == 442
        torch.testing.assert_close(
            columns.mean(0), torch.zeros(columns.shape[1]), atol=1e-5, rtol=0
        )
        torch.testing.assert_close(columns.std(0), torch.ones(columns.shape[1]))


def test_info_nce_is_ln_n_without_and_zero_with_full_knowledge() -> None:
    """Equal embeddings tell nothing (ln n); long orthogonal ones identify each twin (0)."""
    info_nce = import_file(EXAMPLES / "contrastive.py").info_nce
    collapsed, told_apart = torch.ones(8, 8), 100 * torch.eye(8)

    assert info_nce(collapsed, collapsed).item() == pytest.approx(math.log(8))
    assert info_nce(told_apart, told_apart).item() == pytest.approx(0, abs=1e-6)


def test_gradient_penalty_is_zero_for_unit_slope() -> None:
    """A linear critic of slope 1 pays nothing; of slope 3 it pays (3 − 1)²."""
    penalty = import_file(EXAMPLES / "gan.py").gradient_penalty
    critic = nn.Linear(64, 1)
    real, fake = torch.randn(2, 16, 64)

    for slope, expected in ((1.0, 0.0), (3.0, 4.0)):
        weight = torch.zeros(1, 64)
        weight[0, 7] = slope
        critic.weight.data = weight
        assert penalty(critic, real, fake).item() == pytest.approx(expected, abs=1e-6)


def test_the_critic_step_leaves_the_generator_alone() -> None:
    """Only the critic gets gradients, so only the critic is updated."""
    gan = import_file(EXAMPLES / "gan.py")
    model = gan.GAN()

    gan.critic_step(model, (torch.rand(4, 64),)).backward()

    assert all(p.grad is None for p in model.generator.parameters())
    assert all(p.grad is not None for p in model.critic[0].parameters())


def test_padding_changes_no_prediction() -> None:
    """A short line is classified alike alone and padded beside a long one."""
    own = import_file(EXAMPLES / "own_loader.py")
    short, long = (
        ("return x", True),
        ("A function call is an expression that calls a function", False),
    )
    alone, together = own.collate([short]), own.collate([short, long])

    torch.testing.assert_close(
        own.model(together["characters"], together["lengths"])[:1],
        own.model(alone["characters"], alone["lengths"]),
    )


@pytest.mark.parametrize("path", STARTERS, ids=label)
def test_a_starter_trains_in_an_empty_folder(path: Path, tmp_path: Path) -> None:
    """The two files of a starter need nothing beside them."""
    for name in ("lrfind.yaml", "train.py"):
        shutil.copy(path.parent / name, tmp_path)

    losses = bare_training(tmp_path / "lrfind.yaml", updates=40, lr=1e-2)

    assert torch.stack(losses[-5:]).mean() < 0.8 * losses[0]
    assert {file.name for file in path.parent.iterdir() if file.is_file()} == {
        "lrfind.yaml",
        "train.py",
    }


@pytest.mark.parametrize("path", STARTERS, ids=label)
def test_what_a_starter_comments_out_is_valid_too(path: Path) -> None:
    """Uncommenting every optional line gives a valid config that shows every key of a sweep."""
    text = re.sub(
        r"^( *)# ( *(?:- \{|\w+: *(?=[\[{\w]|#|$)))", r"\1\2", path.read_text(), flags=re.M
    )
    text = text.replace("loss: cross_entropy", "# loss") if path.parent.name == "text" else text

    spec = Spec.model_validate(YAML(typ="safe", pure=True).load(text))

    # A starter shows one of `loss` and `step`, and no framework: both at once are refused.
    others = {"loss", "step", "lightning", "huggingface"}
    assert spec.model_fields_set | others == set(Spec.model_fields)
    assert spec.sweep.model_fields_set == set(type(spec.sweep).model_fields)
    assert spec.distributed.model_fields_set == set(type(spec.distributed).model_fields)
    assert spec.data.model_fields_set | {"args"} == set(type(spec.data).model_fields)
    assert spec.optimizer.param_groups[0].model_fields_set == {"params", "lr_scale", "args"}


@pytest.mark.parametrize("path", FOR_FRAMEWORKS, ids=label)
def test_what_a_framework_starter_comments_out_is_valid_too(path: Path) -> None:
    """Uncommenting every optional line gives a valid config with every key of its section."""
    text = re.sub(r"^( *)# (\w+: *[\[{\w])", r"\1\2", path.read_text(), flags=re.M)

    spec = Spec.model_validate(YAML(typ="safe", pure=True).load(text))
    section = spec.lightning or spec.huggingface

    assert spec.framework == path.parent.name
    assert section is not None
    assert section.model_fields_set == set(type(section).model_fields)
    assert {file.name for file in path.parent.iterdir() if file.is_file()} == {
        "lrfind.yaml",
        "train.py",
    }
