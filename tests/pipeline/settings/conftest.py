"""A configuration without anything that has a default."""

from pathlib import Path

import pytest

from tests.helpers.config_files import MINIMAL, write_config


@pytest.fixture
def minimal(tmp_path: Path) -> Path:
    """Writes `MINIMAL` into the folder of the test."""
    return write_config(tmp_path, MINIMAL)
