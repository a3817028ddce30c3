"""Properties by which nodes are cached: what is not among them does not invalidate the cache."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.graph.code_digest import code_digest
from tests.helpers.graph_nodes import CATEGORICAL, DRIFT, SKEW, SWEEP, custom_config, nodes


def test_run_fn_is_told_its_code_digest() -> None:
    assert custom_config(nodes()["Trainer"])["code_digest"] == code_digest("trainer.run")


@pytest.mark.parametrize("node_id", ["Tuner", "Trainer"])
def test_sweep_is_not_keyed_by_replaced_settings(node_id: str) -> None:
    def key(*overrides: str) -> dict[str, Any]:
        return custom_config(nodes(SWEEP, *overrides)[node_id])

    assert key("model.learning_rate=0.7") == key()
    assert key("model.optimizer=adam") != key()


@pytest.mark.parametrize("node_id", ["Tuner", "Trainer"])
def test_sweep_removes_a_nested_setting(node_id: str) -> None:
    schedule = "model.schedule={kind: exponential, rate: 0.5, steps: 7}"
    sweep = "tuner={max_trials: 3, space: {model.schedule.rate: {uniform: [0.1, 0.9]}}}"

    settings = custom_config(nodes(schedule, sweep)[node_id])["settings"]

    assert settings["model"]["schedule"] == {"kind": "exponential", "steps": 7, "boundaries": []}


@pytest.mark.parametrize(("node_id", "is_keyed"), [("Tuner", True), ("Trainer", False)])
def test_tuner_is_keyed_by_the_sweep(node_id: str, is_keyed: bool) -> None:
    before, after = nodes(SWEEP), nodes(SWEEP, "tuner.seed=2")

    has_changed = custom_config(before[node_id]) != custom_config(after[node_id])
    assert has_changed is is_keyed


def test_tuner_is_keyed_by_its_code() -> None:
    digest = custom_config(nodes(SWEEP)["Tuner"])["code_digest"]

    assert digest == code_digest("trainer.tuner", "components.tuner.component")


@pytest.mark.parametrize(
    "node_id", ["CsvExampleGen", "StatisticsGen", "Transform", "Evaluator", "Pusher"]
)
def test_node_is_keyed_by_its_code(node_id: str) -> None:
    node = nodes()[node_id]

    assert len(node.exec_properties["code_digest"]) == 64


@pytest.mark.parametrize(
    ("override", "is_keyed"),
    [
        ("features.sepal_length={kind: categorical, min_count: 2}", True),
        ("features.sepal_length={kind: categorical, encode: embedding, dimension: 3}", False),
        ("features.pair={kind: crossed, columns: [sepal_length, petal_length]}", False),
        ("features.more=ignore", False),
        ("features.words={kind: tags, encode: embedding, dimension: 3}", False),
        ("features.words={kind: tags, separator: ','}", True),
        ("features.said={kind: text, dimension: 3}", False),
        ("features.said={kind: text, encode: embedding}", True),
        ("data.weight=weight", True),
        ("task=binary", True),
        ("model.hidden_units=[3]", False),
        ("model.preprocessing_fn=trainer.preprocessing.preprocessing_fn", True),
    ],
)
def test_transform_is_keyed_by_settings_it_uses(override: str, is_keyed: bool) -> None:
    settings = [CATEGORICAL, "features.petal_length={kind: bucketized}"]
    settings += ["features.words=tags", "features.said=text"]

    keys = [custom_config(nodes(*each)["Transform"]) for each in (settings, [*settings, override])]

    assert (keys[0] != keys[1]) == is_keyed


@pytest.mark.parametrize(
    ("node_id", "key"),
    [("Transform", "preprocessing_fn"), ("Trainer", "model_fn"), ("Tuner", "model_fn")],
)
def test_node_is_keyed_by_the_users_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, node_id: str, key: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "keyed_by.py"

    def digest(source: str) -> str:
        module.write_text(source)
        properties = nodes(SWEEP, f"model.{key}=keyed_by.fn")[node_id].exec_properties
        found: str = (
            properties.get("code_digest") or json.loads(properties["custom_config"])["code_digest"]
        )
        return found

    assert digest("def fn(inputs): ...\n") != digest("def fn(inputs): return 1\n")


def test_gate_is_keyed_by_its_settings() -> None:
    def key(*overrides: str) -> dict[str, Any]:
        return dict(nodes(*overrides)["DataGate"].exec_properties)

    assert key("model.seed=2") == key()
    assert key("validation.stop_at=never") != key()
    assert key("features={sepal_width: numeric}") != key()
    assert set(json.loads(key()["columns"])) == {
        *("sepal_length", "sepal_width", "petal_length", "petal_width", "species")
    }


def test_validators_are_keyed_by_their_code() -> None:
    found = nodes(DRIFT, SKEW)

    for node_id in ("DataGate", "DriftValidator", "SkewStatisticsGen", "SkewValidator"):
        assert len(found[node_id].exec_properties["code_digest"]) == 64


def test_reviewed_schema_is_keyed_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "schema.pbtxt"

    def key(content: str) -> Any:
        path.write_text(content)
        found = nodes(f"data.schema={path}")
        assert found["Transform"].inputs["schema"] == found["ImportSchemaGen"].outputs["schema"]
        assert found["DataGate"].exec_properties["is_reviewed"] == 1
        return found["ImportSchemaGen"].exec_properties["content_digest"]

    assert key("a") == key("a") != key("b")
