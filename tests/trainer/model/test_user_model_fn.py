"""model_fns of all the forms that Estimator takes, and what is said of those it does not."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import user_models
from tests.helpers.model_graphs import (
    EVAL,
    FEATURES,
    LABELS,
    PREDICT,
    TRAIN,
    WARNINGS,
    Network,
    make_params,
)
from trainer.model.user_model_fn import make_own_model_fn
from trainer.user_functions import UserFunctionError

pytestmark = WARNINGS

CLASSIFIERS = [
    "guide",
    "production",
    "without_params",
    "instance",
    "method",
    "partial",
    "decorated",
    "any_arguments",
]
OUTPUTS = {
    "class_ids": (np.int64, (1,)),
    "classes": (np.object_, (1,)),
    "probabilities": (np.float32, (3,)),
    "logits": (np.float32, (3,)),
}


@pytest.fixture(autouse=True)
def notes() -> list[str]:
    user_models.NOTES.clear()
    return user_models.NOTES


def make_estimator(name: str, folder: Path, task: str = "multiclass") -> tf.estimator.Estimator:
    return tf.estimator.Estimator(
        make_own_model_fn(f"tests.helpers.user_models.{name}"),
        str(folder),
        tf.estimator.RunConfig(tf_random_seed=1),
        params={**make_params(task), "depth": 3},
    )


def input_fn(task: str = "multiclass", *, labels: bool = True) -> tf.data.Dataset:
    features = {name: np.array(column, np.float32) for name, column in FEATURES.items()}
    target = np.array(LABELS[task], np.float32 if task == "regression" else np.int64)
    dataset = tf.data.Dataset.from_tensors((features, target) if labels else features)
    return dataset.repeat(50) if labels else dataset


def build(name: str, mode: str, task: str = "multiclass") -> Network:
    config = tf.estimator.RunConfig()
    model_fn = make_own_model_fn(f"tests.helpers.user_models.{name}")
    return Network(model_fn, mode, {**make_params(task), "depth": 3}, config=config)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_own_model_fn_trains_and_serves_what_a_classification_does(
    name: str, tmp_path: Path
) -> None:
    estimator = make_estimator(name, tmp_path)

    estimator.train(input_fn)
    metrics = estimator.evaluate(input_fn, steps=1)
    predictions = list(estimator.predict(lambda: input_fn(labels=False)))

    assert metrics["hits"] == metrics["accuracy"] > 0.6
    for key, (dtype, shape) in OUTPUTS.items():
        assert (predictions[0][key].dtype, predictions[0][key].shape) == (dtype, shape), key
    hits = [
        row["classes"][0] == [b"ant", b"bee", b"cow"][label]
        for row, label in zip(predictions, LABELS["multiclass"], strict=True)
    ]
    assert np.mean(hits) == pytest.approx(metrics["accuracy"])


def test_own_model_fn_trains_and_serves_a_number(tmp_path: Path) -> None:
    estimator = make_estimator("number", tmp_path, "regression")

    estimator.train(lambda: input_fn("regression"))
    predictions = list(estimator.predict(lambda: input_fn(labels=False)))

    assert set(predictions[0]) == {"predictions"}
    assert predictions[0]["predictions"].shape == (1,)


def test_own_model_fn_keeps_hooks_and_scaffold(tmp_path: Path, notes: list[str]) -> None:
    estimator = make_estimator("production", tmp_path)

    estimator.train(input_fn)
    assert notes == ["ready", "trained"]
    estimator.evaluate(input_fn, steps=1)
    assert notes[2:] == ["evaluated"]
    list(estimator.predict(lambda: input_fn(labels=False)))
    assert notes[3:] == ["predicted"]


@pytest.mark.parametrize(
    ("name", "signatures"),
    [
        ("guide", {"serving_default", "classify"}),
        ("production", {"serving_default", "classify", "codes", "ranks"}),
    ],
)
def test_own_model_fn_keeps_its_signatures_and_gets_those_that_lack(
    name: str, signatures: set[str]
) -> None:
    spec = build(name, PREDICT).spec

    assert set(spec.export_outputs) == signatures
    assert set(OUTPUTS) <= set(spec.export_outputs["serving_default"].outputs)


def test_own_model_fn_keeps_all_that_it_predicts_and_serves() -> None:
    spec = build("production", PREDICT).spec

    assert set(spec.predictions) == {*OUTPUTS, "code", "score"}
    assert set(spec.export_outputs["serving_default"].outputs) == {*OUTPUTS, "code", "score"}
    assert set(spec.export_outputs["codes"].outputs) == {"code"}


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
def test_own_model_fn_measures_what_it_says(mode: str) -> None:
    spec = build("guide", mode).spec

    assert set(spec.eval_metric_ops) == {"accuracy", "hits"}


def test_own_model_fn_that_cannot_be_served_fails_before_it_trains(notes: list[str]) -> None:
    with pytest.raises(UserFunctionError, match="lack 'probabilities' or 'logits'"):
        build("class_ids_alone", TRAIN)

    assert notes == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("guidd", "there is no 'guidd' in tests.helpers.user_models; did you mean 'guide'?"),
        ("PATH", "is of type PosixPath, and cannot be called"),
        (
            "wrong_arguments",
            "takes (x: Any, y: Any, mode: str) -> Any, but Estimator calls it by name with features"
            " and labels and, where it takes them, mode, params and config",
        ),
        (
            "further_argument",
            "takes (features: Any, labels: Any, depth: int) -> Any, but Estimator",
        ),
    ],
)
def test_make_own_model_fn_says_what_is_wrong(name: str, message: str) -> None:
    with pytest.raises(UserFunctionError) as caught:
        make_own_model_fn(f"tests.helpers.user_models.{name}")

    assert str(caught.value).startswith(f"tests.helpers.user_models.{name}: {message}")


@pytest.mark.parametrize(
    ("name", "mode", "message"),
    [
        (
            "returns_nothing",
            TRAIN,
            "tests.helpers.user_models.returns_nothing: returned nothing for mode 'infer', not a"
            " tf.estimator.EstimatorSpec",
        ),
        (
            "returns_loss",
            EVAL,
            "tests.helpers.user_models.returns_loss: returned a SymbolicTensor for mode",
        ),
        ("no_loss", EVAL, "ValueError: Missing loss. (user_models.py:"),
        ("no_loss", PREDICT, "ValueError: Missing predictions. (user_models.py:"),
        ("no_loss", TRAIN, "ValueError: Missing predictions. (user_models.py:"),
        ("no_train_op", TRAIN, "ValueError: Missing train_op. (user_models.py:"),
        (
            "class_ids_alone",
            PREDICT,
            "tests.helpers.user_models.class_ids_alone: its predictions lack 'probabilities' or"
            " 'logits', float of shape [batch_size, 3] (there: 'class_ids')",
        ),
        (
            "names_of_ours",
            PREDICT,
            "tests.helpers.user_models.names_of_ours: 'examples' among its export_outputs",
        ),
        ("fails", TRAIN, "ValueError: Dimensions must be equal, but are 1 and 6"),
        ("fails", TRAIN, f"({user_models.FAILS_AT})"),
    ],
)
def test_own_model_fn_says_what_is_wrong_in_one_line(name: str, mode: str, message: str) -> None:
    with pytest.raises(UserFunctionError) as caught:
        build(name, mode)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
