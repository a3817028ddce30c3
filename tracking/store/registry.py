"""Registered models: a version for each trained model, aliases for the newest and the one served.

The push is what commits: one rename in the serving folder. The alias `champion` only repeats what
the folder says, so whoever looks next mends what a failure in between left behind.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import LoggedModel, LoggedModelOutput
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

from components.pusher.versions import digest_model, newest_push
from tracking.store.conflicts import settle
from tracking.store.logged_models import DIGEST_TAG, Uploads, raise_unless

CHALLENGER = "challenger"
"""Alias of the version that was trained last."""
CHAMPION = "champion"
"""Alias of the version that is served."""
TRAINED_TAG = "trained_ms"
"""When a run last had the version's model, trained or from the cache; milliseconds."""
PUSHED_VERSION_TAG = "pushed_version"
"""The number that the version was last served under."""


class Registry:
    """The versions of one registered model."""

    def __init__(
        self,
        client: MlflowClient,
        name: str,
        experiment_id: str,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Keeps the client.

        Args:
            client: Of the store; the process's tracking URI has to be the same.
            name: Name of the registered model, made if absent.
            experiment_id: Experiment of the runs that models are of.
            on_progress: Called now and then while it goes on.
        """
        self._on_progress = on_progress
        self._client = client
        self._name = name
        self._uploads = Uploads(client, name, experiment_id, on_progress)

    def register(
        self, run_id: str, saved_model_dir: str | Path, example: Mapping[str, Any] | None
    ) -> str:
        """Makes a version of a SavedModel, unless there is one.

        Half-done work of a process that was killed is removed or gone on with. Any number of
        processes may register the same model: they get the same version.

        Args:
            run_id: The MLflow run that the model is of.
            saved_model_dir: Folder of the SavedModel.
            example: A raw row to show what the model takes.

        Returns:
            The version.

        Raises:
            MlflowException: If the store refuses or cannot be reached.
        """
        digest = digest_model(saved_model_dir)
        uploaded = self._uploads.find(run_id, digest)
        version = self._find(digest)
        if version is None:
            logged = uploaded or self._uploads.make(run_id, saved_model_dir, digest, example)
            version = self._create_version(run_id, digest, logged)
            self._on_progress()
        self._link(run_id, version)
        return str(version.version)

    def set_challenger(self, version: str, trained_ms: int) -> None:
        """Lets the alias `challenger` name the version that was trained last.

        Args:
            version: A version whose model a run has trained, or taken from the cache.
            trained_ms: When, milliseconds since the epoch; the alias stays where a later one is.
        """
        self._raise_tag(version, TRAINED_TAG, trained_ms)
        while True:
            newest = max(
                self._client.search_model_versions(f"name = '{self._name}'"),
                key=lambda found: int(found.tags.get(TRAINED_TAG, 0)),
            )
            if self._aliases().get(CHALLENGER) == str(newest.version):
                return
            version = str(newest.version)
            settle(self._client.set_registered_model_alias, self._name, CHALLENGER, version)
            self._on_progress()

    def set_pushed(self, version: str, pushed_version: str) -> None:
        """Tags a version with the number it was served under; of several pushes, the last one's."""
        self._raise_tag(version, PUSHED_VERSION_TAG, int(pushed_version))

    def _raise_tag(self, version: str, key: str, number: int) -> None:
        """Sets a tag, unless it holds a number as great: the order of runs does not matter."""
        found = self._client.get_model_version(self._name, version).tags.get(key, 0)
        if int(found) < number:
            settle(self._client.set_model_version_tag, self._name, version, key, str(number))

    def reconcile_champion(self, push_dir: str | Path) -> str | None:
        """Makes the alias `champion` name the version that the serving folder serves.

        The folder is read again after the write, so that a push in between is seen.

        Args:
            push_dir: The serving folder.

        Returns:
            The version; None, and no alias, if nothing is served, or a model that is not registered
            here.
        """
        while True:
            pushed_version, record = newest_push(push_dir)
            version = None if record is None else self._find(record.model_digest)
            champion = None if version is None else str(version.version)
            if champion is not None:
                self._raise_tag(champion, PUSHED_VERSION_TAG, pushed_version or 0)
            self._set_champion(champion)
            if newest_push(push_dir) == (pushed_version, record):
                return champion

    def _set_champion(self, version: str | None) -> None:
        if self._aliases().get(CHAMPION) == version:
            return
        if version is None:
            settle(self._client.delete_registered_model_alias, self._name, CHAMPION)
        else:
            settle(self._client.set_registered_model_alias, self._name, CHAMPION, version)
        self._on_progress()

    def _aliases(self) -> dict[str, str]:
        """Reads the version of each alias; none where there is no registered model."""
        try:
            aliases = self._client.get_registered_model(self._name).aliases
        except MlflowException as error:
            raise_unless(error, RESOURCE_DOES_NOT_EXIST)
            return {}
        return {alias: str(version) for alias, version in aliases.items()}

    def _find(self, digest: str) -> ModelVersion | None:
        """Finds the version of a digest: the lowest, where processes have made several at once."""
        query = f"name = '{self._name}' and tags.`{DIGEST_TAG}` = '{digest}'"
        return min(
            self._client.search_model_versions(query),
            key=lambda version: int(version.version),
            default=None,
        )

    def _create_version(self, run_id: str, digest: str, logged: LoggedModel) -> ModelVersion:
        """Makes a version of an uploaded model; where another was quicker, takes back its own."""
        try:
            self._client.create_registered_model(self._name)
        except MlflowException as error:
            raise_unless(error, RESOURCE_ALREADY_EXISTS)
        own = settle(
            self._client.create_model_version,
            self._name,
            source=_uri(logged.model_id),
            run_id=run_id,
            tags={DIGEST_TAG: digest},
            await_creation_for=0,
            model_id=logged.model_id,
        )
        first = self._find(digest) or own
        if int(first.version) < int(own.version):
            self._client.delete_model_version(self._name, str(own.version))
            if first.source != own.source:
                self._uploads.delete(logged)
        return first

    def _link(self, run_id: str, version: ModelVersion) -> None:
        """Shows the version on the page of its LoggedModel, and that on the run's."""
        model_id = version.source.removeprefix(_uri(""))
        try:
            logged = self._client.get_logged_model(model_id)
        except MlflowException as error:  # a user deleted it, which leaves the version whole
            raise_unless(error, RESOURCE_DOES_NOT_EXIST)
            return
        shown = json.loads(logged.tags.get(MLFLOW_MODEL_VERSIONS, "[]"))
        # Numbers in a store on disk, text from a server, which has written it by then.
        if (self._name, str(version.version)) not in [
            (v["name"], str(v["version"])) for v in shown
        ]:
            entry = {"name": self._name, "version": int(version.version)}
            tags = {MLFLOW_MODEL_VERSIONS: json.dumps([*shown, entry])}
            self._client.set_logged_model_tags(model_id, tags)
        outputs = self._client.get_run(run_id).outputs
        model_ids = [] if outputs is None else [each.model_id for each in outputs.model_outputs]
        if model_id not in model_ids:
            self._client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])


def _uri(model_id: str) -> str:
    return f"models:/{model_id}"
