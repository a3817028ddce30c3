"""The section `mlflow`, and credentials, which errors do not show."""

from pathlib import Path

import pytest

from pipeline.settings.load import load_config
from tests.helpers.config_files import MINIMAL, mistakes, write_config


def test_load_reads_mlflow_settings(minimal: Path) -> None:
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
def test_load_explains_mistake_in_mlflow_settings(
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
        ("", [f"mlflow.tracking_uri=[{CREDENTIALS}"]),
        ("", [CREDENTIALS]),
        ("", [f"push.directory=[{CREDENTIALS}]"]),
    ],
    ids=["file", "set", "database", "token", "section", "list", "no YAML", "no key", "other key"],
)
def test_load_refuses_credentials_unshown(
    tmp_path: Path, addition: str, overrides: list[str]
) -> None:
    (line,) = mistakes(write_config(tmp_path, MINIMAL + addition), *overrides)

    assert line.startswith(("12: mlflow.tracking_uri: ", "--set "))
    assert "alice" not in line
    assert "secret" not in line


def test_load_says_where_credentials_belong(minimal: Path) -> None:
    (line,) = mistakes(minimal, f"mlflow.tracking_uri={CREDENTIALS}")

    assert "MLFLOW_TRACKING_USERNAME" in line
    assert "MLFLOW_TRACKING_URI" in line


def test_tracking_uri_defaults_to_environment(
    minimal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", CREDENTIALS)
    config = load_config(minimal)

    assert config.tracking_uri == CREDENTIALS
    assert "secret" not in config.to_yaml()
    assert "secret" not in str(config.flatten())
    assert load_config(minimal, ["mlflow.tracking_uri=http://other"]).tracking_uri == "http://other"


def test_tracking_uri_defaults_to_state_folder(
    minimal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = minimal.parent

    assert load_config(minimal).tracking_uri == f"sqlite:///{folder}/artifacts/mlflow.db"
    relative = load_config(minimal, ["mlflow.tracking_uri=sqlite:///my.db"])
    assert relative.tracking_uri == f"sqlite:///{folder}/my.db"
