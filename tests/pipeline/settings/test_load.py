"""The configuration: what `load_config` accepts, and what it says of a mistake."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from pipeline.errors import ConfigError
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from trainer.settings.tuner import TunerSettings

SHIPPED = Path(__file__).parents[3] / "pipeline_config.yaml"
MINIMAL = """\
name: t
data:
  path: rows.csv
  label: kind
features:
  x: numeric
evaluation:
  thresholds:
    accuracy:
      min: 0.5
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def minimal(tmp_path: Path) -> Path:
    return write(tmp_path, MINIMAL)


def mistakes(path: Path, *overrides: str) -> list[str]:
    """The lines of the error, the file's path in them left out."""
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    return str(caught.value).replace(f"{path}:", "").splitlines()


def mistake(folder: Path, addition: str) -> str:
    """The one mistake of the minimal configuration with an addition, which begins on line 11."""
    (line,) = mistakes(write(folder, MINIMAL + addition))
    return line


# Reading


def test_load_config_fills_in_the_defaults(minimal: Path) -> None:
    config = load_config(minimal)

    assert config.name == "t"
    assert config.data.split.train == 2
    assert config.model.hidden_units == (10, 10)
    assert config.cache is True


def test_load_config_takes_paths_from_the_folder_of_the_file(
    minimal: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    config = load_config(minimal)

    assert config.data_path == minimal.parent / "rows.csv"
    assert config.root_dir == minimal.parent / "artifacts"
    assert config.push_dir == minimal.parent / "artifacts" / "serving" / "t"


def test_load_config_takes_a_relative_path_of_the_file_from_the_working_folder(
    minimal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(minimal.parent.parent)

    config = load_config(f"{minimal.parent.name}/config.yaml")
    monkeypatch.chdir("/")

    assert config.data_path == minimal.parent / "rows.csv"


def test_load_config_keeps_absolute_paths(minimal: Path) -> None:
    assert load_config(minimal, ["data.path=/d/rows.csv"]).data_path == Path("/d/rows.csv")


def test_load_config_expands_the_home_folder(minimal: Path) -> None:
    assert load_config(minimal, ["paths.root=~/runs"]).root_dir == Path.home() / "runs"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        ("1", 1.0),
        ("1e-3", 0.001),
        ("1E-3", 0.001),
        ("1e3", 1000.0),
        ("2.5e-1", 0.25),
        ("2.e-1", 0.2),
        (".5e1", 5.0),
        ("+1e-3", 0.001),
    ],
)
def test_load_config_reads_numbers(minimal: Path, text: str, value: float) -> None:
    assert load_config(minimal, [f"model.learning_rate={text}"]).model.learning_rate == value


def test_load_config_takes_a_slice_of_one_column_as_a_word(minimal: Path) -> None:
    config = load_config(minimal, ["evaluation.slices=[kind, [kind, x]]"])

    assert config.evaluation.slices == (("kind",), ("kind", "x"))


def test_load_config_imports_nothing_slow() -> None:
    code = "import sys; from pipeline.settings.load import load_config; load_config(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules)", SHIPPED],
        cwd=SHIPPED.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    slow = {"apache_beam", "mlflow", "pandas", "pyarrow", "numpy", "tensorflow", "tfx"}
    assert "pydantic" in done.stdout.split()
    assert slow.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("key", ["name", "data.path", "model.seed", "evaluation.slices"])
def test_config_is_frozen(minimal: Path, key: str) -> None:
    section: Any = load_config(minimal)
    *parents, name = key.split(".")
    for parent in parents:
        section = getattr(section, parent)

    with pytest.raises(ValidationError, match="frozen"):
        setattr(section, name, "new")


def test_config_holds_tuples_for_lists(minimal: Path) -> None:
    config = load_config(minimal, ["model.hidden_units=[3, 4]", "beam.args=[--a=b]"])

    assert config.model.hidden_units == (3, 4)
    assert config.beam.args == ("--a=b",)


# Overrides


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("train.steps=5", "train.steps", 5),
        ("cache=false", "cache", False),
        ("model.learning_rate=1", "model.learning_rate", 1.0),
        ("model.hidden_units=[3, 4]", "model.hidden_units", [3, 4]),
        ("mlflow.experiment=a=b", "mlflow.experiment", "a=b"),
        ("mlflow.experiment=null", "mlflow.experiment", None),
        ("mlflow.experiment='5'", "mlflow.experiment", "5"),
        ("train={steps: 7}", "train.steps", 7),
        ("features.y=numeric", "features.y", "numeric"),
        (" name = other", "name", "other"),
    ],
)
def test_load_config_overrides_by_typed_values(
    minimal: Path, override: str, key: str, value: Any
) -> None:
    assert load_config(minimal, [override]).flatten()[key] == value


