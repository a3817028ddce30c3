"""Fixtures of tests that train."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.training_data import SETTINGS, MakeArgs, fn_args, write_data
from trainer.run import run_fn


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Transform's outputs: `graph`, and both splits in `examples`."""
    data_dir = tmp_path_factory.mktemp("transform")
    write_data(data_dir)
    return data_dir


@pytest.fixture(scope="session")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> FnArgs:
    """The arguments of a training with SETTINGS that has ended."""
    args = fn_args(data_dir, tmp_path_factory.mktemp("trained"), SETTINGS)
    run_fn(args)
    return args


@pytest.fixture
def make_args(data_dir: Path, tmp_path: Path) -> MakeArgs:
    def make(
        train: Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        *,
        execution: str = "7",
        folder: Path = tmp_path,
    ) -> FnArgs:
        """Makes the arguments of a training with SETTINGS, some of them replaced."""
        settings = {
            **SETTINGS,
            "train": {**SETTINGS["train"], **(train or {})},
            "model": {**SETTINGS["model"], **(model or {})},
        }
        return fn_args(data_dir, folder, settings, execution)

    return make
