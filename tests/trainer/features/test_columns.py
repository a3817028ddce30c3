"""Feature columns over transformed features."""

from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from tests.helpers.preprocessed import Table, analyze
from trainer.features.columns import (
    FeatureColumns,
    id_column,
    make_feature_columns,
    numeric_column,
)
from trainer.settings.features import DatePart
from trainer.settings.train import TrainerSettings
from trainer.user_functions import UserFunctionError

WORDS = [b"b", b"a", b"a", None]
COLUMNS: dict[str, list[Any]] = {
    "size": [1.0, 2.0, None, 3.0],
    "range": [1.0, 2.0, 3.0, None],
    "quantile": [1.0, 2.0, 3.0, 4.0],
    "city": WORDS,
    ".top/left-x": WORDS,
    "code": [0.0, 1.0, 2.0, 9.0],
    "link": WORDS,
    "flag": [b"yes", b"no", b"?", b"yes"],
    "day": [b"2024-05-01 10:30", b"2023-01-31 23:59", b"", b"2024-12-31"],
    "label": [b"x", b"y", b"x", b"y"],
}
SETTINGS: dict[str, Any] = {
    "label": "label",
    "features": {
        "size": {"kind": "numeric", "fill": "mean", "missing_indicator": True},
        "range": {"kind": "bucketized", "boundaries": [2]},
        "quantile": {"kind": "bucketized", "buckets": 2},
        "city": {"kind": "categorical", "oov_buckets": 2},
        ".top/left-x": {"kind": "categorical", "encode": "embedding", "dimension": 4},
        "code": {"kind": "categorical", "ids": "identity", "size": 3, "encode": "embedding"},
        "link": {"kind": "categorical", "ids": "hash", "size": 80, "encode": "embedding"},
        "flag": "boolean",
        "pair": {"kind": "crossed", "columns": ["city", "flag"], "size": 9},
        "deep_pair": {
            "kind": "crossed",
            "columns": ["range", ".top/left-x"],
            "size": 20,
            "encode": "embedding",
            "dimension": 5,
        },
        "day": {"kind": "datetime", "parts": list(get_args(DatePart))},
        "label": "ignore",
    },
}
# Every kind has an id for missing values. city: a, b, two for others, missing. Widths of embeddings
# that set none are the fourth roots, rounded up: 2 for 4 ids, 3 for 81 ids.
WIDTHS = {
    "size": 1,
    "size_missing": 1,
    "day_year": 1,
    "day_day_of_year": 1,
    "day_days": 1,
    "range_indicator": 3,
    "quantile_indicator": 3,
    "city_indicator": 5,
    ".top.x2f.left-x_embedding": 4,
    "code_embedding": 2,
    "link_embedding": 3,
    "flag_indicator": 3,
    "day_quarter_indicator": 5,
    "day_month_indicator": 13,
    "day_week_indicator": 54,
    "day_day_indicator": 32,
    "day_weekday_indicator": 8,
    "day_hour_indicator": 25,
    "day_minute_indicator": 61,
    "city_X_flag_indicator": 9,
    ".top.x2f.left-x_X_range_embedding": 5,
}
Made = tuple[Table, FeatureColumns]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    table, output = analyze(COLUMNS, SETTINGS, tmp_path_factory.mktemp("features"))
    return table, make_feature_columns(TrainerSettings.model_validate(SETTINGS), output)


def evaluate(tensors: Any) -> Any:
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(tf.compat.v1.tables_initializer())
        return session.run(tensors)


def test_make_feature_columns_covers_all_features(made: Made) -> None:
    assert [column.name for column in made[1].deep] == [
        *(name for name in WIDTHS if "_X_" not in name),
        *(name for name in WIDTHS if "_X_" in name),
    ]