def test_load_config_takes_the_last_override_of_a_key(minimal: Path) -> None:
    assert load_config(minimal, ["train.steps=5", "train.steps=6"]).train.steps == 6


def test_load_config_keeps_the_settings_beside_an_override(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL + "train:\n  steps: 7\n")

    config = load_config(path, ["train.batch_size=3"])

    assert (config.train.steps, config.train.batch_size) == (7, 3)


@pytest.mark.parametrize("override", ["train.steps", "=5", "train..steps=5", "", "."])
def test_load_config_refuses_an_override_without_key_or_value(minimal: Path, override: str) -> None:
    (line,) = mistakes(minimal, override)

    assert line == f"--set {override}: must have the form key=value, as train.steps=500"


@pytest.mark.parametrize("value", ["[", "{[1]: 2}", "{{ x }}", "2024-13-45", "\x07", "a: b: c"])
def test_load_config_refuses_an_override_that_is_no_yaml(minimal: Path, value: str) -> None:
    (line,) = mistakes(minimal, f"name={value}")

    assert line.startswith(f"--set name={value}: the value is not valid YAML: ")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train.steps=x", "train.steps: 'x' is not allowed: should be a valid integer"),
        ("train.stpes=5", "train.stpes: unknown key; did you mean 'steps'? (allowed: steps, "),
        ("train=5", "train: 5 is not allowed"),
        ("data.path.x=1", "data.path: {'x': 1} is not allowed: should be a valid string"),
        ("train.steps=-1", "train.steps: -1 is not allowed: should be greater than or equal to 1"),
    ],
)
def test_load_config_names_the_override_of_a_mistake(
    minimal: Path, override: str, words: str
) -> None:
    (line,) = mistakes(minimal, override)

    assert line.startswith(f"--set {override.split('=')[0]}: {words}")


# Files that are no configuration


def test_load_config_refuses_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"

    assert mistakes(path) == [" there is no such file"]


def test_load_config_refuses_a_folder(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path)

    assert line.startswith(" cannot be read: ")


def test_load_config_refuses_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("name: ä".encode("latin1"))

    (line,) = mistakes(path)

    assert line.startswith(" cannot be read: 'utf-8' codec can't decode byte 0xe4")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- name\n", "name\n", "null\n"])
def test_load_config_refuses_what_is_no_mapping(tmp_path: Path, text: str) -> None:
    assert mistakes(write(tmp_path, text)) == [" must hold sections such as 'name:' and 'data:'"]


@pytest.mark.parametrize(
    ("addition", "line"),
    [
        ("model:\n\tseed: 1\n", 12),
        ("model: [\n", 12),
        ("model: }\n", 11),
        ("model: *x\n", 11),
        ("---\nname: t\n", 11),
        ("model: !!python/object:os.system {}\n", 11),
        ("? [a]\n: 1\n", 11),
        ("model: {{ settings }}\n", 11),
    ],
)
def test_load_config_names_the_line_of_what_is_no_yaml(
    tmp_path: Path, addition: str, line: int
) -> None:
    assert mistake(tmp_path, addition).startswith(f"{line}: not valid YAML: ")


@pytest.mark.parametrize("addition", ["# \x07\n", "model: 2024-13-45\n", "model: !!int abc\n"])
def test_load_config_refuses_values_that_yaml_cannot_make(tmp_path: Path, addition: str) -> None:
    assert mistake(tmp_path, addition).startswith(" not valid YAML: ")


@pytest.mark.parametrize(
    ("addition", "line", "key"),
    [("name: u\n", 11, "name"), ("train:\n  steps: 1\n  steps: 2\n", 13, "steps")],
)
def test_load_config_refuses_a_key_that_stands_twice(
    tmp_path: Path, addition: str, line: int, key: str
) -> None:
    expected = f"{line}: not valid YAML: the key '{key}' stands twice"
    assert mistake(tmp_path, addition) == expected


def test_config_error_ends_in_exit_code_2(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "none.yaml")

    assert caught.value.exit_code == 2


