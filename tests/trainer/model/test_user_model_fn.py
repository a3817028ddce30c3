"""The user's model_fn in every form that Estimator accepts, and the errors of other forms."""

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
from trainer.model.user_model_fn import make_user_model_fn
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
        make_user_model_fn(f"tests.helpers.user_models.{name}"),
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
    model_fn = make_user_model_fn(f"tests.helpers.user_models.{name}")
    return Network(model_fn, mode, {**make_params(task), "depth": 3}, config=config)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_user_model_fn_classification(name: str, tmp_path: Path) -> None:
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


def test_user_model_fn_regression(tmp_path: Path) -> None:
    estimator = make_estimator("number", tmp_path, "regression")

    estimator.train(lambda: input_fn("regression"))
    predictions = list(estimator.predict(lambda: input_fn(labels=False)))

    assert set(predictions[0]) == {"predictions"}
    assert predictions[0]["predictions"].shape == (1,)


def test_user_model_fn_keeps_hooks_and_scaffold(tmp_path: Path, notes: list[str]) -> None:
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
def test_user_model_fn_adds_missing_signatures(name: str, signatures: set[str]) -> None:
    spec = build(name, PREDICT).spec

    assert set(spec.export_outputs) == signatures
    assert set(OUTPUTS) <= set(spec.export_outputs["serving_default"].outputs)


def test_user_model_fn_keeps_outputs() -> None:
    spec = build("production", PREDICT).spec

    assert set(spec.predictions) == {*OUTPUTS, "code", "score"}
    assert set(spec.export_outputs["serving_default"].outputs) == {*OUTPUTS, "code", "score"}
    assert set(spec.export_outputs["codes"].outputs) == {"code"}


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
def test_user_model_fn_keeps_metrics(mode: str) -> None:
    spec = build("guide", mode).spec

    assert set(spec.eval_metric_ops) == {"accuracy", "hits"}


def test_user_model_fn_unservable_fails_early(notes: list[str]) -> None:
    with pytest.raises(UserFunctionError, match="lack 'probabilities' or 'logits'"):
        build("only_class_ids", TRAIN)

    assert notes == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("guidd", "tests.helpers.user_models has no 'guidd'; did you mean 'guide'?"),
        ("PATH", "is not callable, but of type PosixPath"),
        (
            "wrong_arguments",
            "takes (x: Any, y: Any, mode: str) -> Any: expected arguments named features and"
            " labels, and optionally mode, params and config",
        ),
        (
            "further_argument",
            "takes (features: Any, labels: Any, depth: int) -> Any: expected arguments",
        ),
    ],
)
def test_make_user_model_fn_names_fault(name: str, message: str) -> None:
    with pytest.raises(UserFunctionError) as caught:
        make_user_model_fn(f"tests.helpers.user_models.{name}")

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
            "only_class_ids",
            PREDICT,
            "tests.helpers.user_models.only_class_ids: predictions lack 'probabilities' or"
            " 'logits', float of shape [batch_size, 3] (found: 'class_ids')",
        ),
        (
            "reserved_signature",
            PREDICT,
            "reserved_signature: export_outputs may not contain 'examples'",
        ),
        ("fails", TRAIN, "ValueError: Dimensions must be equal, but are 1 and 6"),
        ("fails", TRAIN, f"({user_models.FAILS_AT})"),
    ],
)
def test_user_model_fn_errors_are_one_line(name: str, mode: str, message: str) -> None:
    with pytest.raises(UserFunctionError) as caught:
        build(name, mode)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_model_fn_is_checked_with_sparse_features(tmp_path: Path) -> None:
    words = tf.feature_column.categorical_column_with_identity("words", 3)
    params = {**make_params("multiclass"), "depth": 3}
    params["feature_columns"] = [tf.feature_column.indicator_column(words)]
    estimator = tf.estimator.Estimator(
        make_user_model_fn("tests.helpers.user_models.guide"), str(tmp_path), params=params
    )

    def several_words() -> tf.data.Dataset:
        ids = tf.ragged.constant([[0, 2], [], [1]], tf.int64).to_sparse()
        return tf.data.Dataset.from_tensors(({"words": ids}, tf.constant([0, 1, 2], tf.int64)))

    assert estimator.train(several_words, steps=1).latest_checkpoint().endswith("-1")
