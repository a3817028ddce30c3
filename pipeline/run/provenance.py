"""The start of a run: its name, its settings, and where code and data came from."""

import getpass
import re
import subprocess
from datetime import datetime
from pathlib import Path

from pipeline.graph.beam_runner import choose_beam
from pipeline.graph.code_digest import code_digest
from pipeline.settings.config import Config
from pipeline.settings.run_sections import LOWER_IS_BETTER
from tracking.events import RunStart

STATE_SETTINGS = ("beam.", "cache", "mlflow.", "paths.", "push.")
"""Settings that change where the results of a run go, but not the results."""
BEAM_TAG = "beam.chosen"
_HOW_OFTEN = re.compile(r"train\.\w+_every_steps=")
_MAX_TAG = 1000
"""Characters; longer tags are hard to read in MLflow's table of runs."""
_SOURCE_DIR = Path(__file__).resolve().parents[2]


def make_run_start(config: Config, start: datetime) -> RunStart:
    """Describes a run that begins.

    Args:
        config: The configuration.
        start: The time.

    Returns:
        The event that is recorded in MLMD and sent to the tracker.
    """
    return RunStart(
        pipeline_run_id=start.isoformat(),
        pipeline_name=config.name,
        experiment=config.experiment,
        run_name=_run_name(config, start),
        start_ms=int(start.timestamp() * 1000),
        params={
            key: value
            for key, value in config.flatten().items()
            if not key.startswith("serving.")  # has no effect on a run
        },
        config_yaml=config.to_yaml(),
        provenance={
            "mlflow.source.name": str(_SOURCE_DIR),
            "mlflow.source.type": "PIPELINE",
            "mlflow.user": _user(),
            "code.digest": code_digest(
                "pipeline.graph.create_pipeline", "trainer.run", "trainer.preprocessing"
            ),
            **git_tags(_SOURCE_DIR),
            **_feature_tags(config),
            BEAM_TAG: choose_beam(config).text,
        },
        data_path=str(config.data_path),
        label=config.data.label,
        push_dir=str(config.push_dir),
        primary_metric=config.primary_metric,
        greater_is_better=config.primary_metric not in LOWER_IS_BETTER,
    )


def _run_name(config: Config, start: datetime) -> str:
    """Names a run after the settings given on the command line, or else after its time."""
    special = [
        _without_section(setting)
        for setting in config.overrides
        if not setting.startswith(STATE_SETTINGS) and not _HOW_OFTEN.match(setting)
    ]
    return ", ".join(special) or f"{config.name} {start:%Y-%m-%d %H:%M:%S}"


def _without_section(setting: str) -> str:
    """Removes the section from a setting's key, which only takes space in the table of runs."""
    key, _, value = setting.partition("=")
    return f"{key.partition('.')[2] or key}={value}"


def _feature_tags(config: Config) -> dict[str, str]:
    """Tags how `features: auto` chose the features, cut to length; empty without it."""
    return {"features.auto": "; ".join(config.notes)[:_MAX_TAG]} if config.notes else {}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user of a container may have no name
        return "unknown"


def git_tags(folder: Path) -> dict[str, str]:
    """Tags the commit of a folder and whether it has changes; empty outside a Git checkout."""

    def git(*args: str) -> str:
        command = ["git", "-C", str(folder), *args]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        dirty = "true" if git("status", "--porcelain") else "false"
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"mlflow.source.git.commit": commit, "git.commit": commit, "git.dirty": dirty}