# Mistakes


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "trian: {}\n",
            "11: trian: unknown key; did you mean 'train'? (allowed: name, paths, task, data,"
            " validation, features, model, train, tuner, evaluation, push, mlflow, beam, serving,"
            " cache)",
        ),
        (
            "model:\n  seed: 1\n  lerning_rate: 1\n",
            "13: model.lerning_rate: unknown key; did you mean 'learning_rate'? (allowed: type,"
            " hidden_units, activation, dropout, batch_norm, l1, l2, clip_gradients, optimizer,"
            " learning_rate, momentum, schedule, model_fn, params, preprocessing_fn, seed)",
        ),
        ("paths:\n  rot: x\n", "12: paths.rot: unknown key; did you mean 'root'? (allowed: root)"),
        (
            "train:\n  early_stopping: {zzz: 1}\n",
            "12: train.early_stopping.zzz: unknown key (allowed: evaluations, min_change)",
        ),
    ],
)
def test_load_config_refuses_an_unknown_key(tmp_path: Path, addition: str, message: str) -> None:
    assert mistake(tmp_path, addition) == message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  label: kind",
            "  label: kind\n  schemas: x",
            "5: data.schemas: unknown key; did you mean 'schema'? (allowed: path, files, span, csv,"
            " label, positive, weight, split, schema, quarantine)",
        ),
        (
            "  label: kind",
            "  label: kind\n  split: {train: 1, evl: 1}",
            "5: data.split.evl: unknown key; did you mean 'eval'? (allowed: train, eval, test, by)",
        ),
        (
            "      min: 0.5",
            "      min: 0.5\n      mim: 0.5",
            "11: evaluation.thresholds.accuracy.mim: unknown key; did you mean 'min'? (allowed:"
            " min, max, max_worsening)",
        ),
    ],
)
def test_load_config_refuses_an_unknown_key_inside_a_section(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert mistakes(write(tmp_path, MINIMAL.replace(old, new))) == [message]


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("name: t\n", "name: is missing"),
        ("  label: kind\n", "2: data.label: is missing"),
        ("features:\n  x: numeric\n", "features: is missing"),
    ],
)
def test_load_config_refuses_a_missing_key(tmp_path: Path, old: str, message: str) -> None:
    (line,) = mistakes(write(tmp_path, MINIMAL.replace(old, "")))

    assert line.strip() == message


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "train:\n  steps: many\n",
            "12: train.steps: 'many' is not allowed: should be a valid int",
        ),
        ("train:\n  steps: 5.0\n", "12: train.steps: 5.0 is not allowed: should be a valid int"),
        ("train:\n  steps: true\n", "12: train.steps: True is not allowed: should be a valid int"),
        ("train:\n  steps: '5'\n", "12: train.steps: '5' is not allowed: should be a valid int"),
        ("train:\n  steps:\n", "12: train.steps: None is not allowed: should be a valid integer"),
        ("model: 5\n", "11: model: 5 is not allowed"),
        ("model:\n", "11: model: None is not allowed"),
        ("cache: 'yes'\n", "11: cache: 'yes' is not allowed: should be a valid boolean"),
        (
            "mlflow:\n  experiment: 5\n",
            "12: mlflow.experiment: 5 is not allowed: should be a valid",
        ),
        ("model:\n  hidden_units: 10\n", "12: model.hidden_units: 10 is not allowed"),
        ("model:\n  hidden_units: [1, x]\n", "12: model.hidden_units.1: 'x' is not allowed"),
        (
            "push:\n  directory: 2024-12-05\n",
            "12: push.directory: datetime.date(2024, 12, 5) is not",
        ),
    ],
)
def test_load_config_refuses_a_wrong_type(tmp_path: Path, addition: str, message: str) -> None:
    assert mistake(tmp_path, addition).startswith(message)


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "train:\n  steps: -5\n",
            "12: train.steps: -5 is not allowed: should be greater than or eq",
        ),
        ("train:\n  steps: 0\n", "12: train.steps: 0 is not allowed: should be greater than or eq"),
        (
            "train:\n  steps: 10000000000\n",
            "12: train.steps: 10000000000 is not allowed: should be",
        ),
        ("train:\n  batch_size: 0\n", "12: train.batch_size: 0 is not allowed: should be greater"),
        ("train:\n  eval_every_steps: 0\n", "12: train.eval_every_steps: 0 is not allowed"),
        (
            "model:\n  hidden_units: [9, 0]\n",
            "12: model.hidden_units.1: 0 is not allowed: should be",
        ),
        ("model:\n  hidden_units: []\n", "12: model.hidden_units: [] is not allowed"),
        (
            "model:\n  learning_rate: 0\n",
            "12: model.learning_rate: 0 is not allowed: should be gre",
        ),
        ("model:\n  learning_rate: .inf\n", "12: model.learning_rate: "),
        ("model:\n  learning_rate: .nan\n", "12: model.learning_rate: nan is not allowed"),
        ("model:\n  seed: -1\n", "12: model.seed: -1 is not allowed"),
        ("serving:\n  rest_port: 70000\n", "12: serving.rest_port: 70000 is not allowed"),
        ("serving:\n  tls: {key: k}\n", "12: serving.tls.certificate: is missing"),
        (
            "serving:\n  versions: {policy: specific}\n",
            "12: serving.versions: numbers are needed with policy specific",
        ),
        (
            "serving:\n  versions: {labels: {new: -1}}\n",
            "12: serving.versions.labels.new: -1 is not allowed",
        ),
        ("serving:\n  limits: {json_depth: 1000}\n", "12: serving.limits.json_depth: 1000 is not"),
        ("beam:\n  args: [x]\n", "12: beam.args: 'x' is not an option of the form --name=value"),
        ("beam:\n  args: [--runner=x]\n", "12: beam.args: '--runner=x' is not an option"),
        ("paths:\n  root: ''\n", "12: paths.root: '' is not allowed"),
    ],
)
def test_load_config_refuses_an_impossible_value(
    tmp_path: Path, addition: str, message: str
) -> None:
    assert mistake(tmp_path, addition).startswith(message)


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "model:\n  optimizer: adagard\n",
            "12: model.optimizer: 'adagard' is not allowed: should be 'adagrad', 'adam', 'ftrl',"
            " 'rmsprop' or 'sgd'; did you mean 'adagrad'?",
        ),
        (
            "model:\n  optimizer: 5\n",
            "12: model.optimizer: 5 is not allowed: should be 'adagrad', ",
        ),
        (
            "beam:\n  runner: directrunner\n",
            "12: beam.runner: 'directrunner' is not allowed: should ",
        ),
    ],
)
def test_load_config_names_the_words_that_are_allowed(
    tmp_path: Path, addition: str, message: str
) -> None:
    assert mistake(tmp_path, addition).startswith(message)


