"""Dumps of MLflow stores that can be compared.

Random ids are replaced: that of a run by the name of its pipeline run, that of a LoggedModel by its
digest.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlflow.artifacts import download_artifacts
from mlflow.entities import DatasetInput, LoggedModel, Run, ViewType
from mlflow.tracking import MlflowClient

Ids = Callable[[str], str]
_RANDOM_LINES = re.compile(r"^(model_uuid|utc_time_created|artifact_path): .*$", re.MULTILINE)
"""Lines of an MLmodel file that differ between two files of the same model."""


def dump(tracking_uri: str) -> dict[str, Any]:
    """Dumps a whole store.

    Args:
        tracking_uri: The store or server.

    Returns:
        Experiments, runs, logged and registered models by name, as nested plain values.
    """
    client = MlflowClient(tracking_uri)
    experiments = [
        experiment
        for experiment in client.search_experiments()
        if experiment.name != "Default"  # MLflow makes this one
    ]
    ids = [experiment.experiment_id for experiment in experiments]
    runs = client.search_runs(ids, run_view_type=ViewType.ALL) if ids else []
    models = client.search_logged_models(ids) if ids else []
    names = {run.info.run_id: _name(run) for run in runs}
    names |= {model.model_id: f"model {model.tags['model.digest']}" for model in models}

    def rename(text: str) -> str:
        return re.sub(r"\b(m-)?[0-9a-f]{32}\b", lambda found: names.get(found[0], found[0]), text)

    return {
        "experiments": {experiment.name: experiment.tags for experiment in experiments},
        "runs": {_name(run): _dump_run(client, run, rename) for run in runs},
        "logged models": {
            names[model.model_id]: _dump_logged_model(tracking_uri, model, rename)
            for model in models
        },
        "registered models": _dump_registry(client, rename),
    }


def differences(left: Any, right: Any, path: str = "") -> Iterator[str]:
    """Lists the differences between two dumps, one line each.

    Args:
        left: A dump, or a part of one.
        right: Another dump, or the same part of it.
        path: Place of the part in the dump.

    Yields:
        The place, and the values on both sides.
    """
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted(left.keys() | right.keys()):
            yield from differences(left.get(key), right.get(key), f"{path}/{key}")
    elif left != right:
        yield f"{path}: {str(left)[:400]} | {str(right)[:400]}"


def _name(run: Run) -> str:
    """Names a run after its pipeline run or trial."""
    tags = run.data.tags
    return str(tags.get("tfx.pipeline_run_id") or tags["tfx.trial"])


def _dump_run(client: MlflowClient, run: Run, rename: Ids) -> dict[str, Any]:
    info, run_id = run.info, run.info.run_id
    points = {key: client.get_metric_history(run_id, key) for key in run.data.metrics}
    with TemporaryDirectory() as folder:
        files = _digests(client.download_artifacts(run_id, "", folder), rename)
    return {
        "name": info.run_name,
        "status": info.status,
        "times": (info.start_time, info.end_time),
        "stage": info.lifecycle_stage,
        "params": run.data.params,
        "tags": {key: rename(value) for key, value in run.data.tags.items()},
        "metrics": {
            key: sorted((point.step, point.timestamp, point.value) for point in found)
            for key, found in points.items()
        },
        "last metrics": run.data.metrics,
        "files": files,
        "datasets": sorted(_dump_dataset(data) for data in run.inputs.dataset_inputs),
        "models": sorted(rename(output.model_id) for output in run.outputs.model_outputs)
        if run.outputs
        else [],
    }


def _dump_dataset(data: DatasetInput) -> tuple[str, ...]:
    tags = json.dumps({tag.key: tag.value for tag in data.tags}, sort_keys=True)
    found = data.dataset
    return (found.name, found.digest, found.source, found.schema, found.profile, tags)


def _dump_logged_model(tracking_uri: str, model: LoggedModel, rename: Ids) -> dict[str, Any]:
    # `models:/...` would be looked for in the store that is the process's default.
    uri = model.artifact_location
    with TemporaryDirectory() as folder:
        path = download_artifacts(uri, dst_path=folder, tracking_uri=tracking_uri)
        files = _digests(path, rename)
    return {
        "name": model.name,
        "status": str(model.status),
        "run": rename(model.source_run_id),
        "tags": {key: rename(value) for key, value in model.tags.items()},
        "params": model.params,
        "files": files,
    }


def _dump_registry(client: MlflowClient, rename: Ids) -> dict[str, Any]:
    return {
        model.name: {
            "tags": model.tags,
            "description": model.description or "",
            "aliases": {alias: str(version) for alias, version in model.aliases.items()},
            "versions": {
                str(version.version): {
                    "run": rename(version.run_id),
                    "source": rename(version.source),
                    "status": version.status,
                    "tags": version.tags,
                    "description": version.description or "",
                }
                for version in client.search_model_versions(f"name = '{model.name}'")
            },
        }
        for model in client.search_registered_models()
    }


def _digests(folder: str, rename: Ids) -> dict[str, str]:
    """Digests all files of a folder, with ids in MLmodel files replaced."""
    found = {}
    for path in Path(folder).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.name == "MLmodel":
                content = rename(_RANDOM_LINES.sub("", content.decode())).encode()
            found[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()[:16]
    return found
