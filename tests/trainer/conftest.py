"""What the tests of trainings share."""

from pathlib import Path

import pytest

from tests.helpers.training_data import write_data


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of Transform: `graph`, and the two splits in `examples`."""
    data_dir = tmp_path_factory.mktemp("transform")
    write_data(data_dir)
    return data_dir
