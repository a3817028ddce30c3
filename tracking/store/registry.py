"""Registered models: a version for each trained model, aliases for the newest and the served one.

A push is one rename in the serving folder. The alias `champion` follows the folder: if a process
dies between the push and the change of the alias, the next one that looks corrects the alias.
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
"""Alias of the version whose model was trained last."""
CHAMPION = "champion"
"""Alias of the version that is served."""
TRAINED_TAG = "trained_ms"
"""Tag with the time at which a run last trained the model or took it from the cache; ms."""
PUSHED_VERSION_TAG = "pushed_version"
"""Tag with the version number in the serving folder, the highest if there were several."""


class Registry:
    """Makes versions of one registered model, and moves its aliases."""

    def __init__(
        self,
        client: MlflowClient,
        name: str,
        experiment_id: str,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepares access; nothing is read yet.

        Args:
            client: Client of the store, which must be the tracking URI of this process.
            name: Name of the registered model, which is made if absent.
            experiment_id: Id of the experiment of the runs that train the models.
            on_progress: Called whenever MLflow has responded.
        """
        self._on_progress = on_progress
        self._client = client
        self._name = name
        self._uploads = Uploads(client, name, experiment_id, on_progress)

    def register(
        self, run_id: str, saved_model_dir: str | Path, example: Mapping[str, Any] | None
    ) -> str:
        """Makes a version of a SavedModel, unless there is one.

        If a process was killed while it registered the model, its work is completed or removed.
        Several processes may register the same model at the same time; they get the same version.

        Args:
            run_id: Id of the MLflow run that trained the model.
            saved_model_dir: Folder of the SavedModel.
            example: A raw row as input example, None for no example.

        Returns:
            The version.

        Raises:
            MlflowException: If MLflow fails.
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
        """Moves the alias `challenger` to the version that was trained last.

        Args:
            version: A version whose model a run has trained or taken from the cache.
            trained_ms: When, milliseconds since the epoch. If another version was trained later,
                the alias names that one.
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
        """Tags a version with its number in the serving folder; the highest of several is kept."""
        self._raise_tag(version, PUSHED_VERSION_TAG, int(pushed_version))

    def _raise_tag(self, version: str, key: str, number: int) -> None:
        """Sets a tag unless its number is as high already: the order of runs does not matter."""
        found = self._client.get_model_version(self._name, version).tags.get(key, 0)
        if int(found) < number:
            settle(self._client.set_model_version_tag, self._name, version, key, str(number))

    def reconcile_champion(self, push_dir: str | Path) -> str | None:
        """Moves the alias `champion` to the version that is served.

        The folder is read again afterwards, so that a push in the meantime is seen.

        Args:
            push_dir: The serving folder.

        Returns:
            The version. None if nothing is served, or if the served model is not registered; the
            alias is then removed.
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
        """Reads the version of each alias; empty if the registered model does not exist."""
        try:
            aliases = self._client.get_registered_model(self._name).aliases
        except MlflowException as error:
            raise_unless(error, RESOURCE_DOES_NOT_EXIST)
            return {}
        return {alias: str(version) for alias, version in aliases.items()}

    def _find(self, digest: str) -> ModelVersion | None:
        """Finds the version with a digest, the lowest one if several processes each made one."""
        query = f"name = '{self._name}' and tags.`{DIGEST_TAG}` = '{digest}'"
        return min(
            self._client.search_model_versions(query),
            key=lambda version: int(version.version),
            default=None,
        )

    def _create_version(self, run_id: str, digest: str, logged: LoggedModel) -> ModelVersion:
        """Makes a version of an uploaded model; removes it again if another process was quicker."""
        try:
            self._client.create_registered_model(self._name)
        except MlflowException as error:
            raise_unless(error, RESOURCE_ALREADY_EXISTS)
        made = settle(
            self._client.create_model_version,
            self._name,
            source=_uri(logged.model_id),
            run_id=run_id,
            tags={DIGEST_TAG: digest},
            await_creation_for=0,
            model_id=logged.model_id,
        )
        first = self._find(digest) or made
        if int(first.version) < int(made.version):
            self._client.delete_model_version(self._name, str(made.version))
            if first.source != made.source:
                self._uploads.delete(logged)
        return first

    def _link(self, run_id: str, version: ModelVersion) -> None:
        """Links the version to its LoggedModel, and the LoggedModel to the run, in MLflow's UI."""
        model_id = version.source.removeprefix(_uri(""))
        try:
            logged = self._client.get_logged_model(model_id)
        except MlflowException as error:  # a user deleted it; the version is still complete
            raise_unless(error, RESOURCE_DOES_NOT_EXIST)
            return
        shown = json.loads(logged.tags.get(MLFLOW_MODEL_VERSIONS, "[]"))
        # Versions are numbers in a store on disk, and text from a server.
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
