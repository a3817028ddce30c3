"""The preprocessing_fn, through Transform's own Beam implementation."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from trainer.preprocessing import preprocessing_fn

# `constant` holds the same value everywhere; `whole` is a column of integers.
FEATURES = {"size": "numeric", "whole": "numeric", "constant": "numeric"}
SPEC = {
    "size": tf.io.FixedLenFeature([1], tf.float32),
    "whole": tf.io.FixedLenFeature([1], tf.int64),
    "constant": tf.io.FixedLenFeature([1], tf.float32),
    "unused": tf.io.FixedLenFeature([1], tf.string),
}
# size: mean (1+2+3+6)/4 = 3, variance (4+1+0+9)/4 = 3.5, of the population.
# whole: mean (-2+0+2+4)/4 = 1, variance (9+1+1+9)/4 = 5.
SIZE, SIZE_DEVIATION = [1.0, 2.0, 3.0, 6.0], math.sqrt(3.5)
WHOLE, WHOLE_DEVIATION = [-2, 0, 2, 4], math.sqrt(5)
WORDS = [b"pear tree", b"Zebra", "Öl".encode(), b"apple"]
NUMBERS = [10, 9, -3, 100]


def analyze(
    label_dtype: tf.DType, labels: list[Any], temp_dir: Path
) -> tuple[dict[str, np.ndarray[Any, Any]], tft.TFTransformOutput]:
    """Learns the transformation from four rows, and applies it to them."""
    rows = [
        {"size": [size], "whole": [whole], "constant": [7.7], "unused": [b"?"], "label": [label]}
        for size, whole, label in zip(SIZE, WHOLE, labels, strict=True)
    ]
    spec = {**SPEC, "label": tf.io.FixedLenFeature([1], label_dtype)}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    settings = {"label": "label", "features": FEATURES}
    with tft_beam.Context(temp_dir=str(temp_dir / "temp")):
        _, transform_fn = ((rows, metadata)) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, {"settings": settings})
        )
        _ = transform_fn | tft_beam.WriteTransformFn(str(temp_dir / "graph"))
    output = tft.TFTransformOutput(str(temp_dir / "graph"))
    raw = {name: tf.constant([row[name] for row in rows], spec[name].dtype) for name in spec}
    transformed = output.transform_features_layer()(raw)
    return {name: tensor.numpy() for name, tensor in transformed.items()}, output


Analysis = tuple[dict[str, np.ndarray[Any, Any]], tft.TFTransformOutput]


@pytest.fixture(scope="module")
def of_words(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analyze(tf.string, WORDS, tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="module")
def of_numbers(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analyze(tf.int64, NUMBERS, tmp_path_factory.mktemp("numbers"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("size", [-2 / SIZE_DEVIATION, -1 / SIZE_DEVIATION, 0, 3 / SIZE_DEVIATION]),
        (
            "whole",
            [-3 / WHOLE_DEVIATION, -1 / WHOLE_DEVIATION, *np.array([1, 3]) / WHOLE_DEVIATION],
        ),
        ("constant", [0, 0, 0, 0]),
    ],
)
def test_preprocessing_fn_scales_features_to_z_scores(
    of_words: Analysis, name: str, expected: list[float]
) -> None:
    column = of_words[0][name]

    assert (column.dtype, column.shape) == (np.float32, (4, 1))
    np.testing.assert_allclose(column.ravel(), expected, atol=1e-6)


def test_preprocessing_fn_gives_the_features_and_the_label_only(of_words: Analysis) -> None:
    assert set(of_words[0]) == {*FEATURES, "label"}


def test_preprocessing_fn_numbers_words_alphabetically(of_words: Analysis) -> None:
    # By bytes: Zebra, apple, pear tree, Öl.
    column = of_words[0]["label"]

    assert column.dtype == np.int64
    np.testing.assert_array_equal(column, [[2], [0], [3], [1]])


def test_preprocessing_fn_numbers_integers_by_value(of_numbers: Analysis) -> None:
    # -3, 9, 10, 100; as words 10 would come before 9.
    column = of_numbers[0]["label"]

    assert column.dtype == np.int64
    np.testing.assert_array_equal(column, [[2], [1], [0], [3]])


def test_preprocessing_fn_writes_the_words_in_the_order_of_their_ids(of_words: Analysis) -> None:
    path = of_words[1].vocabulary_file_by_name("classes")

    assert Path(path).read_text("utf-8") == "Zebra\napple\npear tree\nÖl\n"


def test_preprocessing_fn_writes_integers_as_words(of_numbers: Analysis) -> None:
    words = of_numbers[1].vocabulary_by_name("classes")

    assert words == [b"-3", b"9", b"10", b"100"]


def test_preprocessing_fn_gives_an_unknown_label_no_id(of_words: Analysis) -> None:
    row = {name: tf.zeros([1, 1], spec.dtype) for name, spec in SPEC.items() if name != "unused"}
    row |= {"unused": tf.constant([["?"]]), "label": tf.constant([["quince"]])}

    transformed = of_words[1].transform_features_layer()(row)

    assert transformed["label"].numpy().tolist() == [[-1]]


def test_preprocessing_fn_scales_new_rows_by_what_it_learned(of_words: Analysis) -> None:
    row = {name: tf.zeros([1, 1], spec.dtype) for name, spec in SPEC.items() if name != "unused"}
    row |= {"size": tf.constant([[10.0]]), "unused": tf.constant([["?"]])}

    transformed = of_words[1].transform_raw_features(row)

    expected = (10 - 3) / SIZE_DEVIATION
    assert transformed["size"].numpy().item() == pytest.approx(expected, rel=1e-6)
