"""A state folder with its configuration and MLMD, and the handling of signals in a run."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.run.interrupts import Interrupts
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tests.helpers.paths import SHIPPED

if TYPE_CHECKING:
    from tests.helpers.mlmd_recorder import Recorder


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The shipped configuration with a new state folder."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return load_config(SHIPPED, [f"paths.root={tmp_path}"])


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator["Recorder"]:
    """Records nodes in the MLMD of `config`."""
    from tfx.orchestration import metadata

    from tests.helpers.mlmd_recorder import Recorder  # imports TFX, which takes seconds

    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    with metadata.Metadata(connection) as handle:
        yield Recorder(handle)


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    """Interrupts of a run; afterwards the signals have their previous handlers again."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield Interrupts()
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)
