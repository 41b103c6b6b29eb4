"""`FILE:KEY` as users and shells write it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.edit.address import dotted, parse_address
from lrfind.errors import InputError


@pytest.mark.parametrize(
    ("text", "file", "keys"),
    [
        ("train.yaml:lr", "train.yaml", ("lr",)),
        ("a/b.yml:optimizers.0.lr", "a/b.yml", ("optimizers", "0", "lr")),
        (r"C:\runs\train.YAML:optimizer.lr", r"C:\runs\train.YAML", ("optimizer", "lr")),
        ('t.toml:"net.body".lr', "t.toml", ("net.body", "lr")),
        ("t.json:'a:b'.\"c d\"", "t.json", ("a:b", "c d")),
        ("configs/a.yaml.d/x.toml:x-y.z", "configs/a.yaml.d/x.toml", ("x-y", "z")),
        ("t.yaml:a b.größe", "t.yaml", ("a b", "größe")),
    ],
)
def test_a_file_and_its_key(text: str, file: str, keys: tuple[str, ...]) -> None:
    """The file ends with its suffix, the key is dotted, and quotes keep dots together."""
    address = parse_address(text)

    assert (address.file, address.keys) == (Path(file), keys)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("train.yaml", "names a file but no key in it"),
        ("train.yaml:", "the key '' must be dotted"),
        ("train.yaml:a..b", "no part of it empty"),
        ("train.yaml:a.", "no part of it empty"),
        ('train.yaml:"a.b', "no part of it empty"),
        ("train.ini:lr", "names no file that ends in .yaml, .yml, .toml, .json"),
        ("lr", "names no file that ends in"),
        ("", "names no file that ends in"),
    ],
)
def test_what_is_no_address(text: str, told: str) -> None:
    """Each is refused by its own text, with the form that is right."""
    with pytest.raises(InputError) as caught:
        parse_address(text)

    assert str(caught.value).startswith(f"--to {text}: ")
    assert told in str(caught.value)


KEYS = st.text(st.characters(exclude_characters="\"'", exclude_categories=["Cs"]), min_size=1)


@settings(deadline=None, max_examples=100)
@given(keys=st.lists(KEYS, min_size=1, max_size=4))
def test_what_is_shown_can_be_typed(keys: list[str]) -> None:
    """Keys written out are read back as the same keys."""
    assert parse_address(f"t.yaml:{dotted(keys)}").keys == tuple(keys)
