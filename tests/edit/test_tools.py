"""Config files of training tools, in their documented form: one value changes, and they read it."""

from __future__ import annotations

import codecs
import json
import tomllib
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml

from lrfind.edit.address import Address, parse_address
from lrfind.edit.change import plan, write
from lrfind.errors import InputError

FILES = Path(__file__).parent / "files"
LR = 0.0063378129456644


@dataclass(frozen=True)
class Tool:
    """A tool's file, the key of its LR, and what stands there."""

    file: str
    key: str
    old: str


TOOLS = [
    Tool("hydra.yaml", "optimizer.lr", "3e-4"),
    Tool("lightning_cli.yaml", "optimizer.init_args.lr", "0.1"),
    Tool("torchtune.yaml", "optimizer.lr", "3e-4"),
    Tool("axolotl.yml", "learning_rate", "0.0002"),
    Tool("accelerate_deepspeed.json", "optimizer.params.lr", "5e-5"),
    Tool("accelerate_deepspeed.json", "scheduler.params.warmup_max_lr", "5e-5"),
    Tool("training_arguments.json", "learning_rate", "5e-05"),
    Tool("timm_args.yaml", "lr", "null"),
    Tool("timm_args.yaml", "lr_base", "0.1"),
    Tool("kohya.toml", "optimizer_arguments.learning_rate", "1e-4"),
    Tool("kohya.toml", "additional_network_arguments.unet_lr", "1e-4"),
    Tool("pyproject.toml", "tool.digit-reader.groups.0.lr", "0.0001"),
    Tool("pyproject.toml", "tool.digit-reader.train.lr", "1_0.0e-5"),
    Tool("pyproject.toml", "tool.digit-reader.train.schedule.warmup", "0.0001"),
    Tool("ultralytics.yaml", "lr0", "0.01"),
]
READERS = {".toml": tomllib.loads, ".json": json.loads}


def read(data: bytes, suffix: str) -> Any:
    """Read a file as its tool does; PyYAML's is the reader of nearly all that take YAML."""
    return READERS.get(suffix, yaml.safe_load)(data.decode("utf-8-sig"))


def value_at(tree: Any, keys: tuple[str, ...]) -> Any:
    """Walk down a tree."""
    return reduce(lambda node, key: node[int(key) if isinstance(node, list) else key], keys, tree)


def put_at(tree: Any, keys: tuple[str, ...], value: Any) -> Any:
    """Give a value another one in a copy of a tree."""
    if not keys:
        return value
    if isinstance(tree, list):
        return [put_at(v, keys[1:], value) if i == int(keys[0]) else v for i, v in enumerate(tree)]
    return {k: put_at(v, keys[1:], value) if k == keys[0] else v for k, v in tree.items()}


def applied(path: Path, key: str, lr: float = LR) -> bytes:
    """Apply an LR to a key of a file."""
    address = Address(path, parse_address(f"{path}:{key}").keys)
    write(plan([address], lr))
    return path.read_bytes()


def changed_text(before: bytes, after: bytes, old: bytes) -> bytes:
    """Find what replaced `old`, where the bytes around one occurrence of it stayed."""
    for at in range(len(before)):
        head, tail = before[:at], before[at + len(old) :]
        if before[at:].startswith(old) and after.startswith(head) and after.endswith(tail):
            return after[len(head) : len(after) - len(tail)]
    raise AssertionError("more than one text changed")


def plain(data: bytes) -> bytes:
    """Leave bytes as they are."""
    return data


def with_crlf(data: bytes) -> bytes:
    """Write line ends as Windows does."""
    return data.replace(b"\n", b"\r\n")


def with_mark(data: bytes) -> bytes:
    """Begin with a byte order mark, as some editors of Windows do."""
    return codecs.BOM_UTF8 + data


def without_end(data: bytes) -> bytes:
    """Take the last line's end away, and add text beyond ASCII to the front."""
    return data.rstrip()


@pytest.mark.parametrize("form", [plain, with_crlf, with_mark, without_end])
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: f"{tool.file}:{tool.key}")
def test_one_value_changes_and_the_tool_reads_it(tool: Tool, form: Any, tmp_path: Path) -> None:
    """Every byte but the number's stays, and the usual reader finds that float and all else."""
    path = tmp_path / tool.file
    before = form((FILES / tool.file).read_bytes())
    path.write_bytes(before)

    after = applied(path, tool.key)

    keys = parse_address(f"{path}:{tool.key}").keys
    new = changed_text(before, after, tool.old.encode())
    assert float(new) == LR
    assert (b"e" in new) == ("e" in tool.old)
    found = value_at(read(after, path.suffix), keys)
    assert type(found) is float
    assert found == LR
    assert read(after, path.suffix) == put_at(read(before, path.suffix), keys, LR)
    assert applied(path, tool.key) == after


def test_ten_tools_are_tried() -> None:
    """Ten files that hold an LR, each of them in at least one case."""
    files = {path.name for path in FILES.iterdir()} - {"accelerate.yaml"}

    assert files == {tool.file for tool in TOOLS}
    assert len(files) == 10


def test_accelerate_names_the_file_that_holds_its_lr(tmp_path: Path) -> None:
    """Accelerate's own file has no LR; the DeepSpeed file that it names has."""
    named = yaml.safe_load((FILES / "accelerate.yaml").read_text())["deepspeed_config"]

    assert named["deepspeed_config_file"] in {tool.file for tool in TOOLS}
    with pytest.raises(InputError, match=r"accelerate\.yaml: there is no key 'lr'"):
        plan([Address(FILES / "accelerate.yaml", ("lr",))], LR)
