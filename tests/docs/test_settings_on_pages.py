"""The YAML that the pages show is a valid part of a configuration."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.settings.load import load_config
from pipeline.settings.reference import list_keys
from tests.helpers.pages import PAGES, blocks, name_of, read

SNIPPETS = [(name_of(page), block) for page in PAGES for block in blocks(page, "yaml")]
THRESHOLDS = {"multiclass": "accuracy", "binary": "auc", "regression": "r2"}


def complete(snippet: dict[str, Any]) -> dict[str, Any]:
    """Puts a snippet into a small configuration, which it replaces in part."""
    metric = THRESHOLDS[snippet.get("task", "multiclass")]
    config: dict[str, Any] = {
        "name": "page",
        "data": {"label": "label"} | ({} if "files" in snippet.get("data", {}) else {"path": "a"}),
        "features": {"x": "numeric"},
        "evaluation": {"thresholds": {metric: {"min": 0}}},
    }
    for key, value in snippet.items():
        merges = isinstance(value, dict) and key in {"data", "evaluation"}
        config[key] = config[key] | value if merges else value
    return config


def test_pages_show_settings() -> None:
    assert len(SNIPPETS) >= 15


@pytest.mark.parametrize(("page", "snippet"), SNIPPETS)
def test_snippet_is_a_valid_configuration(page: str, snippet: str, tmp_path: Path) -> None:
    path = tmp_path / "pipeline_config.yaml"
    path.write_text(yaml.safe_dump(complete(yaml.safe_load(snippet))), encoding="utf-8")

    load_config(path)


NOT_SETTINGS = {"beam.chosen", "mlflow.db", "mlflow.db.lock", "model.params.x", "push.json"}
"""Files and tags, and a parameter of the user."""
SECTIONS = {key.partition(".")[0] for key in list_keys() if "." in key}
NAMED = sorted(
    {
        (name_of(page), key)
        for page in PAGES
        if page.name not in {"CHANGELOG.md", "mlflow-names.md"}  # old settings, tags
        for key in re.findall(r"`((?:[a-z_]+\.)+[a-z_]+)(?:: [^`]+)?`", read(page))
        if key.partition(".")[0] in SECTIONS and key not in NOT_SETTINGS
    }
)


def is_setting(key: str) -> bool:
    """Whether a dotted key is a setting, or a section of settings."""
    keys = list_keys()
    return key in keys or any(other.startswith(f"{key}.") for other in keys)


@pytest.mark.parametrize(("page", "key"), NAMED)
def test_setting_named_in_a_sentence_exists(page: str, key: str) -> None:
    assert is_setting(key)
