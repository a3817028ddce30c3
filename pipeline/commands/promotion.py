"""Serves a version again that was pushed before, for `pipeline promote` and `rollback`.

The model is published once more as the newest version: version numbers rise, none is removed, and
every reader of the serving folder sees the change in one rename. MLflow's alias `champion` follows.
"""

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.pusher.versions import (
    PushRecord,
    digest_model,
    list_versions,
    locked,
    publish,
    read_push,
)
from pipeline.errors import ModelError, StateError
from pipeline.run.state_dir import check_writable
from pipeline.settings.config import Config
from tracking.client import Tracker
from tracking.events import Promotion


@dataclass(frozen=True)
class Served:
    """The version that is served after a promotion.

    Attributes:
        name: The registered model.
        version: The newest version in the serving folder.
        promoted_from: The version whose model was published again, None if a run pushed `version`.
        is_new: Whether the promotion made the version; False if its model was served already.
        champion: The version of the registered model that `champion` names, None if the alias has
            not followed yet.
        not_followed: Why `champion` has not followed.
    """

    name: str
    version: int
    promoted_from: int | None
    is_new: bool
    champion: str | None
    not_followed: str | None

    def describe(self) -> str:
        """Describes it in a sentence."""
        served = f"version {self.version} serves the model of {self.promoted_from}"
        if self.promoted_from is None:
            served = f"version {self.version} is served"
        if not self.is_new:
            served = f"nothing changes: {served} already"
        if self.champion is None:
            return f"{served}; champion follows at the next run or sync ({self.not_followed})"
        return f"{served}; champion is version {self.champion} of {self.name}"

    def to_json(self) -> dict[str, Any]:
        """Returns the object that `--json` prints; versions are strings as in `pipeline run`."""
        origin = None if self.promoted_from is None else str(self.promoted_from)
        return {"version": str(self.version), "promoted_from": origin, "champion": self.champion}


def promote(config: Config, version: int | None = None) -> Served:
    """Serves a pushed version again and moves `champion`; changes nothing if it is served already.

    Args:
        config: Names the serving folder and MLflow's store.
        version: The version; None takes the one that was served before this one.

    Returns:
        The version that is served now.

    Raises:
        ModelError: If there is no such version, or it has changed since it was pushed.
        StateError: If the state folder or the serving folder cannot be written.
    """
    push_dir = config.push_dir
    if not list_versions(push_dir):
        raise ModelError(
            f"{push_dir}: no model of '{config.name}' has been pushed yet: pipeline run trains one,"
            " and pushes it if it holds its thresholds"
        )
    check_writable(config.root_dir)
    check_writable(push_dir)
    try:
        with locked(push_dir):
            before = list_versions(push_dir)[-1]
            wanted = _version_before(push_dir) if version is None else version
            newest = _publish_again(push_dir, wanted)
    except OSError as error:
        words = error.strerror or error
        if isinstance(error, shutil.Error):  # a list of (source, target, reason)
            words = error.args[0][0][2]
        raise StateError(f"{error.filename or push_dir}: cannot be written: {words}") from None
    record = read_push(push_dir, newest)
    champion, not_followed = _follow(config)
    return Served(
        config.name,
        newest,
        record.promoted_from if record else None,
        newest != before,
        champion,
        not_followed,
    )


def _version_before(push_dir: Path) -> int:
    """Finds the version served before the newest; before its origin, if that was promoted."""
    versions = list_versions(push_dir)
    newest = versions[-1]
    origin, digest = _origin(push_dir, newest), _digest(push_dir, newest)
    for version in reversed(versions):
        if version < origin and _digest(push_dir, version) != digest:
            return version
    raise ModelError(
        f"{push_dir}: nothing was served before version {origin}; there are:"
        f" {_list(push_dir)}; pipeline promote VERSION serves any of them"
    )


def _publish_again(push_dir: Path, version: int) -> int:
    """Publishes a version as the newest, unless that has its model; returns the newest version."""
    versions = list_versions(push_dir)
    if version not in versions:
        raise ModelError(
            f"{push_dir}: there is no version {version}; expected one of {_list(push_dir)}"
        )
    model_dir = push_dir / str(version)
    digest = _digest(push_dir, version)
    if digest == _digest(push_dir, versions[-1]):
        return versions[-1]
    if digest != digest_model(model_dir):
        raise ModelError(f"{model_dir}: has changed since it was pushed: promote another version")
    record = PushRecord(uuid.uuid4().hex, digest, _origin(push_dir, version))
    return publish(model_dir, push_dir, record)


def _origin(push_dir: Path, version: int) -> int:
    record = read_push(push_dir, version)
    return version if record is None or record.promoted_from is None else record.promoted_from


def _digest(push_dir: Path, version: int) -> str:
    record = read_push(push_dir, version)
    return digest_model(push_dir / str(version)) if record is None else record.model_digest


def _list(push_dir: Path) -> str:
    """Lists the versions; promoted ones with their origin."""
    return ", ".join(
        str(version) if origin == version else f"{version} (from {origin})"
        for version in list_versions(push_dir)
        for origin in [_origin(push_dir, version)]
    )


def _follow(config: Config) -> tuple[str | None, str | None]:
    """Moves MLflow's alias; returns its version, or None and the reason why it has not moved."""
    if not config.mlflow.enabled:
        return None, "mlflow.enabled is false"
    log_path = config.root_dir / "logs" / f"{config.name}-promote.log"
    log_path.parent.mkdir(exist_ok=True)
    with open(log_path, "a", encoding="utf-8") as log:
        tracker = Tracker(config.tracking_uri, config.mlflow_artifact_dir, log)
        tracker.send(Promotion(config.name, str(config.push_dir)))
        tracker.close()
    if tracker.champion is not None:
        return tracker.champion, None
    return None, tracker.error or f"MLflow has no version of {config.name} with this model"
