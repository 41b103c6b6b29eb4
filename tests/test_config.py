"""From a YAML 1.2 file and overrides to a spec, its digest and its schema."""

from __future__ import annotations

import json
import math
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.config import Config, load
from lrfind.config.document import MAX_BYTES, scalar
from lrfind.errors import ConfigError
from lrfind.spec import Spec

ROOT = Path(__file__).parent.parent
CONFIGS = sorted(
    [
        *ROOT.glob("configs/*.yaml"),
        *ROOT.glob("lrfind/templates/*/*.yaml"),
        *ROOT.glob("tests/projects/*/*.yaml"),
    ]
)
LEAST = "model: train.py:model\ndata: train.py:data\n"


def read(folder: Path, text: str | bytes, *overrides: str) -> Config:
    """Load a config that consists of this text."""
    # What a star import brings cannot be told without running it, so any attribute will do.
    (folder / "train.py").write_text("from elsewhere import *\n")
    path = folder / "c.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path, overrides)


def problems(folder: Path, text: str | bytes, *overrides: str) -> list[str]:
    """Load a broken config and give its problems, the folder cut off."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text, *overrides)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def arg(folder: Path, text: str) -> Any:
    """Read one value as an argument of the model."""
    config = read(
        folder, f"model: {{target: train.py:model, args: {{x: {text}}}}}\ndata: train.py:d"
    )
    return config.spec.model.args["x"]


# --- YAML 1.2 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-7", 1e-7),
        ("1E-3", 1e-3),
        (".5", 0.5),
        ("5.", 5.0),
        ("-1.5e+3", -1500.0),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("+3", 3),
        ("-.inf", -math.inf),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("on", "on"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2001-01-01", "2001-01-01"),
        ("1e-7x", "1e-7x"),
        ("nan", "nan"),
        ("'1e-7'", "1e-7"),
        ('"true"', "true"),
        ("[1, 1.0, a]", [1, 1.0, "a"]),
        ("{0: 1.5, b: 2}", {0: 1.5, "b": 2}),
    ],
)
def test_values_follow_the_core_schema(text: str, value: Any, tmp_path: Path) -> None:
    """Numbers are numbers, and only what YAML 1.2 calls a number or a truth is one."""
    found = arg(tmp_path, text)

    assert found == value
    assert type(found) is type(value)


@given(st.floats(allow_nan=False) | st.integers() | st.booleans() | st.none())
def test_python_numbers_read_back(value: Any) -> None:
    """Whatever Python or JSON writes for a number is read as the same number."""
    text = json.dumps(value).replace("Infinity", ".inf")

    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_a_json_file_is_a_config(tmp_path: Path) -> None:
    """JSON works as the subset of YAML that it is, lines included."""
    tree = {"model": "train.py:model", "data": "train.py:data", "sweep": {"start_lr": 1e-06}}
    text = json.dumps(tree, indent=1)

    assert read(tmp_path, text).spec.sweep.start_lr == 1e-6
    assert problems(tmp_path, text.replace("1e-06", "-1"))[0].startswith("c.yaml:5: ")


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + LEAST.encode() + b"seed: 3\n",
        LEAST.replace("\n", "\r\n").encode() + b"seed: 3\r\n",
        ("# \N{GREEK SMALL LETTER ETA}\n" + LEAST + "seed: 3").encode(),
        (f"%YAML 1.1\n---\n{LEAST}seed: 3\n").encode(),
    ],
    ids=["BOM", "CRLF", "Greek and no last newline", "directive"],
)
def test_files_of_every_editor_are_read(text: bytes, tmp_path: Path) -> None:
    """A byte-order mark, Windows line ends and a missing last newline do no harm."""
    assert read(tmp_path, text).spec.seed == 3


def test_lines_count_windows_line_ends_once(tmp_path: Path) -> None:
    """A problem in a Windows file is told with the line that an editor shows."""
    text = (LEAST + "seed: -1\n").replace("\n", "\r\n")

    assert problems(tmp_path, text)[0].startswith("c.yaml:3: seed = -1 ")


def test_anchors_and_merge_keys_unfold(tmp_path: Path) -> None:
    """An alias repeats a value, and what a section states itself wins over what it merges."""
    text = (
        "model: {target: train.py:model, args: &args {width: 3, depth: 2}}\n"
        "data:\n  target: train.py:data\n  args:\n    depth: 5\n    <<: *args\n"
        "step: {target: train.py:step, args: {<<: [*args, {width: 9, more: 1}]}}\n"
    )
    spec = read(tmp_path, text).spec

    assert spec.data.args == {"width": 3, "depth": 5}
    assert spec.step is not None
    assert spec.step.args == {"width": 3, "depth": 2, "more": 1}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MERGE_BOMB = "a0: &a0 {k: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (BOMB, "unfolds to more than"),
        (MERGE_BOMB, "unfolds to more than"),
        ("model: &a [*a]\n", "nested deeper than"),
        ("model: &a {<<: *a}\n", "nested deeper than"),
        ("model: " + "[" * 60 + "]" * 60, "nested deeper than"),
        ("model: " + "[" * 5000, "nested deeper than"),
        ("- " * 5000, "nested deeper than"),
        ("model: x\n" * (MAX_BYTES // 8), "is larger than"),
    ],
    ids=[
        "aliases",
        "merges",
        "alias of itself",
        "merge of itself",
        "deep",
        "brackets",
        "dashes",
        "huge",
    ],
)
def test_bombs_are_refused_quickly_in_little_memory(text: str, rule: str, tmp_path: Path) -> None:
    """Nine to the twelfth values are refused long before they are unfolded."""
    tracemalloc.start()
    started = time.perf_counter()
    found = problems(tmp_path, text)
    elapsed_s, (_, peak_bytes) = time.perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert any(rule in problem for problem in found)
    assert elapsed_s < 5
    assert peak_bytes < 60e6


def test_an_endless_file_is_not_read_to_its_end() -> None:
    """A device or a checkpoint given as the config is refused after the first few bytes."""
    with pytest.raises(ConfigError, match="is a device, not a file"):
        load(Path("/dev/zero"))


# --- --set ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("3", 3),
        ("1e-3", 1e-3),
        ("true", True),
        ("", None),
        ("null", None),
        ("[1, [2, a]]", [1, [2, "a"]]),
        ("{a: 1, 2: b}", {"a": 1, 2: "b"}),
        ("'3'", "3"),
        ("a=b", "a=b"),
        ("a b", "a b"),
        ('"[x"', "[x"),
    ],
)
def test_overrides_have_types(override: str, value: Any, tmp_path: Path) -> None:
    """The value of an override is YAML: numbers, truths, lists and mappings, quotes for texts."""
    spec = read(tmp_path, LEAST, f"model.args.x={override}").spec

    assert spec.model.args["x"] == value
    assert type(spec.model.args["x"]) is type(value)


def test_overrides_create_and_unfold_sections(tmp_path: Path) -> None:
    """Sections that are missing are made; a short form becomes the long one."""
    text = LEAST + "loss: mse_loss\noptimizer: sgd\nsuggest: valley\noutput: runs/x\n"
    text += "sweep: {validation: train.py:held_out}\n"
    spec = read(
        tmp_path,
        text,
        "model.args.width=3",
        "data.batch_size=8",
        "loss.args.reduction=sum",
        "optimizer.args.momentum=0.9",
        "sweep.stop.factor=.inf",
        "sweep.validation.batches=2",
        "suggest.args.x=1",
        "output.dir=elsewhere",
    ).spec

    assert (spec.model.target, spec.model.args) == ("train.py:model", {"width": 3})
    assert (spec.data.target, spec.data.batch_size) == ("train.py:data", 8)
    assert spec.loss is not None
    assert (spec.loss.name, spec.loss.args) == ("mse_loss", {"reduction": "sum"})
    assert (spec.optimizer.name, spec.optimizer.args) == ("sgd", {"momentum": 0.9})
    assert spec.sweep.stop.factor == math.inf
    assert spec.sweep.validation is not None
    assert spec.sweep.validation.target == "train.py:held_out"
    assert spec.sweep.validation.batches == 2
    assert (spec.suggest.method, spec.suggest.args) == ("valley", {"x": 1})
    assert spec.output.dir == "elsewhere"


def test_overrides_reach_list_items_and_apply_in_order(tmp_path: Path) -> None:
    """A number names an item, counted from 0, and the last override of a key wins."""
    text = LEAST + "optimizer: {param_groups: [{params: a}, {params: [b, c]}]}\n"
    spec = read(
        tmp_path,
        text,
        "optimizer.param_groups.1.lr_scale=2",
        "optimizer.param_groups.1.params.0=d",
        "optimizer.param_groups.1.lr_scale=3",
    ).spec

    assert spec.optimizer.param_groups[1].lr_scale == 3
    assert spec.optimizer.param_groups[1].params == ["d", "c"]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("sweep.steps", "--set sweep.steps: an override reads key=value"),
        ("=3", "--set =3: an override reads key=value"),
        ("sweep..steps=3", "--set sweep..steps=3: an override reads key=value"),
        ("seed=[1", "--set seed=[1: the value '[1' is no YAML; quote it"),
        ("seed=!!int 3", "--set seed=!!int 3: the tag"),
        ("sweep.stepps=3", "--set sweep.stepps=3: sweep.stepps is not a known key of section"),
        ("swep.steps=3", "--set swep.steps=3: swep is not a known key of the top level"),
        ("sweep.steps=1", "--set sweep.steps=1: sweep.steps = 1 must be at least 2"),
        ("sweep={steps: 1}", "--set sweep={steps: 1}: sweep.steps = 1 must be at least 2"),
        ("seed.x=3", "--set seed.x=3: seed is 5, which holds no keys; override seed itself"),
        ("model.target.x=3", "--set model.target.x=3: model.target is 'train.py:model'"),
        ("optimizer.param_groups.7.params=a", "there is no item '7': optimizer.param_groups has 1"),
        ("optimizer.param_groups.x=a", "there is no item 'x': optimizer.param_groups has 1"),
        ("model=nothere.py:3", "--set model=nothere.py:3: model = 'nothere.py:3' is no import"),
        ("optimizer=adamm", "--set optimizer=adamm: optimizer.name = 'adamm' is not bundled"),
    ],
)
def test_wrong_overrides_are_blamed_on_themselves(override: str, told: str, tmp_path: Path) -> None:
    """The place of a problem is the override that brought it, not a line of the file."""
    text = (
        "model:\n  target: train.py:model\ndata: train.py:data\nseed: 5\n"
        "sweep: {steps: 50}\noptimizer:\n  name: sgd\n  param_groups: [{params: a}]\n"
    )

    assert any(told in problem for problem in problems(tmp_path, text, override))


def test_an_overridden_section_is_no_more_blamed_on_the_file(tmp_path: Path) -> None:
    """After `--set optimizer=…` no line of the old section is told."""
    config = read(tmp_path, LEAST + "optimizer:\n  name: sgd\n", "optimizer=adam")

    assert config.where("optimizer.name") == "--set optimizer=adam"
    assert config.where("data.target") == f"{tmp_path}/c.yaml:2"
    assert config.where("sweep") == f"{tmp_path}/c.yaml"


def test_a_method_replaces_the_rule_and_its_options(tmp_path: Path) -> None:
    """Options belong to the rule they were written for."""
    config = read(tmp_path, LEAST + "suggest: {method: before_rise, args: {decades: 2}}\n")

    assert config.with_method("before_rise").spec.suggest.args == {"decades": 2}
    assert config.with_method("valley").spec.suggest.args == {}
    assert config.with_method("valley").where("suggest.method") == "--method valley"
    with pytest.raises(ConfigError, match="--method: 'vally' is no rule; did you mean 'valley'"):
        config.with_method("vally")


# --- digest -----------------------------------------------------------------------------------

FIELDS: dict[str, Any] = {
    "seed": st.integers(0, 2**32 - 1),
    "device": st.sampled_from(["cpu", "cuda", "cuda:3", "mps"]),
    "model": st.sampled_from(["a.py:m", {"target": "b.py:m", "args": {"x": 1}}]),
    "data": st.builds(lambda size: {"target": "d.py:d", "batch_size": size}, st.integers(1, 99)),
    "loss": st.sampled_from(["mse_loss", "l1_loss", {"target": "l.py:l", "args": {"a": [1]}}]),
    "optimizer": st.builds(
        lambda name, decay: {"name": name, "args": {"weight_decay": decay}},
        st.sampled_from(["sgd", "adam"]),
        st.floats(0, 1),
    ),
    "sweep": st.builds(
        lambda steps, factor: {"steps": steps, "stop": {"factor": factor}},
        st.integers(2, 999),
        st.floats(0.5, math.inf),
    ),
    "suggest": st.sampled_from(["valley", {"method": "minimum", "args": {"x": math.nan}}]),
}
NEEDED = {"model": "a.py:model", "data": "a.py:data"}


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_digest_knows_no_order_no_defaults_and_no_output(data: st.DataObject) -> None:
    """Key order, defaults that are spelled out, short forms and `output` do not matter."""
    names = data.draw(st.permutations(list(FIELDS)))
    tree = NEEDED | {name: data.draw(FIELDS[name]) for name in names[:4]}
    spec = Spec.model_validate(tree)
    spelled_out = spec.model_dump()
    shuffled = {name: spelled_out[name] for name in data.draw(st.permutations(list(spelled_out)))}

    assert Spec.model_validate(shuffled).digest() == spec.digest()
    assert Spec.model_validate({**tree, "output": "elsewhere"}).digest() == spec.digest()


@given(st.sampled_from(list(FIELDS)), st.data())
@settings(deadline=None, max_examples=60)
def test_digest_changes_with_anything_else(name: str, data: st.DataObject) -> None:
    """Two specs that differ in one field have two digests, and equal ones have one."""
    one, two = (Spec.model_validate(NEEDED | {name: data.draw(FIELDS[name])}) for _ in range(2))

    assert (one.digest() == two.digest()) == (repr(one) == repr(two))


def test_digest_is_pinned() -> None:
    """The digest is the same on every machine and in every version, until a lock says otherwise."""
    spec = Spec.model_validate(NEEDED)

    assert spec.digest() == Spec.model_validate_json(json.dumps(NEEDED)).digest()
    assert len(spec.digest()) == 64


def test_a_spec_is_strict_json_in_spite_of_infinities() -> None:
    """`.inf` and `.nan` are written as texts, so that a report of such a config can be saved."""
    tree = NEEDED | {
        "sweep": {"stop": {"factor": math.inf}},
        "optimizer": {"args": {"x": math.nan}},
    }
    data = Spec.model_validate(tree).model_dump(mode="json")

    assert data["sweep"]["stop"]["factor"] == "inf"
    assert data["optimizer"]["args"]["x"] == "nan"
    json.dumps(data, allow_nan=False)


# --- JSON Schema ------------------------------------------------------------------------------


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Check a value against the keywords of JSON Schema that pydantic writes."""
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        return any(fits(value, option, root) for option in schema["anyOf"])
    kinds = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "object": dict,
        "array": list,
        "null": type(None),
    }
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, dict) and "properties" in schema:
        properties = schema["properties"]
        return set(schema.get("required", ())) <= set(value) <= set(properties) and all(
            fits(item, properties[key], root) for key, item in value.items()
        )
    if isinstance(value, list):
        return all(fits(item, schema["items"], root) for item in value)
    return True


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_schema_fits_every_shipped_config(path: Path) -> None:
    """An editor that checks YAML by the schema finds nothing to mark, short forms included."""
    from lrfind.config.document import read_document

    tree, schema = read_document(path).tree, Spec.model_json_schema()

    assert fits(tree, schema, schema)
    assert not fits(tree | {"modle": 1}, schema, schema)


def test_the_schema_describes_every_key() -> None:
    """No key of the config is without a sentence."""
    schema = Spec.model_json_schema()
    sections = {"Spec": schema, **schema["$defs"]}
    for name, section in sections.items():
        whole = section.get("anyOf", [section])[-1]
        for key, field in whole["properties"].items():
            described = field.get("description") or field["anyOf"][-1].get("description")
            assert described, f"{name}.{key}"


@pytest.mark.parametrize(
    ("section", "short"),
    [
        ("model", "train.py:model"),
        ("data", "train.py:data"),
        ("step", "train.py:step"),
        ("loss", "mse_loss"),
        ("optimizer", "sgd"),
        ("schedule", "cosine"),
        ("suggest", "valley"),
        ("output", "runs/x"),
    ],
)
def test_the_schema_knows_every_short_form(section: str, short: str) -> None:
    """Where a bare string is accepted, an editor accepts it too; a number nowhere."""
    schema = Spec.model_json_schema()

    Spec.model_validate(NEEDED | {section: short})
    assert fits(NEEDED | {section: short}, schema, schema)
    assert not fits(NEEDED | {section: 3}, schema, schema)
