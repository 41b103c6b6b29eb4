"""TOML and JSON: the place is where a trial changes that value alone."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tools import put_at
from test_yaml_file import KEYS, TREES, numbers_of

from lrfind.edit.address import Address, parse_address
from lrfind.edit.change import plan
from lrfind.errors import InputError

LR = 2.5e-3


@pytest.fixture(name="edited")
def _edited(tmp_path: Path) -> Callable[..., str]:
    def edit(suffix: str, text: str, key: str) -> str:
        path = tmp_path / f"t.{suffix}"
        path.write_bytes(text.encode())
        edit = plan([Address(path, parse_address(f"{path}:{key}").keys)], LR)[0]
        return edit.after.decode()

    return edit


@pytest.mark.parametrize(
    ("suffix", "before", "key", "after"),
    [
        ("json", '{"lr":1,"b":[1,{"lr":1}]}', "b.1.lr", '{"lr":1,"b":[1,{"lr":0.0025}]}'),
        ("json", '{"a": null,\t"lr": null}', "lr", '{"a": null,\t"lr": 0.0025}'),
        ("json", '{"lr": "1e-3"}', "lr", '{"lr": "2.5e-3"}'),
        ("json", '[1.0, 1, "1"]', "1", '[1.0, 0.0025, "1"]'),
        ("json", '{"1": 1, "x": -1e+2}', "x", '{"1": 1, "x": 2.5e-3}'),
        ("json", '{"x": NaN, "lr": 1}', "lr", '{"x": NaN, "lr": 0.0025}'),
        ("toml", "[a]\nb.lr = 1 # 1\n", "a.b.lr", "[a]\nb.lr = 0.0025 # 1\n"),
        ("toml", "a = {lr = +1.0, x = 1}\n", "a.lr", "a = {lr = 0.0025, x = 1}\n"),
        ("toml", "[[g]]\nlr = 1\n[[g]]\nlr = 1\n", "g.1.lr", "[[g]]\nlr = 1\n[[g]]\nlr = 0.0025\n"),
        ("toml", 'x = """\nlr = 1\n"""\nlr = 1\n', "lr", 'x = """\nlr = 1\n"""\nlr = 0.0025\n'),
        ("toml", "d = 2020-01-01\nlr = 2020\r\n", "lr", "d = 2020-01-01\nlr = 0.0025\r\n"),
        ("toml", "lr = '1e-3'\n", "lr", "lr = '2.5e-3'\n"),
    ],
)
def test_the_number_alone_is_exchanged(
    suffix: str, before: str, key: str, after: str, edited: Callable[..., str]
) -> None:
    """The same number elsewhere, in a comment, a text or a key, is left alone."""
    assert edited(suffix, before, key) == after


@pytest.mark.parametrize(
    ("suffix", "text", "key", "told"),
    [
        ("json", '{\n"a": {\n"lrr": 1}}', "a.lr", "t.json:2: a has no key 'lr'; did you mean 'a.l"),
        ("json", '{"a": 1,}', "a", "t.json:1: JSON syntax"),
        ("json", '{"a": 1, "a": 2}', "a", "the key 'a' stands there twice"),
        ("json", '{\n"a": 1 // c\n}', "a", "t.json:2: JSON syntax"),
        ("json", '{"lr": "auto"}', "lr", "t.json:1: lr is 'auto'"),
        ("json", '{"lr": true}', "lr", "lr is True, no number"),
        ("json", '{"lr": [1]}', "lr", "lr is a list of 1, no number"),
        ("json", '{"lr": {"a": 1}}', "lr", "lr is a mapping (a), no number"),
        ("json", '{"a": 1}', "a.b", "t.json:1: a is 1, which holds no key 'b'"),
        ("json", "[1]", "3", "the file is a list of 1, counted from 0; there is no item '3'"),
        ("json", '"\\u0031"', "0", "which holds no key '0'"),
        ("json", "[" * 100_000, "0", "t.json: JSON: "),
        ("toml", "a = 1\na = 2\n", "a", "t.toml: TOML syntax"),
        ("toml", "[a]\n[a.b]\nx = 1\n", "a.b.lr", "t.toml:2: a.b has no key 'lr'; known: x"),
        ("toml", "[o]\nlearning_rate = 1\n", "o.lr", "did you mean 'o.learning_rate'?"),
        ("toml", "lr = 0x10\n", "lr", "lr = 16 is written in a way that its place cannot be told"),
        ("toml", "lr = inf\n", "lr", "lr is inf, no number"),
        ("toml", "lr = 2020-01-01\n", "lr", "lr is 2020-01-01, no number"),
    ],
)
def test_what_is_refused(
    suffix: str, text: str, key: str, told: str, edited: Callable[..., str]
) -> None:
    """Each with its line, where one can be told, and what to do instead."""
    with pytest.raises(InputError) as caught:
        edited(suffix, text, key)

    assert told in str(caught.value)


@settings(deadline=None, max_examples=60)
@given(
    tree=st.dictionaries(KEYS, TREES, min_size=1, max_size=4),
    indent=st.sampled_from([None, 2, "\t"]),
    ascii_only=st.booleans(),
    data=st.data(),
)
def test_any_number_of_any_json_can_be_changed_alone(
    tree: Any, indent: Any, ascii_only: bool, data: st.DataObject, tmp_path_factory: Any
) -> None:
    """Whatever Python writes as JSON, it reads one other number there."""
    paths = numbers_of(tree)
    if not paths:
        return
    keys = data.draw(st.sampled_from(paths))
    path = tmp_path_factory.mktemp("tree") / "t.json"
    text = json.dumps(tree, indent=indent, ensure_ascii=ascii_only)
    path.write_bytes(text.encode("utf-8", "replace"))
    tree = json.loads(path.read_bytes())

    after = json.loads(plan([Address(path, keys)], LR)[0].after)

    assert after == put_at(tree, keys, LR)


@settings(deadline=None, max_examples=40)
@given(
    numbers=st.lists(st.sampled_from([0.1, 1e-3, 1, 1000]), min_size=2, max_size=6),
    data=st.data(),
)
def test_any_number_of_a_toml_file_can_be_changed_alone(
    numbers: list[float], data: st.DataObject, tmp_path_factory: Any
) -> None:
    """Equal numbers in tables, lists and dotted keys are told from each other."""
    forms = ["k{i} = {n}", "t{i}.lr = {n}", "i{i} = {{lr = {n}}}", "l{i} = [{n}, {n}]"]
    rows = [data.draw(st.sampled_from(forms)).format(i=i, n=n) for i, n in enumerate(numbers)]
    text = "\n".join(rows) + "\n"
    tree = tomllib.loads(text)
    keys = data.draw(st.sampled_from(numbers_of(tree)))
    path = tmp_path_factory.mktemp("tree") / "t.toml"
    path.write_text(text)

    after = tomllib.loads(plan([Address(path, keys)], LR)[0].after.decode())

    assert after == put_at(tree, keys, LR)