@pytest.mark.parametrize("value", ["0", "-1", ".nan", ".inf"])
def test_load_config_refuses_an_impossible_share(tmp_path: Path, value: str) -> None:
    text = MINIMAL.replace("  label: kind", f"  label: kind\n  split:\n    eval: {value}")

    (line,) = mistakes(write(tmp_path, text))

    assert line.startswith("6: data.split.eval: ")


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("kind", "numeric", "6: features.kind: the label cannot be a feature"),
        ("a b", "numeric", "6: features.a b: must be of letters, digits and ._-/"),
        ("_a", "numeric", "6: features._a: must be of letters, digits and ._-/"),
        (
            "x",
            "numric",
            "6: features.x: 'numric' is not allowed: must be a kind, or a mapping with one (num",
        ),
        ("5", "numeric", "6: features.5: 5 is not allowed: should be a valid string"),
        ("x", "{kind: categorical, min_count: 0}", "6: features.x.min_count: 0 is not allowed: sh"),
        ("x", "{kind: numeric, clip: [2, 1]}", "6: features.x.clip: least 2 is not below greatest"),
        (
            "x",
            "{kind: numeric, fill: median}",
            "6: features.x.fill: 'median' is not allowed: should",
        ),
        ("x", "{kind: bucketized, boundaries: [1, 1]}", "6: features.x.boundaries: must rise: 1 f"),
        ("x", "{kind: categorical, ids: hash}", "6: features.x: hash needs a size"),
        ("x", "{kind: categorical, dimension: 3}", "6: features.x: dimension is that of an embed"),
        (
            "x",
            "{kind: boolean, true_words: [Y], false_words: [y]}",
            "6: features.x: 'y' stands for both true",
        ),
        ("x", "{kind: datetime, format: '%d.%m'}", "6: features.x.format: '%d.%m' must hold %Y,"),
        ("x", "{kind: datetime, parts: [hour, hour]}", "6: features.x.parts: a part stands twice"),
        ("'*'", "numeric", "6: features.*: stands for many columns: must be auto"),
        ("x", "ignore", "5: features: has no column that the model reads"),
        ("x", "{kind: crossed, columns: [a, b]}", "6: features.x.columns: 'a' is no feature with"),
    ],
)
def test_load_config_refuses_a_feature(tmp_path: Path, name: str, kind: str, message: str) -> None:
    (line,) = mistakes(write(tmp_path, MINIMAL.replace("x: numeric", f"{name}: {kind}")))

    assert line.startswith(message)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            "{x: {kind: numeric, fill: mean, missing_indicator: true}, x_missing: numeric}",
            "features.x_missing: the column 'x' makes a feature 'x_missing' too",
        ),
        (
            "{d: {kind: datetime, parts: [hour]}, d_hour: numeric}",
            "features.d_hour: the column 'd' makes a feature 'd_hour' too",
        ),
        (
            "{a: categorical, b: boolean, c: {kind: crossed, columns: [a, b]},"
            " d: {kind: crossed, columns: [b, a]}}",
            "features.d.columns: are those of 'c' too",
        ),
        (
            "{a: categorical, b: boolean, c: {kind: crossed, columns: [a, a]}}",
            "features.c.columns: a column stands twice",
        ),
        (
            "{a: categorical, c: {kind: crossed, columns: [a, aa]}}",
            "features.c.columns: 'aa' is no feature with ids (categorical, bucketized or boolean):"
            " write it out among the features; did you mean 'a'?",
        ),
    ],
)
def test_load_config_refuses_features_that_do_not_go_together(
    minimal: Path, features: str, message: str
) -> None:
    (line,) = mistakes(minimal, f"features={features}")

    assert message in line


