"""LoggedModels: uploads of SavedModels, from which registered versions are made."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import LoggedModel, LoggedModelStatus, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from tracking.store.pyfunc_model import save_model

DIGEST_TAG = "model.digest"
"""Tag of LoggedModels and versions with the `digest_model` of the SavedModel."""


class Uploads:
    """Finds, makes and deletes the LoggedModels of one experiment."""

    def __init__(
        self,
        client: MlflowClient,
        name: str,
        experiment_id: str,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepares access; nothing is read yet.

        Args:
            client: Client of the store.
            name: Name of the LoggedModels.
            experiment_id: Id of the experiment.
            on_progress: Called during uploads whenever a part is done.
        """
        self._on_progress = on_progress
        self._client = client
        self._name = name
        self._experiment_id = experiment_id

    def find(self, run_id: str, digest: str) -> LoggedModel | None:
        """Finds a complete upload of a model, and deletes abandoned ones.

        Uploads of other running runs are left alone, since they may be in progress. Uploads of this
        run are not in progress: the process that began them has died.

        Args:
            run_id: Id of this run.
            digest: Digest of the SavedModel.

        Returns:
            The upload, None if there is none.
        """
        found = None
        query = f"tags.`{DIGEST_TAG}` = '{digest}'"
        for logged in self._client.search_logged_models([self._experiment_id], query):
            if logged.source_run_id != run_id and self._is_running(logged.source_run_id):
                continue
            if logged.status == LoggedModelStatus.READY:
                found = logged
            else:
                self.delete(logged)
        return found

    def make(
        self,
        run_id: str,
        saved_model_dir: str | Path,
        digest: str,
        example: Mapping[str, Any] | None,
    ) -> LoggedModel:
        """Uploads the MLflow model of a SavedModel.

        Args:
            run_id: Id of the run that trained the model.
            saved_model_dir: Folder of the SavedModel.
            digest: Digest of the SavedModel.
            example: A raw row as input example, None for no example.

        Returns:
            The complete upload.

        Raises:
            MlflowException: If MLflow fails; the state of the upload is then FAILED.
        """
        logged = self._client.create_logged_model(
            self._experiment_id, self._name, run_id, {DIGEST_TAG: digest}
        )
        try:
            with tempfile.TemporaryDirectory() as folder:
                model_dir = Path(folder, "model")
                save_model(
                    saved_model_dir, model_dir, example, run_id=run_id, model_id=logged.model_id
                )
                self._on_progress()
                self._client.log_model_artifacts(logged.model_id, str(model_dir))
                self._on_progress()
        except BaseException:
            self._client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
            raise
        return self._client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)

    def delete(self, logged: LoggedModel) -> None:
        """Deletes an upload with its files, which MLflow would keep until `mlflow gc`."""
        try:
            self._client.delete_logged_model(logged.model_id)
        except MlflowException as error:  # another process was quicker
            raise_unless(error, RESOURCE_DOES_NOT_EXIST)
            return
        get_artifact_repository(
            logged.artifact_location, tracking_uri=self._client.tracking_uri
        ).delete_artifacts()

    def _is_running(self, run_id: str) -> bool:
        try:
            status = self._client.get_run(run_id).info.status
        except MlflowException as error:
            raise_unless(error, RESOURCE_DOES_NOT_EXIST)
            return False
        return bool(status == RunStatus.to_string(RunStatus.RUNNING))


def raise_unless(error: MlflowException, code: Any) -> None:
    """Raises the error unless it has this code of `mlflow.protos.databricks_pb2`."""
    if error.error_code != ErrorCode.Name(code):
        raise error
