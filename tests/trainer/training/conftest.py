"""Fixtures of tests that read transformed examples."""

from pathlib import Path

import pytest

from tests.helpers.numbered_examples import write_shard


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    """Twenty examples in two shards, the second written first."""
    write_shard(tmp_path / "data-00001.parquet", range(12, 20))
    write_shard(tmp_path / "data-00000.parquet", range(12))
    return str(tmp_path / "data-*")