def test_load_config_takes_any_name_of_a_column_that_is_ignored(minimal: Path) -> None:
    config = load_config(minimal, ["features={x: numeric, 'a name, with a comma': ignore}"])

    assert list(config.trainer_settings.raw_types) == ["x"]


@pytest.mark.parametrize("name", ["Iris", "a b", "-a", "", "a" * 64, "ä"])
def test_load_config_refuses_a_name_that_is_no_identifier(tmp_path: Path, name: str) -> None:
    (line,) = mistakes(write(tmp_path, MINIMAL.replace("name: t", f"name: '{name}'")))

    assert line.startswith(f"1: name: '{name}' is not allowed")


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ("{min: 1.5}", "9: evaluation.thresholds.accuracy.min: 1.5 is not allowed: accuracy is at"),
        ("{max_worsening: 2}", "9: evaluation.thresholds.accuracy.max_worsening: 2 is not allowed"),
        ("{min: -0.1}", "9: evaluation.thresholds.accuracy.min: -0.1 is not allowed"),
        ("{}", "9: evaluation.thresholds.accuracy: needs at least one of min, max, max_worsening"),
        ("{min: null}", "9: evaluation.thresholds.accuracy: needs at least one of min, max"),
        ("{min: 0.9, max: 0.5}", "9: evaluation.thresholds.accuracy: min 0.9 is above max 0.5"),
        ("0.9", "9: evaluation.thresholds.accuracy: 0.9 is not allowed"),
    ],
)
def test_load_config_refuses_a_threshold(tmp_path: Path, threshold: str, message: str) -> None:
    text = MINIMAL.replace("accuracy:\n      min: 0.5", f"accuracy: {threshold}")

    (line,) = mistakes(write(tmp_path, text))

    assert line.startswith(message)


def test_load_config_refuses_a_metric_that_is_not_there(tmp_path: Path) -> None:
    (line,) = mistakes(write(tmp_path, MINIMAL.replace("accuracy:", "acuracy:")))

    assert line.startswith("9: evaluation.thresholds.acuracy: 'acuracy' is not allowed")
    assert line.endswith("did you mean 'accuracy'?")


def test_load_config_refuses_no_threshold_at_all(tmp_path: Path) -> None:
    text = MINIMAL.replace("thresholds:\n    accuracy:\n      min: 0.5", "thresholds: {}")

    (line,) = mistakes(write(tmp_path, text))

    assert line.startswith("8: evaluation.thresholds: {} is not allowed")


def test_load_config_accepts_a_cross_entropy_above_one(minimal: Path) -> None:
    config = load_config(minimal, ["evaluation.thresholds.cross_entropy.max=1.5"])

    assert config.evaluation.thresholds["cross_entropy"].max == 1.5


def test_load_config_says_every_mistake_in_a_line(tmp_path: Path) -> None:
    text = MINIMAL.replace("name: t", "name: T").replace("min: 0.5", "min: 5")

    lines = mistakes(write(tmp_path, text + "train:\n  steps: 0\n  stpes: 1\n"), "cache=5")

    assert [line.split(": ")[:2] for line in lines] == [
        ["1", "name"],
        ["12", "train.steps"],
        ["13", "train.stpes"],
        ["10", "evaluation.thresholds.accuracy.min"],
        ["--set cache", "cache"],
    ]


# The sweep

UNIFORM = "{uniform: [0.1, 1]}"


