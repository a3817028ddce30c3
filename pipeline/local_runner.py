"""The runner file for TFX's own command line.

    tfx pipeline create --engine=local --pipeline-path=pipeline/local_runner.py
    tfx run create --engine=local --pipeline-name=iris

The environment variable `PIPELINE_CONFIG` names another configuration than `pipeline_config.yaml`.
`tfx pipeline create` executes this file with `LocalDagRunner.run` patched out, so that it only
reads.
"""

import os
import sys

from pipeline.data.prepare import prepare
from pipeline.errors import PipelineError
from pipeline.run.session import open_view, start
from pipeline.settings.load import default_config_path, load_config


def main() -> None:
    """Runs the configured pipeline."""
    try:
        path = os.environ.get("PIPELINE_CONFIG", default_config_path())
        config = prepare(load_config(path)).config
        start(config, open_view(config))
    except PipelineError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