def test_make_feature_columns_deep_are_dense(made: Made) -> None:
    table, columns = made
    with tf.Graph().as_default():
        features = {name: tf.constant(values) for name, values in table.items()}
        cols_to_outputs: dict[Any, tf.Tensor] = {}
        tf.compat.v1.feature_column.input_layer(
            features, columns.deep, cols_to_output_tensors=cols_to_outputs
        )
        layers = evaluate({column.name: each for column, each in cols_to_outputs.items()})

    assert {name: layer.shape for name, layer in layers.items()} == {
        name: (4, width) for name, width in WIDTHS.items()
    }
    for name, layer in layers.items():
        if name.endswith("_indicator"):  # each example has one id, also if its value is missing
            np.testing.assert_array_equal(layer.sum(axis=1), 1, err_msg=name)
    np.testing.assert_array_equal(layers["city_indicator"].argmax(axis=1), table["city"].ravel())
    assert layers["city_indicator"].argmax(axis=1)[3] == 4


# TensorFlow's linear model emits it.
@pytest.mark.filterwarnings("ignore:`layer.add_variable` is deprecated:UserWarning")
def test_make_feature_columns_linear_weight_per_id(made: Made) -> None:
    table, columns = made
    with tf.Graph().as_default():
        features = {name: tf.constant(values) for name, values in table.items()}
        logits = tf.compat.v1.feature_column.linear_model(features, columns.linear)
        shapes = {
            variable.op.name.split("linear_model/")[1]: variable.shape.as_list()
            for variable in tf.compat.v1.trainable_variables()
        }
        assert evaluate(logits).shape == (4, 1)

    assert shapes["city/weights"] == [5, 1]
    assert shapes["link/weights"] == [81, 1]
    assert shapes["day_minute/weights"] == [61, 1]
    assert shapes["city_X_flag/weights"] == [9, 1]
    assert shapes["size/weights"] == [1, 1]


# the user's preprocessing_fn


@pytest.fixture(scope="module")
def user_output(tmp_path_factory: pytest.TempPathFactory) -> tft.TFTransformOutput:
    folder = tmp_path_factory.mktemp("user")
    (folder / "user_outputs.py").write_text(
        "import tensorflow as tf\n"
        "def mixed(inputs):\n"
        "    x = inputs['x']\n"
        "    return {'pair': tf.concat([x, -x], 1), 'flat': x[:, 0], 'word': inputs['label']}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        columns = {"x": [1.0, 2.0], "w": [1.0, 2.0], "label": [b"x", b"y"]}
        return analyze(columns, user_settings(), folder)[1]


def user_settings(**model: str) -> dict[str, Any]:
    model["preprocessing_fn"] = "user_outputs.mixed"
    return {"label": "label", "weight": "w", "features": {"x": "numeric"}, "model": model}


def test_make_feature_columns_of_user_outputs(
    user_output: tft.TFTransformOutput,
) -> None:
    settings = TrainerSettings.model_validate(user_settings(model_fn="my.model_fn"))

    columns = make_feature_columns(settings, user_output)

    assert {column.name: column.shape for column in columns.deep} == {"pair": (2,), "flat": (1,)}
    assert columns.linear == columns.deep


def test_make_feature_columns_refuses_user_words(
    user_output: tft.TFTransformOutput,
) -> None:
    settings = TrainerSettings.model_validate(user_settings())

    with pytest.raises(
        UserFunctionError, match=r"user_outputs.mixed: returns 'word' as string, but"
    ):
        make_feature_columns(settings, user_output)


# TensorFlow's linear model emits it.
@pytest.mark.filterwarnings("ignore:`layer.add_variable` is deprecated:UserWarning")
def test_columns_of_any_names_have_variables_of_their_own() -> None:
    names = ["a b", "a_b", "A b", "a", "A", "a/b", "b", "_b", "-b", "価格", "Width (cm)", "a b_2"]
    with tf.Graph().as_default():
        numbers = {name: tf.ones([2, 1]) for name in names}
        ids = {f"{name} id": tf.zeros([2, 1], tf.int64) for name in names}
        embedded = [tf.feature_column.embedding_column(id_column(name, 3), 2) for name in ids]
        columns = [numeric_column(name) for name in names]
        features = {**numbers, **ids}
        tf.compat.v1.feature_column.input_layer(features, [*columns, *embedded])
        tf.compat.v1.feature_column.linear_model(features, columns)
        variables = {variable.name for variable in tf.compat.v1.trainable_variables()}

    assert len([name for name in variables if "embedding_weights" in name]) == len(names)
    assert len([name for name in variables if "linear_model/" in name]) == len(names) + 1