@pytest.mark.parametrize(
    ("key", "domain"),
    [
        ("model.learning_rate", UNIFORM),
        ("model.learning_rate", "{log_uniform: [1e-4, 1]}"),
        ("model.learning_rate", "{values: [0.1, 1]}"),
        ("model.hidden_units", "{values: [[10, 10], [32]]}"),
        ("model.optimizer", "{values: [adam]}"),
        ("train.steps", "{integers: [1, 1000000000]}"),
    ],
)
def test_load_config_takes_a_search_space(tmp_path: Path, key: str, domain: str) -> None:
    text = f"tuner:\n  max_trials: 3\n  space:\n    {key}: {domain}\n"

    config = load_config(write(tmp_path, MINIMAL + text))

    assert config.tuner is not None
    assert list(config.tuner.space) == [key]
    assert (config.tuner.method, config.tuner.objective) == ("random", "loss")


@pytest.mark.parametrize(
    ("key", "domain", "message"),
    [
        ("model.lerning_rate", UNIFORM, "; did you mean 'model.learning_rate'? (allowed: model.ty"),
        ("model", "{learning_rate: {values: [1]}}", "must be one dotted key, model.<setting>"),
        ("data.label", "{values: [y]}", "no such setting (allowed: model.type, model.hidden_units"),
        ("model.learning_rate", "0.1", "0.1 is not allowed: should be a valid dictionary"),
        (
            "model.learning_rate",
            "{}",
            "needs exactly one of values, uniform, log_uniform",
        ),
        ("model.learning_rate", "{values: [1], uniform: [0.1, 1]}", "needs exactly one of values"),
        ("model.learning_rate", "{value: [1]}", "value: unknown key; did you mean 'values'?"),
        ("model.learning_rate", "{values: []}", "values: [] is not allowed: "),
        ("model.learning_rate", "{values: 1}", "values: 1 is not allowed: should be a valid list"),
        ("model.learning_rate", "{values: [1, 1.0]}", "values: 1.0 stands twice"),
        (
            "model.learning_rate",
            "{values: [1, 0]}",
            "values.1: 0 is not allowed: should be grea",
        ),
        ("model.optimizer", "{values: [adm]}", "values.0: 'adm' is not allowed: should be 'adagr"),
        ("model.hidden_units", "{values: [10]}", "values.0: 10 is not allowed: should be a valid "),
        ("model.hidden_units", "{values: [[9], [0]]}", "values.1: [0] is not allowed: should be "),
        ("model.hidden_units", "{integers: [1, 2]}", "integers.0: 1 is not allowed: should be a v"),
        ("model.learning_rate", "{uniform: [1, 0.1]}", "uniform: low 1 is not below high 0.1"),
        ("model.learning_rate", "{uniform: [1, 1]}", "uniform: low 1 is not below high 1"),
        ("model.learning_rate", "{uniform: [0, 1]}", "uniform.0: 0.0 is not allowed: should be gr"),
        ("model.learning_rate", "{uniform: [1]}", "uniform.1: is missing"),
        ("model.learning_rate", "{uniform: [0.1, .inf]}", "uniform.1: must be finite"),
        ("model.learning_rate", "{log_uniform: [0, 1]}", "log_uniform: low 0 has no logarithm: mu"),
        ("train.steps", "{uniform: [1, 5]}", "uniform.0: 1.0 is not allowed: should be a valid in"),
        ("train.steps", "{integers: [1.5, 5]}", "integers.0: 1.5 is not allowed: should be a vali"),
        ("train.steps", "{integers: [0, 5]}", "integers.0: 0 is not allowed: should be greater th"),
        ("train.steps", "{integers: [1, 1000000001]}", "integers.1: 1000000001 is not allowed: sh"),
    ],
)
def test_load_config_refuses_a_search_space(
    tmp_path: Path, key: str, domain: str, message: str
) -> None:
    line = mistake(tmp_path, f"tuner:\n  max_trials: 3\n  space:\n    {key}: {domain}\n")

    place, _, words = line.partition(f": tuner.space.{key}")
    assert place == "14"
    assert message in words


@pytest.mark.parametrize(
    ("tuner", "message"),
    [
        ("{max_trials: 3}", "11: tuner.space: is missing"),
        ("{max_trials: 3, space: {}}", "11: tuner.space: {} is not allowed: "),
        ("{space: {model.seed: {values: [1]}}}", "11: tuner: needs max_trials or max_minutes"),
        ("{method: grid, space: {model.learning_rate: {uniform: [1, 2]}}}", "a grid needs values"),
        ("{method: hyperband, space: {model.seed: {values: [1]}}}", "should be 'random', 'grid'"),
        ("{max_trials: 0, space: {model.seed: {values: [1]}}}", "tuner.max_trials: 0 is not allow"),
        ("{max_minutes: 0, space: {model.seed: {values: [1]}}}", "tuner.max_minutes: 0 is not all"),
        ("{max_trials: 1, seed: 0, space: {model.seed: {values: [1]}}}", "tuner.seed: 0 is not al"),
        ("{max_trails: 1, space: {model.seed: {values: [1]}}}", "did you mean 'max_trials'?"),
        ("true", "11: tuner: True is not allowed: should be a valid dictionary"),
    ],
)
def test_load_config_refuses_a_sweep(tmp_path: Path, tuner: str, message: str) -> None:
    assert message in mistake(tmp_path, f"tuner: {tuner}\n")


