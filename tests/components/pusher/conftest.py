"""A model and a serving folder to push it to."""

from pathlib import Path

import pytest


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    model_dir = tmp_path / "model"
    (model_dir / "variables").mkdir(parents=True)
    (model_dir / "saved_model.pb").write_bytes(b"graph")
    (model_dir / "variables" / "variables.index").write_bytes(b"index")
    return model_dir


@pytest.fixture
def push_dir(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "serving"
