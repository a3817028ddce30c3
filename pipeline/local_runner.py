"""The runner file for TFX's own command line.

    tfx pipeline create --engine=local --pipeline-path=pipeline/local_runner.py
    tfx run create --engine=local --pipeline-name=iris

`PIPELINE_CONFIG` in the environment names another configuration than `pipeline_config.yaml`.
Creating executes this file with `LocalDagRunner.run` patched out: it reads, and writes nothing.
"""

import os
import sys

from pipeline.data.auto_features import resolve_features
from pipeline.data.check import check_data
from pipeline.errors import PipelineError
from pipeline.graph.user_code import make_importable
from pipeline.run.session import open_view, start
from pipeline.settings.load import default_config_path, load_config


def main() -> None:
    """Runs the configured pipeline."""
    try:
        path = os.environ.get("PIPELINE_CONFIG", default_config_path())
        config = resolve_features(load_config(path))
        make_importable(config)
        check_data(config)
        start(config, open_view(config))
    except PipelineError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