def test_load_config_takes_a_grid_without_a_budget(minimal: Path) -> None:
    config = load_config(minimal, ["tuner={method: grid, space: {model.seed: {values: [1, 2]}}}"])

    assert config.tuner is not None
    assert config.tuner.trial_limit == 2


# The shipped configuration


def settings(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted keys of all settings below a section, `*` for the keys of a dictionary.

    A section that may be null, and is, has none.
    """
    for name, field in section.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        if field.default is None:
            yield key
            continue
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from settings(inner, f"{key}." if inner is field.annotation else f"{key}.*.")
                break
        else:
            yield key


def shipped_lines() -> Mapping[str, int]:
    """The line of each key of the shipped file, counted from 1."""

    def walk(node: yaml.Node, prefix: str) -> Iterator[tuple[str, int]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                yield prefix + key.value, key.start_mark.line + 1
                yield from walk(value, f"{prefix}{key.value}.")

    node = yaml.compose(SHIPPED.read_text())
    assert node is not None
    return dict(walk(node, ""))


def test_shipped_config_equals_the_defaults() -> None:
    config = load_config(SHIPPED)
    # What has no default, and the slices, which name a column of the data.
    given = {"name", "data.path", "data.label", "evaluation.slices"}
    required = config.model_dump(
        include={
            "name": True,
            "data": {"path", "label"},
            "features": True,
            "evaluation": {"thresholds"},
        }
    )

    shipped = config.flatten()
    defaults = Config.model_validate(required).flatten()

    assert shipped.keys() == defaults.keys()
    assert {key for key in shipped if shipped[key] != defaults[key]} <= given


def test_shipped_config_names_every_setting() -> None:
    lines = shipped_lines()
    metrics = [key.split(".")[2] for key in lines if key.startswith("evaluation.thresholds.")]
    names = {key.replace(f".{metric}.", ".*.") for key in lines for metric in metrics}

    assert set(settings(Config)) <= names


def test_shipped_config_has_a_comment_above_every_setting() -> None:
    lines = SHIPPED.read_text().splitlines()
    keys = shipped_lines()
    commented = {key for key, line in keys.items() if lines[line - 2].lstrip().startswith("#")}
    # Their keys are one subject, and its comment says what each is.
    together = {"features", "data.split", "evaluation.thresholds"}
    together_with = {"model.l2": "model.l1", "train.best_is": "train.best_metric"}

    for key in keys:
        is_section = any(other.startswith(f"{key}.") for other in keys)
        is_told_above = any(key.startswith(f"{above}.") for above in together & commented)
        is_told_above |= together_with.get(key) in commented
        assert key in commented or is_told_above or is_section, key


def test_shipped_config_shows_a_sweep_that_is_allowed(tmp_path: Path) -> None:
    lines = SHIPPED.read_text().splitlines()
    begin = lines.index("#   tuner:")
    example = [line.removeprefix("#   ") for line in lines[begin : lines.index("tuner: null")]]

    config = load_config(write(tmp_path, MINIMAL + "\n".join(example)))

    assert config.tuner is not None
    assert config.tuner.model_fields_set == set(TunerSettings.model_fields)


def test_load_config_reports_an_alias_within_itself(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("model: &model {more: *model}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="an alias stands within itself"):
        load_config(path)


@pytest.mark.parametrize(
    "key", ["push.directory", "mlflow.experiment", "mlflow.tracking_uri", "data.schema"]
)
def test_load_config_refuses_an_empty_word_where_one_is_due(key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}: '' is not allowed"):
        load_config(SHIPPED, [f"{key}=''"])


# MLflow


def test_load_config_reads_the_settings_of_mlflow(minimal: Path) -> None:
    defaults = load_config(minimal).mlflow
    config = load_config(
        minimal,
        [
            "mlflow.enabled=false",
            "mlflow.required=true",
            "mlflow.primary_metric=cross_entropy",
            "mlflow.system_metrics_seconds=0.5",
        ],
    )

    assert (defaults.enabled, defaults.required) == (True, False)
    assert (defaults.primary_metric, defaults.system_metrics_seconds) == (None, None)
    assert (config.mlflow.enabled, config.mlflow.required) == (False, True)
    assert config.mlflow.primary_metric == "cross_entropy"
    assert config.mlflow.system_metrics_seconds == 0.5


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("mlflow.primary_metric=acuracy", "'acuracy' is not allowed: should be 'accuracy', 'cross"),
        ("mlflow.primary_metric=acuracy", "did you mean 'accuracy'?"),
        ("mlflow.system_metrics_seconds=0", "0 is not allowed: should be greater than 0"),
        ("mlflow.system_metrics_seconds=.inf", "must be finite"),
        ("mlflow.enabled=1", "1 is not allowed"),
        ("mlflow.require=true", "unknown key; did you mean 'required'?"),
    ],
)
def test_load_config_explains_a_mistake_in_the_settings_of_mlflow(
    minimal: Path, override: str, message: str
) -> None:
    (line,) = mistakes(minimal, override)

    assert line.startswith(f"--set {override.partition('=')[0]}: ")
    assert message in line


CREDENTIALS = "http://alice:secret@host:5000"


@pytest.mark.parametrize(
    ("addition", "overrides"),
    [
        (f"mlflow:\n  tracking_uri: {CREDENTIALS}\n", []),
        ("", [f"mlflow.tracking_uri={CREDENTIALS}"]),
        ("", ["mlflow.tracking_uri=postgresql://alice:secret@host/mlflow"]),
        ("", ["mlflow.tracking_uri=https://secret@host"]),
        ("", [f"mlflow={CREDENTIALS}"]),
        ("", [f"mlflow.tracking_uri=[{CREDENTIALS}]"]),
        pytest.param(
            "",
            [f"mlflow.tracking_uri=[{CREDENTIALS}"],
        ),
        pytest.param(
            "",
            [CREDENTIALS],
        ),
    ],
    ids=["file", "set", "database", "token", "section", "list", "no YAML", "no key"],
)
def test_load_config_refuses_credentials_and_does_not_show_them(
    tmp_path: Path, addition: str, overrides: list[str]
) -> None:
    (line,) = mistakes(write(tmp_path, MINIMAL + addition), *overrides)

    assert line.startswith(("12: mlflow.tracking_uri: ", "--set "))
    assert "alice" not in line
    assert "secret" not in line


def test_load_config_says_where_credentials_belong(minimal: Path) -> None:
    (line,) = mistakes(minimal, f"mlflow.tracking_uri={CREDENTIALS}")

    assert "MLFLOW_TRACKING_USERNAME" in line
    assert "MLFLOW_TRACKING_URI" in line


def test_tracking_uri_is_that_of_the_environment_where_none_is_set(
    minimal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", CREDENTIALS)
    config = load_config(minimal)

    assert config.tracking_uri == CREDENTIALS
    assert "secret" not in config.to_yaml()
    assert "secret" not in str(config.flatten())
    assert load_config(minimal, ["mlflow.tracking_uri=http://other"]).tracking_uri == "http://other"


def test_tracking_uri_is_a_file_in_the_state_folder_by_default(
    minimal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = minimal.parent

    assert load_config(minimal).tracking_uri == f"sqlite:///{folder}/artifacts/mlflow.db"
    relative = load_config(minimal, ["mlflow.tracking_uri=sqlite:///my.db"])
    assert relative.tracking_uri == f"sqlite:///{folder}/my.db"


@pytest.mark.parametrize(
    ("old", "key", "now"),
    [
        ("data: {csv: {gaps: [NA]}}", "data.csv.gaps", "'null_values'"),
        ("features: {x: {kind: numeric, gap: mean}}", "features.x.gap", "'fill'"),
        (
            "features: {x: {kind: numeric, gap_flag: true}}",
            "features.x.gap_flag",
            "'missing_indicator'",
        ),
        ("train: {best_metric: f1, best_is: greatest}", "train.best_is", "'max'"),
        ("tuner: {objective: f1, objective_is: least}", "tuner.objective_is", "'min'"),
    ],
)
def test_load_names_what_an_old_key_is_called_now(old: str, key: str, now: str) -> None:
    section, _, value = old.partition(": ")

    with pytest.raises(ConfigError) as caught:
        load_config(SHIPPED, [f"{section}={value}"])

    (line,) = [each for each in str(caught.value).splitlines() if key in each]
    assert f"is called {now} now: rename it" in line
