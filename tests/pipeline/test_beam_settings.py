"""The options that Beam pipelines are given."""

import pytest

from pipeline.sections import BeamSettings


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (BeamSettings(), []),
        (BeamSettings(args=("--direct_num_workers=2",)), ["--direct_num_workers=2"]),
        (
            BeamSettings(runner="FlinkRunner", args=("--parallelism=4",)),
            ["--runner=FlinkRunner", "--parallelism=4"],
        ),
    ],
)
def test_pipeline_args_name_any_runner_but_the_default(
    settings: BeamSettings, options: list[str]
) -> None:
    assert settings.pipeline_args == options
