"""Tags and text: ids and weights from Transform, and the same from the exported model."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from tests.helpers.preprocessed import Table, analyze, serve
from trainer.features.columns import make_feature_columns, vocabulary_name
from trainer.features.word_ids import split_text
from trainer.settings.train import TrainerSettings
from trainer.settings.words import Text

COLUMNS: dict[str, list[Any]] = {
    "tags": [b"red|blue", b" blue | red |", b"red|red", None, "Größe|blue".encode(), b"|"],
    "weighted": [b"red:2|blue:1", b"red", b"blue : .5; blue:1.5", None, b"a:b:3|http://x", b"c:0"],
    "comma": [b"b, a", b"b", b"b,c", b"b,a", b"", b"a"],
    "top": [b"b|a", b"b", b"b|c", b"b|a", b"d", b"a"],
    "hashed": [b"b|a", b"b", b"b|b", None, b"c", b"a"],
    "text": [b"Good, GOOD food!", b"bad food", b"don't   don\xe2\x80\x99t", None, b"?!", b"food"],
    "plain": [b"a b", b"b b a", b"a", b"b a c", None, b"a b"],
    "label": [b"x", b"y", b"x", b"y", b"x", b"y"],
}
SETTINGS: dict[str, Any] = {
    "label": "label",
    "features": {
        "tags": "tags",
        "weighted": {"kind": "tags", "weight_separator": ":", "min_count": 1},
        "comma": {"kind": "tags", "separator": ",", "encode": "embedding"},
        "top": {"kind": "tags", "size": 2, "oov_buckets": 0, "encode": "embedding"},
        "hashed": {"kind": "tags", "ids": "hash", "size": 5},
        "text": {"kind": "text", "min_count": 1},
        "plain": {"kind": "text", "encode": "embedding", "dimension": 3},
    },
}
# Words by id: by frequency, a word counting each time, then by bytes.
VOCABULARIES = {
    "tags": ["red", "blue", "Größe"],
    "weighted": ["red", "a:b", "blue", "blue : .5; blue", "c", "http://x"],
    "comma": ["b", "a", "c"],
    "top": ["b", "a"],
    "text": ["food", "dont", "good", "bad", "bad food", "dont dont", "good food", "good good"],
    "plain": ["a", "b", "a b", "b a"],
}
# A tag counts once per cell, a word of text with tf-idf too; without it, each time.
WORDS = {
    "tags": [["red", "blue"], ["blue", "red"], ["red"], [], ["Größe", "blue"], []],
    "weighted": [["red", "blue"], ["red"], ["blue : .5; blue"], [], ["a:b", "http://x"], ["c"]],
    "comma": [["b", "a"], ["b"], ["b", "c"], ["b", "a"], [], ["a"]],
    "top": [["b", "a"], ["b"], ["b"], ["b", "a"], [], ["a"]],
    "text": [
        ["food", "good", "good food", "good good"],
        *(["food", "bad", "bad food"], ["dont", "dont dont"], [], [], ["food"]),
    ],
    "plain": [
        ["a", "b", "a b"],
        ["b", "b", "a", "b a"],
        ["a"],
        ["b", "a", "b a"],
        [],
        ["a", "b", "a b"],
    ],
}
# Share of the words of the cell, times 1 + log((6 rows + 1) / (rows with it + 1)): food is in
# 3 rows, each other word in 1.
FOOD, OTHER = 1 + math.log(7 / 4), 1 + math.log(7 / 2)
WEIGHTS = {
    "weighted": [[2, 1], [1], [1.5], [], [3, 1], [0]],
    "text": [
        [FOOD / 5, 2 * OTHER / 5, OTHER / 5, OTHER / 5],
        *([FOOD / 3, OTHER / 3, OTHER / 3], [2 * OTHER / 3, OTHER / 3], [], [], [FOOD]),
    ],
}
UNSEEN: dict[str, list[Any]] = {
    "tags": [b"green|green|red", None],
    "weighted": [b"green:2|grey:3|red:x", b"red:1e99"],
    "comma": [b"", b"c ,c"],
    "top": [b"c|d", b"d|a"],
    "hashed": [b"a", b"b|a"],
    "text": [b"awful", b"GOOD"],
    "plain": [b"z a z b", b"\xff"],
}
Analysis = tuple[Table, tft.TFTransformOutput]


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analyze(COLUMNS, SETTINGS, tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="module")
def served(analysis: Analysis) -> dict[str, Any]:
    return serve({**COLUMNS}, SETTINGS, analysis[1])


@pytest.fixture(scope="module")
def unseen(analysis: Analysis) -> dict[str, Any]:
    return serve(UNSEEN, SETTINGS, analysis[1])


def rows_of(sparse: Any) -> list[list[Any]]:
    """The values of each row of a SparseTensor's value."""
    rows: list[list[Any]] = [[] for _ in range(sparse.dense_shape[0])]
    for (row, _), value in zip(sparse.indices, sparse.values, strict=True):
        rows[row].append(value)
    return rows


