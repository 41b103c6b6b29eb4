"""YAML: whatever stands around a number stays, and aliases are told, not followed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tools import put_at, value_at

from lrfind.edit.address import Address, parse_address
from lrfind.edit.change import Edit, plan
from lrfind.errors import InputError

LR = 2.5e-3


@pytest.fixture(name="edited")
def _edited(tmp_path: Path) -> Callable[..., Edit]:
    def edit(text: str, key: str) -> Edit:
        path = tmp_path / "t.yaml"
        path.write_bytes(text.encode())
        return plan([Address(path, parse_address(f"t.yaml:{key}").keys)], LR)[0]

    return edit


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("a:\n    lr:   1   # c\n", "a.lr", "a:\n    lr:   0.0025   # c\n"),
        ("lr: '1e-3' # c\n", "lr", "lr: '2.5e-3' # c\n"),
        ('{"lr": "1", b: [1,2]}\n', "lr", '{"lr": "0.0025", b: [1,2]}\n'),
        ("lr:\nb: 1\n", "lr", "lr: 0.0025\nb: 1\n"),
        ("lr: # open\nb: 1\n", "lr", "lr: 0.0025 # open\nb: 1\n"),
        ("b: 1\nlr:", "lr", "b: 1\nlr: 0.0025"),
        ("lr: ~\n", "lr", "lr: 0.0025\n"),
        ("lr: &x !!float 1e-3\nb: 1\n", "lr", "lr: &x !!float 2.5e-3\nb: 1\n"),
        ("opts:\n- lr: 1\n- lr: 1\n", "opts.1.lr", "opts:\n- lr: 1\n- lr: 0.0025\n"),
        ("- 1\n- 2\n", "1", "- 1\n- 0.0025\n"),
        ("? lr\n: 1\n", "lr", "? lr\n: 0.0025\n"),
        ("'a.b': {c d: 1}\n", "'a.b'.c d", "'a.b': {c d: 0.0025}\n"),
        ("lr: !ref <x>\nb: !new:torch.optim.Adam {lr: 1}\n", "b.lr", None),
        ("%YAML 1.1\n---\nlr: 1\n...\n", "lr", "%YAML 1.1\n---\nlr: 0.0025\n...\n"),
        ("größe: 1 # µ\nlr: 1 # η\r\n", "lr", "größe: 1 # µ\nlr: 0.0025 # η\r\n"),
        ("1: {lr: 1}\ntrue: 2\n", "1.lr", "1: {lr: 0.0025}\ntrue: 2\n"),
    ],
)
def test_the_number_alone_is_exchanged(
    before: str, key: str, after: str | None, edited: Callable[..., Edit]
) -> None:
    """Blanks, comments, quotes, anchors, tags and line ends are as they were."""
    after = before.replace("lr: 1}", "lr: 0.0025}") if after is None else after

    assert edited(before, key).after.decode() == after


def test_a_number_that_aliases_read_is_told(edited: Callable[..., Edit]) -> None:
    """It may be changed where it is written; who reads it too is named with the line."""
    text = "base: &b\n  lr: &x 1\nuse: *x\ntrain:\n  <<: *b\nother: *b\n"

    change = edited(text, "base.lr").changes[0]

    assert change.readers == ("train.<<.lr (line 5)", "other.lr (line 6)", "use (line 3)")


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        (
            "base: &x 1\ntrain:\n  lr: *x\n",
            "train.lr",
            "t.yaml:3: train.lr comes through an alias, and is written at base, line 1; "
            "write it there: --to",
        ),
        ("b: &b\n  lr: 1\nt: *b\n", "t.lr", "t.yaml:3: t.lr comes through an alias, and is wri"),
        ("- &b 1\n- *b\n", "1", "1 comes through an alias, and is written at 0, line 1"),
        ("b: &b\n  lr: 1\nt:\n  <<: *b\n  x: 1\n", "t.lr", "t.yaml:4: t.lr comes through <<, and"),
        ("b: &b {lr: 1}\nt:\n  <<: [*b]\n", "t.lr", "is written at b.lr; write it there"),
        ("a: 1\n---\na: 2\n", "a", "t.yaml:2: a second document starts"),
        ("lr: 1\nb: 2\nlr: 3\n", "lr", "t.yaml:1: lr stands there twice, in lines 1 and 3"),
        ("opt:\n  lrr: 1\n", "opt.lr", "t.yaml:2: opt has no key 'lr'; did you mean 'opt.lrr'?"),
        ("opt: {learning_rate: 1}", "opt.lr", "did you mean 'opt.learning_rate'?"),
        ("a:\n  b:\n    lr: 1\n", "lr", "t.yaml: there is no key 'lr'; did you mean 'a.b.lr'?"),
        ("a: 1\nb: 2\n", "zzz", "known: a, b"),
        ("a: [1, 2]\n", "a.2", "a is a list of 2, counted from 0; there is no item '2'"),
        ("a: 1\n", "a.lr", "a is 1, which holds no key 'lr'"),
        ("- 1\n", "lr", "the file is a list of 1"),
        ("lr: auto\n", "lr", "t.yaml:1: lr is 'auto'"),
        ("lr: ${a}\n", "lr", "lr is '${a}', which refers to another key; name that key"),
        ("lr: [1]\n", "lr", "lr is a list of 1, no number"),
        ("lr: {a: 1}\n", "lr", "lr is a mapping (a), no number"),
        ("lr: 1_000\n", "lr", "lr is the text '1_000', no number"),
        ("lr: |\n  1\n", "lr", "no number"),
        ("lr: |-\n  1\n", "lr", "is written in a way that its place cannot be told"),
        ("lr: !!int 1\n", "lr", "lr bears the tag !!int"),
        ("lr: !mine 1\n", "lr", "lr bears the tag !mine"),
        ("a: [\n", "a", "YAML syntax"),
        ("lr: {{ lr }}\n", "lr", "t.yaml:1"),
        ("", "lr", "t.yaml: is empty"),
        ("a: &a {b: *a, lr: x}\n", "a.b.b.lr", "comes through an alias"),
    ],
)
def test_what_is_refused(text: str, key: str, told: str, edited: Callable[..., Edit]) -> None:
    """Each with its line and what to do instead."""
    with pytest.raises(InputError) as caught:
        edited(text, key)

    assert told in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """Latin-1 and UTF-16 are told by the line, and nothing is guessed."""
    path = tmp_path / "t.yaml"
    for data in ("lr: 1 # größe".encode("latin-1"), "lr: 1".encode("utf-16")):
        path.write_bytes(data)

        with pytest.raises(InputError, match="save the file as UTF-8"):
            plan([Address(path, ("lr",))], LR)


# Line breaks of YAML 1.1 that are none in YAML 1.2, and that PyYAML loses itself.
LETTERS = st.characters(exclude_characters="\x85\u2028\u2029", exclude_categories=["Cs"])
KEYS = st.text(LETTERS, min_size=1, max_size=6)
NUMBERS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-9, 10**6))
TREES = st.recursive(
    st.one_of(NUMBERS, st.text(LETTERS, max_size=8), st.none(), st.booleans()),
    lambda child: st.one_of(
        st.lists(child, max_size=3), st.dictionaries(KEYS, child, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def numbers_of(tree: Any, keys: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List the keys of all numbers."""
    if isinstance(tree, dict):
        return [path for key, v in tree.items() for path in numbers_of(v, (*keys, key))]
    if isinstance(tree, list):
        return [path for i, v in enumerate(tree) for path in numbers_of(v, (*keys, str(i)))]
    return [keys] if isinstance(tree, int | float) and not isinstance(tree, bool) else []


@settings(deadline=None, max_examples=60)
@given(
    tree=st.dictionaries(KEYS, TREES, min_size=1, max_size=4),
    flow=st.sampled_from([True, False, None]),
    crlf=st.booleans(),
    data=st.data(),
)
def test_any_number_of_any_file_can_be_changed_alone(
    tree: Any, flow: bool | None, crlf: bool, data: st.DataObject, tmp_path_factory: Any
) -> None:
    """Whatever PyYAML writes, in blocks or in one line: it reads one other number there."""
    paths = numbers_of(tree)
    if not paths:
        return
    keys = data.draw(st.sampled_from(paths))
    text = yaml.safe_dump(tree, default_flow_style=flow, allow_unicode=data.draw(st.booleans()))
    path = tmp_path_factory.mktemp("tree") / "t.yaml"
    path.write_bytes((text.replace("\n", "\r\n") if crlf else text).encode())

    after = yaml.safe_load(plan([Address(path, keys)], LR)[0].after.decode())

    assert value_at(after, keys) == LR
    assert after == put_at(tree, keys, LR)
