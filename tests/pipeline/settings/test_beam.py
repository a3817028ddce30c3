"""The options of Beam pipelines."""

import os
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability import prism_runner
from tfx.utils import dependency_utils

from pipeline.settings.run_sections import BeamSettings


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (BeamSettings(runner="DirectRunner"), []),
        (
            BeamSettings(runner="DirectRunner", args=("--direct_num_workers=2",)),
            ["--direct_num_workers=2"],
        ),
        (
            BeamSettings(runner="FlinkRunner", args=("--parallelism=4",)),
            ["--runner=FlinkRunner", "--parallelism=4"],
        ),
    ],
)
def test_pipeline_args_name_other_runners(settings: BeamSettings, options: list[str]) -> None:
    assert settings.pipeline_args == options


def test_auto_pipeline_args_end_with_user_args() -> None:
    settings = BeamSettings(args=("--direct_num_workers=2",))

    assert settings.pipeline_args == [*BeamSettings().pipeline_args, "--direct_num_workers=2"]


def test_auto_pipeline_args_start_no_prism(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_dir, pid_path = tmp_path / "bin", tmp_path / "pid"
    monkeypatch.setattr(prism_runner.PrismJobServer, "BIN_CACHE", str(bin_dir))

    with beam.Pipeline(argv=BeamSettings().pipeline_args) as pipeline:
        _ = pipeline | beam.Create([pid_path]) | beam.Map(lambda path: path.write_text(_own_pid()))

    assert pid_path.read_text() == _own_pid()
    assert not bin_dir.exists()


def _own_pid() -> str:
    return str(os.getpid())


def test_auto_pipeline_args_keep_tfx_from_packing() -> None:
    options = BeamSettings().pipeline_args

    assert dependency_utils.make_beam_dependency_flags(options) == options