def list_words(output: tft.TFTransformOutput, name: str) -> list[str]:
    return [word.decode() for word in output.vocabulary_by_name(vocabulary_name(name))]


def test_vocabularies_are_sorted_by_frequency(analysis: Analysis) -> None:
    assert {name: list_words(analysis[1], name) for name in VOCABULARIES} == VOCABULARIES


def test_cells_become_ids_of_their_words(analysis: Analysis) -> None:
    found = {
        name: [[words[id_] for id_ in row] for row in analysis[0][name]]
        for name, words in VOCABULARIES.items()
    }
    assert found == WORDS


def test_weights_are_of_cells_or_tf_idf(analysis: Analysis) -> None:
    for name, weights in WEIGHTS.items():
        for found, expected in zip(analysis[0][f"{name}_weight"], weights, strict=True):
            assert found == pytest.approx(expected), name


def test_hashed_tags_count_once_per_cell(analysis: Analysis) -> None:
    rows = [set(row) for row in analysis[0]["hashed"]]
    assert rows[0] == rows[1] | rows[5]
    assert rows[1] == rows[2]
    assert rows[3] == set()
    assert rows[4] <= set(range(5))


@pytest.mark.parametrize("name", ["tags", "weighted", "weighted_weight", "text_weight", "plain"])
def test_served_model_makes_the_same_features(
    analysis: Analysis, served: Mapping[str, Any], name: str
) -> None:
    for found, expected in zip(rows_of(served[name]), analysis[0][name], strict=True):
        assert found == list(expected)


def test_unseen_words_share_the_bucket_or_are_left_out(unseen: Mapping[str, Any]) -> None:
    assert rows_of(unseen["tags"]) == [[3, 0], []]
    assert rows_of(unseen["weighted"]) == [[6], [0]]
    assert rows_of(unseen["weighted_weight"]) == [[6], [0]]  # green 2, grey 3, red:x 1; not finite
    assert rows_of(unseen["comma"]) == [[], [2]]
    assert rows_of(unseen["top"]) == [[], [1]]
    assert rows_of(unseen["text"]) == [[], [2]]
    assert rows_of(unseen["plain"]) == [[0, 1], []]


def test_a_long_cell_is_read_up_to_max_words(analysis: Analysis) -> None:
    cells: dict[str, list[Any]] = {name: [b""] for name in COLUMNS}
    cells["text"] = [b"bad " * 2**18 + b"food"]
    assert rows_of(serve(cells, SETTINGS, analysis[1])["text"]) == [[3]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Größe: SEHR groß!", ["größe", "sehr", "groß"]),
        ("ÉTÉ l'été", ["été", "lété"]),
        ("it\u2019s e-mail_2", ["its", "e", "mail", "2"]),
        ("価格が高い。ok", ["価", "格", "が", "高", "い", "ok"]),
        ("цена: 5,99 €", ["цена", "5", "99"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("हिन्दी", ["हिन्दी"]),
        ("\t \n", []),
    ],
)
def test_split_text_reads_any_alphabet(text: str, words: list[str]) -> None:
    found = split_text(tf.constant([text]), Text(ngrams=1))
    assert [word.decode() for word in found.to_list()[0]] == words


def test_split_text_joins_neighbours() -> None:
    found = split_text(tf.constant(["a b c", "", "d"]), Text(ngrams=3, max_words=3))
    assert found.to_list() == [[b"a", b"b", b"c", b"a b", b"b c", b"a b c"], [], [b"d"]]


@pytest.mark.filterwarnings("ignore:`layer.add_variable` is deprecated:UserWarning")
def test_columns_weigh_the_vectors_of_words(analysis: Analysis) -> None:
    columns = make_feature_columns(TrainerSettings.model_validate(SETTINGS), analysis[1])
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        features = {
            name: tf.ragged.constant([list(row) for row in rows], dtype).to_sparse()
            for name, rows in analysis[0].items()
            if name != "label"
            for dtype in [tf.float32 if name.endswith("_weight") else tf.int64]
        }
        layers = {
            column.name: tf.compat.v1.feature_column.input_layer(features, [column])
            for column in columns.deep
        }
        linear = tf.compat.v1.feature_column.linear_model(features, columns.linear, 2)
        session.run(tf.compat.v1.global_variables_initializer())
        layers, linear = session.run((layers, linear))
    # Ids: red 0, blue 1, Größe 2, others 3.
    assert layers["tags_indicator"].tolist() == [
        [1, 1, 0, 0],
        [1, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 0],
    ]
    assert layers["weighted_weighted_by_weighted_weight_indicator"][:2].tolist() == [
        [2, 0, 1, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0],
    ]
    both, b, _, _, none, a = layers["comma_embedding"]
    assert both == pytest.approx((a + b) / 2)
    assert none.tolist() == [0] * len(none)
    food = layers["text_weighted_by_text_weight_embedding"]
    assert food.shape == (6, 2)
    assert layers["plain_embedding"].shape == (6, 3)
    assert np.all(food[3:5] == 0)
    assert np.any(food[5] != 0)
    assert linear.tolist() == [[0, 0]] * 6
