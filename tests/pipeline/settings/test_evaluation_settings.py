"""Thresholds of metrics."""

from pathlib import Path

import pytest

from pipeline.settings.load import load_config
from tests.helpers.config_files import MINIMAL, mistakes, write_config


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
def test_load_refuses_threshold(tmp_path: Path, threshold: str, message: str) -> None:
    text = MINIMAL.replace("accuracy:\n      min: 0.5", f"accuracy: {threshold}")

    (line,) = mistakes(write_config(tmp_path, text))

    assert line.startswith(message)


def test_load_refuses_unknown_metric(tmp_path: Path) -> None:
    (line,) = mistakes(write_config(tmp_path, MINIMAL.replace("accuracy:", "acuracy:")))

    assert line.startswith("9: evaluation.thresholds.acuracy: 'acuracy' is not allowed")
    assert line.endswith("did you mean 'accuracy'?")


def test_load_needs_a_threshold(tmp_path: Path) -> None:
    text = MINIMAL.replace("thresholds:\n    accuracy:\n      min: 0.5", "thresholds: {}")

    (line,) = mistakes(write_config(tmp_path, text))

    assert line.startswith("8: evaluation.thresholds: {} is not allowed")


def test_load_takes_cross_entropy_above_one(minimal: Path) -> None:
    config = load_config(minimal, ["evaluation.thresholds.cross_entropy.max=1.5"])

    assert config.evaluation.thresholds["cross_entropy"].max == 1.5
