"""Features that a configuration may name, and conflicts between them."""

from pathlib import Path

import pytest

from pipeline.settings.load import load_config
from tests.helpers.config_files import MINIMAL, mistakes, write_config


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("kind", "numeric", "6: features.kind: the label cannot be a feature"),
        ("'a '", "numeric", '6: features."a ": a column\'s name begins or ends with a blank'),
        (
            "data",
            "{kind: numeric, clp: [1, 2]}",
            "6: features.data.clp: unknown key; did you mean 'clip'",
        ),
        ("int", "numric", "6: features.int: 'numric' is not allowed: must be a kind, or a"),
        ('"a\\tb"', "numeric", "6: features.a\\tb: a column's name holds a line end or another"),
        ("a" * 501, "numeric", f"6: features.{'a' * 501}: a column's name is longer than 500"),
        ("''", "numeric", '6: features."": a column\'s name is empty: rename the column in data.c'),
        (
            "x",
            "numric",
            "6: features.x: 'numric' is not allowed: must be a kind, or a mapping with one (num",
        ),
        ("x", "{kind: categorical, min_count: 0}", "6: features.x.min_count: 0 is not allowed: sh"),
        ("x", "{kind: numeric, clip: [2, 1]}", "6: features.x.clip: lowest value 2 is not below h"),
        (
            "x",
            "{kind: numeric, fill: median}",
            "6: features.x.fill: 'median' is not allowed: should",
        ),
        ("x", "{kind: bucketized, boundaries: [1, 1]}", "6: features.x.boundaries: must increase"),
        ("x", "{kind: categorical, ids: hash}", "6: features.x: hash needs a size"),
        ("x", "{kind: categorical, dimension: 3}", "6: features.x: dimension needs encode: embedd"),
        (
            "x",
            "{kind: boolean, true_words: [Y], false_words: [y]}",
            "6: features.x: 'y' stands for both true",
        ),
        ("x", "{kind: datetime, format: '%d.%m'}", "6: features.x.format: '%d.%m' must conta"),
        ("x", "{kind: datetime, format: ISO}", "6: features.x.format: 'ISO' has no code; expec"),
        ("x", "{kind: datetime, format: '%Y-%m %Z'}", "6: features.x.format: '%Y-%m %Z' has '%Z'"),
        ("x", "{kind: datetime, format: '%Y%'}", "6: features.x.format: '%Y%' has '%'; expec"),
        ("x", "{kind: datetime, format: '%Y %m %b'}", "6: features.x.format: '%Y %m %b' has %m or"),
        ("x", "{kind: datetime, format: '%m %Y %p'}", "6: features.x.format: '%m %Y %p' has %p, w"),
        ("x", "{kind: datetime, since: 2020-13}", "6: features.x.since: '2020-13' is not a"),
        ("x", "{kind: datetime, since: 2020-01-01}", "6: features.x: since needs days among the"),
        ("x", "{kind: datetime, parts: [hour, hour]}", "6: features.x.parts: a part is liste"),
        ("x", "{kind: tags, dimension: 3}", "6: features.x: dimension needs encode: embedding"),
        (
            "x",
            "{kind: tags, weight_separator: '|'}",
            "6: features.x: weight_separator is the separator too: '|'",
        ),
        ("x", "{kind: tags, separator: ''}", "6: features.x.separator: '' is not allowed"),
        ("x", "{kind: text, ids: hash, min_count: 3}", "6: features.x: min_count needs ids: voc"),
        ("x", "{kind: text, ids: hash, oov_buckets: 3}", "6: features.x: oov_buckets needs ids"),
        ("x", "{kind: text, encode: one_hot}", "6: features.x.encode: 'one_hot' is not allowed"),
        ("x", "{kind: text, ngrams: 0}", "6: features.x.ngrams: 0 is not allowed"),
        ("x", "{kind: text, size: 1e9}", "6: features.x.size: 1000000000.0 is not allowed"),
        ("'*'", "numeric", "6: features.*: stands for many columns: must be auto"),
        ("x", "ignore", "5: features: has no column that the model reads"),
        ("x", "{kind: crossed, columns: [a, b]}", "6: features.x.columns: 'a' is not a feature w"),
    ],
)
def test_load_refuses_feature(tmp_path: Path, name: str, kind: str, message: str) -> None:
    (line,) = mistakes(write_config(tmp_path, MINIMAL.replace("x: numeric", f"{name}: {kind}")))

    assert line.startswith(message)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            "{a: categorical, b: boolean, c: {kind: crossed, columns: [a, b]},"
            " d: {kind: crossed, columns: [b, a]}}",
            "features.d.columns: are the same as those of 'c'",
        ),
        (
            "{a: categorical, b: boolean, c: {kind: crossed, columns: [a, a]}}",
            "features.c.columns: a column is listed twice",
        ),
        (
            "{a: categorical, c: {kind: crossed, columns: [a, aa]}}",
            "features.c.columns: 'aa' is not a feature with ids (categorical, bucketized or"
            " boolean): add it to the features; did you mean 'a'?",
        ),
    ],
)
def test_check_features_refuses_conflict(minimal: Path, features: str, message: str) -> None:
    (line,) = mistakes(minimal, f"features={features}")

    assert message in line


def test_check_features_takes_any_ignored_name(minimal: Path) -> None:
    config = load_config(minimal, ["features={x: numeric, 'a name, with a comma': ignore}"])

    assert list(config.trainer_settings.raw_types) == ["x"]
